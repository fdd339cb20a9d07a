"""Rows of the measurements of growth, here and in `benchmarks.scaling`.

It stands here because airspeed velocity imports this folder alone.
"""

import numpy as np


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
