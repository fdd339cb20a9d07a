"""The ball holds what is rare and far, too."""

import numpy as np
import pytest

from skdpgmm import DPKMeans


@pytest.mark.parametrize("seed", range(5))
def test_a_small_far_cluster_is_not_clipped_away(seed):
    rng = np.random.default_rng(seed)
    place = np.array([300.0, 0.0])
    near, far = rng.standard_normal((4500, 2)), rng.normal(place, 40.0, (500, 2))
    X = np.concatenate([near, far])
    kmeans = DPKMeans(2, epsilon=1.0, random_state=seed).fit(X)
    assert np.linalg.norm(kmeans.cluster_centers_ - place, axis=1).min() < 60.0
