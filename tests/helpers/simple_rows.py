"""Rows of which everything is known: three round classes, and two about a point."""

import numpy as np
from sklearn.datasets import make_blobs

CENTERS = np.array([[4.0, 0.0, 0.0, 0.0], [0.0, 4.0, 0.0, 0.0], [0.0, 0.0, 4.0, 4.0]])
SIZES = [3000, 2000, 1000]
D = CENTERS.shape[1]


def three_classes():
    return make_blobs(SIZES, centers=CENTERS, cluster_std=0.5, random_state=0)


def rows_about(center, n, seed):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = center + rng.standard_normal((n, len(center)))
    X[:, 0] += 4.0 * y
    return X, y
