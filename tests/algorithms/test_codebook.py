"""Cells are merged by Ward's method."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from skdpgmm._algorithms.codebook import ward


def test_ward_merges_as_scipy_does():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((60, 3))
    owner = fcluster(linkage(points, "ward"), 7, "maxclust")
    expected = [points[owner == j].mean(axis=0) for j in np.unique(owner)]
    found = ward(points, np.ones(60), 7)
    assert np.allclose(sorted(map(tuple, found)), sorted(map(tuple, expected)))
