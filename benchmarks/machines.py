"""Files of models on other machines: what does not come out the same.

One command::

    python -m benchmarks.machines

Estimators are fitted to the digits of scikit-learn and saved, with one thread. Then
each file is made again in other processes: with the kernels that OpenBLAS has for other
processors, which add up in another order (Haswell, Sandybridge and Prescott), with two
threads, and with each interpreter that ``--python`` names, where the package and other
versions of NumPy and SciPy are installed.

Printed are, of each of them, how many files come out to the bit, how many within 1e-9
of the largest entry of an attribute, and how many otherwise or not at all; the largest
difference, and that of classifiers that were trained again. All is written as JSON
beside this file, or to ``--output``.
"""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from benchmarks.common.command import Results, parser_of
from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPStandardScaler,
    DPSyntheticClassifier,
)
from skdpgmm._estimators.model_file import read
from skdpgmm._estimators.rebuilding import rebuild
from skdpgmm._estimators.saved import versions
from skdpgmm._estimators.verification import TOLERANCE

KERNELS = ("Haswell", "Sandybridge", "Prescott")
EPSILONS = (0.5, 2.0, 8.0, 50.0)


def models():
    """Yield names, and estimators that are not fitted."""
    X_public = load_digits().data[:300]
    for epsilon in EPSILONS:
        synthesizer = DPEmbeddingSynthesizer(epsilon=epsilon)
        made = {
            "kmeans": DPKMeans(10),
            "pca": DPPCA(16),
            "scaler": DPStandardScaler(),
            "regression": DPLogisticRegression(n_random_features="auto"),
            "synthesizer": DPEmbeddingSynthesizer(),
            "synthesizer public": DPEmbeddingSynthesizer(X_public=X_public),
            "synthesizer plain": DPEmbeddingSynthesizer(label_model=False),
            "synthesizer scaled": DPEmbeddingSynthesizer(scale="auto"),
            "synthesizer full": DPEmbeddingSynthesizer(2, covariance_type="full"),
            **{
                f"mixture {kind}": DPGaussianMixture(5, covariance_type=kind)
                for kind in ("full", "tied", "diag", "spherical")
            },
            "classifier": DPSyntheticClassifier(
                synthesizer, LogisticRegression(max_iter=1000), n_samples=2000
            ),
            "network": DPSyntheticClassifier(synthesizer, n_samples=2000),
        }
        for name, model in made.items():
            if "epsilon" in model.get_params(deep=False):
                model.set_params(epsilon=epsilon)
            yield f"{name}, epsilon {epsilon:g}", model


def save_all(folder):
    X, y = load_digits(return_X_y=True)
    for name, model in models():
        labelled = isinstance(
            model, DPEmbeddingSynthesizer | DPLogisticRegression | DPSyntheticClassifier
        )
        model.fit(X, y if labelled else None).save(Path(folder) / name)


def differences(folder):
    """Return what differs in each file that is made again here."""
    found = {}
    for path in sorted(Path(folder).iterdir()):
        try:
            rebuilt = rebuild(read(path))
        except ValueError as error:
            found[path.name] = {"error": str(error)}
            continue
        sizes = [one.size for one in rebuilt.different]
        trained = [one.size for one in rebuilt.retrained or ()]
        found[path.name] = {
            "largest": max(sizes, default=0.0),
            "trained": max(trained, default=0.0),
        }
    return {"made_by": versions(), "files": found}


def elsewhere(folder, python=sys.executable, **environment):
    """Return the differences that another process finds."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    command = [python, "-m", "benchmarks.machines", "--of", str(folder)]
    ended = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return json.loads(ended.stdout)


def print_row(name, found):
    files = found["files"].values()
    sizes = [one["largest"] for one in files if "error" not in one]
    exact = sum(size == 0.0 for size in sizes)
    close = sum(0.0 < size <= TOLERANCE for size in sizes)
    trained = max(one.get("trained", 0.0) for one in files)
    print(
        f"{name:>24}{exact:>9}{close:>9}{len(files) - exact - close:>9}"
        f"{max(sizes, default=0.0):>10.1e}{trained:>10.1e}",
        flush=True,
    )


def main():
    warnings.simplefilter("ignore")
    parser = parser_of("machines", __doc__, "--fresh")
    parser.add_argument("--python", action="append", default=[], help="interpreter")
    parser.add_argument("--of", metavar="FOLDER", help="print differences as JSON")
    args = parser.parse_args()
    if args.of:
        print(json.dumps(differences(args.of)))
        return
    results = Results(args)
    with tempfile.TemporaryDirectory() as folder:
        save_all(folder)
        print(
            f"{'files made again by':>24}{'to bits':>9}{'to 1e-9':>9}{'others':>9}"
            f"{'largest':>10}{'trained':>10}"
        )
        for kernel in KERNELS:
            found = elsewhere(folder, OPENBLAS_CORETYPE=kernel)
            results.entry()[kernel] = found
            print_row(kernel, found)
        found = elsewhere(folder, OMP_NUM_THREADS="2")
        results.entry()["two threads"] = found
        print_row("two threads", found)
        for python in args.python:
            found = elsewhere(folder, python)
            made = found["made_by"]
            name = f"Python {made['python']}, NumPy {made['numpy']}"
            results.entry()[name] = found
            print_row(name, found)
    results.save()


if __name__ == "__main__":
    main()
