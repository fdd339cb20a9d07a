"""Fits the PCA of one peer in a process of its own; `pca.py` starts it and talks to it.

Argument: the name of the peer. Then one request a line comes on standard input, as
JSON, and one answer a line goes out. This file needs numpy and the peer, and nothing of
skdpgmm.
"""

import importlib.metadata
import json
import os
import sys
import time
import warnings

import numpy as np


def diffprivlib():
    """Return a function that fits IBM's PCA, which is purely epsilon-private."""
    from diffprivlib import BudgetAccountant
    from diffprivlib.models import PCA

    def fit(X, k, epsilon, seed):
        pca = PCA(
            k,
            epsilon=epsilon,
            data_norm=1.0,
            centered=True,  # so that it spends nothing on the mean
            random_state=seed,
            # The default one would keep, and add up, the costs of all fits.
            accountant=BudgetAccountant(),
        )
        return pca.fit(X).components_

    return fit


def opendp():
    """Return a function that fits OpenDP's PCA, which is purely epsilon-private."""
    import opendp.prelude as dp
    from opendp.extras.sklearn.decomposition import PCA

    dp.enable_features("contrib", "floating-point", "honest-but-curious")

    def fit(X, k, epsilon, seed):  # its noise cannot be seeded
        n, d = X.shape
        pca = PCA(
            epsilon=epsilon, row_norm=1.0, n_samples=n, n_features=d, n_components=k
        )
        return pca.fit(X).components_

    return fit


def versions():
    """Versions of what may matter, as far as it is installed here."""
    found = {}
    for name in ("diffprivlib", "opendp", "numpy", "scikit-learn"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def answer(fit, path, out, k, epsilon, seed):
    """Fit, write the components to `out`, and return the seconds it took."""
    X = np.load(path)
    start = time.perf_counter()
    components = fit(X, k, epsilon, seed)
    spent = time.perf_counter() - start
    if components.shape != (k, X.shape[1]) or not np.all(np.isfinite(components)):
        raise ValueError("components are not finite, or not as many as asked for")
    np.save(out, components)
    return {"seconds": spent}


def main():
    # A peer that prints must not do so into the answers.
    answers_to = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")

    def send(reply):
        print(json.dumps(reply), file=answers_to, flush=True)

    try:
        fit = {"diffprivlib": diffprivlib, "opendp": opendp}[sys.argv[1]]()
    except Exception as error:
        send({"failure": f"{type(error).__name__}: {error}"})
        return
    send({"versions": versions()})
    for line in sys.stdin:
        try:
            send(answer(fit, **json.loads(line)))
        except Exception as error:
            send({"failure": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
