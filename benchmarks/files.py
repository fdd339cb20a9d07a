"""How large files of models are, and how long they take.

One command::

    python -m benchmarks.files

Estimators are fitted to made-up embeddings, of standard deviations that fall as 1 / i,
with labels of ten classes. Printed are, of the file of each, the bytes of its numbers,
fitted attributes and releases, the bytes of the whole file over these, and the seconds
of `save`, `load` and `verify`. *again* is what of `load` and `verify` the algorithm
itself takes, which makes the model once more from its releases; *beyond* is what they
take together with `save` beside that. Seconds are those of the processors, of all
threads, so that other work on the machine matters less; for those of a clock on one
core, set ``OMP_NUM_THREADS=1``.

The first rows are of the width that ``--features`` says, and of heads of as many steps
as their budget allows. All is written as JSON beside this file, or to ``--output``.
"""

import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.base import clone
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
    load,
    verify,
)
from skdpgmm._estimators.model_file import read

N_CLASSES, NARROW = 10, 64
CASES = {
    "synthesizer": (True, partial(DPEmbeddingSynthesizer, clip_norm=1.0)),
    "regression": (True, partial(DPLogisticRegression, clip_norm=1.0)),
    "pca": (True, partial(DPPCA, 64, clip_norm=1.0)),
    "scaler": (True, DPStandardScaler),
    "synthesizer, narrow": (False, partial(DPEmbeddingSynthesizer, clip_norm=1.0)),
    "mixture, narrow": (False, partial(DPGaussianMixture, 10, clip_norm=1.0)),
    "k-means, narrow": (False, partial(DPKMeans, 10, clip_norm=1.0)),
    "classifier, narrow": (
        False,
        lambda epsilon: DPSyntheticClassifier(
            DPEmbeddingSynthesizer(epsilon=epsilon, clip_norm=1.0),
            LogisticRegression(max_iter=1000),
            n_samples=10_000,
        ),
    ),
}


def embeddings(n, d):
    """Rows on the unit sphere, and labels that follow them."""
    rng = np.random.default_rng(0)
    y = rng.integers(N_CLASSES, size=n)
    spread = 1.0 / np.arange(1, d + 1)
    X = rng.standard_normal((N_CLASSES, d))[y] * spread
    X += rng.standard_normal((n, d)) * spread
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X.astype(np.float32), y


def measure(make, X, y, args):
    """Return bytes and seconds of the file of a fit."""
    model = make(epsilon=args.epsilon)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        path = Path(folder) / "model"
        found = {"fit": seconds(partial(model.fit, X, y))}
        found["save"] = seconds(partial(model.save, path))
        found["load"] = seconds(partial(load, path))
        found["verify"] = seconds(partial(verify, path))
        found["again"] = seconds(partial(again, model))
        file = read(path)
        found["bytes"] = path.stat().st_size
        found["numbers"] = sum(array.nbytes for array in file.arrays.values())
        found["releases"] = len(model.privacy_.ledger)
        steps = [row.name for row in model.privacy_.ledger if "head step" in row.name]
        found["head_steps"] = len(set(steps))
    both = found["load"] + found["verify"] - 2.0 * found["again"]
    found["beyond"] = found["save"] + both
    return found


def seconds(function):
    """Return the time that processors spend on a call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def again(model):
    """Make a model again from what its fit was told, and do no more."""
    core = getattr(model, "synthesizer_", model)
    made = clone(core)
    made._replay(core._transcript)
    if core is not model:
        clone(model)._train_again(made, model._training_key)


def print_row(name, found):
    print(
        f"{name:>20}{found['head_steps']:>7}{found['releases']:>9}"
        f"{found['numbers'] / 1e6:>9.2f}{found['bytes'] / found['numbers']:>7.2f}"
        f"{found['fit']:>8.2f}{found['save']:>7.2f}{found['load']:>7.2f}"
        f"{found['verify']:>8.2f}{found['again']:>7.2f}{found['beyond']:>8.2f}",
        flush=True,
    )


def main():
    parser = parser_of("files", __doc__, "--fresh")
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--features", type=int, default=1280)
    parser.add_argument("--epsilon", type=float, default=20.0)
    args = parser.parse_args()
    results = Results(args, ("rows", "features", "epsilon"))
    sets = {
        wide: embeddings(args.rows, args.features if wide else NARROW)
        for wide in (True, False)
    }
    print(
        f"{'file of':>20}{'steps':>7}{'releases':>9}{'MB':>9}{'over':>7}"
        f"{'fit s':>8}{'save':>7}{'load':>7}{'verify':>8}{'again':>7}{'beyond':>8}"
    )
    for name, (wide, make) in CASES.items():
        found = results.once(name, measure=partial(measure, make, *sets[wide], args))
        print_row(name, found)
    results.save()


if __name__ == "__main__":
    main()
