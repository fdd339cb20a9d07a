"""Means are shrunk by their own noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm._estimates.shrinkage import low_rank, shrink_between
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


def test_what_differs_in_few_directions_is_found_among_many():
    rng = np.random.default_rng(0)
    k, d, noise = 8, 100, 0.5
    weights = np.full(k, 1.0 / k)
    means = 4.0 * rng.standard_normal((k, 2)) @ np.eye(2, d)
    noisy = means + noise * rng.standard_normal((k, d))
    found = low_rank(noisy, weights, np.full(k, noise))
    assert np.linalg.matrix_rank(found, tol=1e-6) == 2
    off, before = found - (means - weights @ means), noisy - means
    assert np.sum(off**2) < 0.5 * np.sum(before**2)
    assert_allclose(weights @ found, 0.0, atol=1e-9)
    assert not low_rank(noisy - means, weights, np.full(k, noise)).any()


def test_without_noise_differences_stay():
    rng = np.random.default_rng(1)
    weights = np.array([0.2, 0.3, 0.5])
    means = rng.standard_normal((3, 10))
    found = low_rank(means, weights, np.full(3, 1e-9))
    assert_allclose(found, means - weights @ means, rtol=1e-6)
