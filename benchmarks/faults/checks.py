"""What is found of a copy of the package: by audits, by `verify`, and by watching it.

Run in a process of its own, with a copy on its path: it prints JSON.
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path

from sklearn.datasets import load_iris

from benchmarks.faults import hostile, observed
from skdpgmm import DPPCA, DPKMeans, DPLogisticRegression, audit, verify

N_RUNS = 40


def iris():
    X, y = load_iris(return_X_y=True)
    return X[::2], y[::2]


def pca(**params):
    return DPPCA(2, **{"epsilon": 4.0, **params})


# Name to (estimator, whether it takes labels, options).
AUDITS = {
    "pca": (pca(), False, {}),
    "pca-replace": (pca(adjacency="replace-one"), False, {}),
    "pca-persons": (pca(max_contributions=2), False, {}),
    "pca-blocks": (pca(block_size=64), False, {"n_runs": 20}),
    "pca-attributes": (pca(), False, {"attack": "attributes", "n_runs": 200}),
    "kmeans": (DPKMeans(2, epsilon=4.0), False, {"n_runs": 20}),
    # Of one cluster, in which two records are opposite.
    "kmeans-replace": (
        DPKMeans(1, epsilon=4.0, adjacency="replace-one"),
        False,
        {"n_runs": 20},
    ),
    "logistic": (DPLogisticRegression(epsilon=4.0), True, {"n_runs": 20}),
    "logistic-replace": (
        DPLogisticRegression(epsilon=4.0, adjacency="replace-one"),
        True,
        {"n_runs": 20},
    ),
    "logistic-attributes": (
        DPLogisticRegression(epsilon=4.0),
        True,
        {"attack": "attributes", "n_runs": 200},
    ),
}


def audited(name):
    """Return what is wrong by an audit, or None."""
    estimator, labelled, options = AUDITS[name]
    X, y = iris()
    given = {"n_runs": N_RUNS, "confidence": 0.999, "random_state": 0, **options}
    result = audit(estimator, X, y if labelled else None, **given)
    return None if result.passed else reason_of(result)


def reason_of(result):
    for what in ("distance", "gaussian_bound", "bound"):
        if getattr(result, what) > result.mu * (1.0 + 1e-6):
            return f"{what} {getattr(result, what):.3g} of {result.mu:.3g}"
    return "noise is too quiet"


def verified():
    """Return what is wrong by `verify`, or None."""
    X, y = iris()
    with tempfile.TemporaryDirectory() as folder:
        for estimator in (pca(), DPLogisticRegression()):
            path = Path(folder) / "model.safetensors"
            estimator.fit(X, y).save(path)
            for check in verify(path).checks:
                if check.passed is False:
                    return f"{check.what}: {check.found}"
    return None


def said(check, *args):
    """Return what a check says, or the error it ends in."""
    try:
        return check(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]


def main():
    warnings.simplefilter("ignore")
    found = {f"audit {name}": said(audited, name) for name in sys.argv[1:]}
    found["verify"] = said(verified)
    for look in (*observed.LOOKS, *hostile.LOOKS):
        name = f"observed {look.__name__}"
        found[name] = said(look)
        if found[name]:
            break  # one is enough
    print(json.dumps(found))


if __name__ == "__main__":
    main()
