"""Means are shrunk by their own noise."""

import numpy as np
import pytest

from skdpgmm._estimates.shrinkage import shrink_between
from skdpgmm._estimates.spectrum import spiked_covariance


def low_rank_release(sd, seed=0, d=60):
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((d, 3))
    truth = 0.2 * np.eye(d) + factor @ factor.T
    noise = rng.standard_normal((d, d))
    return truth, truth + sd * 0.5 * (noise + noise.T)


def of_spikes(n_spikes):
    found = spiked_covariance(low_rank_release(0.5)[1], 0.5, 1e-6)
    return found._replace(
        values=found.values[:n_spikes], vectors=found.vectors[:, :n_spikes]
    )


@pytest.mark.parametrize("spikes", [0, 3])
def test_means_are_shrunk_by_their_noise(spikes):
    covariance = of_spikes(spikes)
    rng = np.random.default_rng(1)
    means, weights = rng.standard_normal((5, 60)), np.full(5, 0.2)
    counts = np.full(5, 1e12)
    kept = shrink_between(means, weights, np.zeros(5), counts, covariance)
    assert np.allclose(kept, means)
    lost = shrink_between(means, weights, np.full(5, 1e6), counts, covariance)
    assert np.allclose(lost, means.mean(axis=0))
    half = shrink_between(means, weights, np.full(5, 0.5), counts, covariance)
    share = np.linalg.norm(half - lost) / np.linalg.norm(means - lost)
    assert 0.3 < share < 0.7


@pytest.mark.parametrize("spikes", [0, 3])
def test_a_component_that_is_noise_leaves_the_others(spikes):
    covariance = of_spikes(spikes)
    rng = np.random.default_rng(2)
    means = rng.standard_normal((5, 60))
    means[4] *= 1e3
    weights = np.array([0.25, 0.25, 0.25, 0.25 - 1e-6, 1e-6])
    noise, counts = np.array([0.01, 0.01, 0.01, 0.01, 1e6]), np.full(5, 1e12)
    kept = shrink_between(means, weights, noise, counts, covariance)
    gaps = means[:4] - means[:4].mean(axis=0)
    lost = kept[:4] - kept[:4].mean(axis=0) - gaps
    assert np.linalg.norm(lost) < 0.1 * np.linalg.norm(gaps)
    assert np.linalg.norm(kept[4] - weights @ means) < 0.05 * np.linalg.norm(means[4])
