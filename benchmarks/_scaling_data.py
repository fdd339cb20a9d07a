"""What `scaling.py` and its parts share: rows, and the time of a call."""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning


def clusters(n, d, k=10, seed=0, unit=True):
    """Float32 rows in `k` clusters, on the unit sphere as embeddings are."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    centers = rng.standard_normal((k, d)).astype(np.float32)
    X = np.empty((n, d), dtype=np.float32)
    # In parts, so that the peak of the memory is not here.
    for start in range(0, n, 10_000):
        part = X[start : start + 10_000]
        rng.standard_normal(dtype=np.float32, out=part)
        part += centers[y[start : start + 10_000]]
        if unit:
            part /= np.linalg.norm(part, axis=1, keepdims=True)
    return X, y


def seconds(function):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        function()
    return time.perf_counter() - start
