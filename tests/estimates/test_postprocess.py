"""Estimates from noisy histograms and points: properties, not accuracy."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from skdpgmm import DPGaussianMixture, DPKMeans
from skdpgmm._algorithms.choices import n_passes
from skdpgmm._algorithms.codebook import ward
from skdpgmm._algorithms.mixture import UNKNOWN
from skdpgmm._estimates.quantile import noisy_quantile
from skdpgmm._estimates.shrinkage import shrink_between
from skdpgmm._estimates.spectrum import spiked_covariance
from skdpgmm._models.covariances import Full

EDGES = 2.0 ** np.arange(40)


def noisy_counts(counts, sd, seed):
    rng = np.random.default_rng(seed)
    full = np.zeros(len(EDGES) + 1)
    for position, count in counts.items():
        full[position] = count
    return full + sd * rng.standard_normal(len(full))


@pytest.mark.parametrize("seed", range(20))
def test_quantile_keeps_a_far_cluster_that_is_spread_over_bins(seed):
    # Four standard deviations in each of four bins: clear together only.
    far = {position: 35.0 for position in range(20, 24)}
    noisy = noisy_counts({5: 2500.0, **far}, 10.0, seed)
    assert noisy_quantile(noisy, 10.0, EDGES, 0.99) >= EDGES[22]


def test_quantile_of_noise_is_none():
    found = [
        noisy_quantile(noisy_counts({}, 10.0, seed), 10.0, EDGES, 0.99)
        for seed in range(400)
    ]
    assert not any(found)


def test_noise_does_not_lead_the_quantile_far_from_the_records():
    found = [
        noisy_quantile(noisy_counts({10: 1000}, 10.0, seed), 10.0, EDGES, 0.99)
        for seed in range(1000)
    ]
    assert max(found) <= EDGES[20]


@pytest.mark.parametrize("q, edge", [(0.5, 3), (0.6, 7), (0.99, 7), (1.0, 30)])
def test_quantile_without_noise_is_exact(q, edge):
    counts = noisy_counts({3: 500, 7: 495, 30: 5}, 0.0, 0)
    assert noisy_quantile(counts, 0.0, EDGES, q) == EDGES[edge]


def test_quantile_ends_at_the_last_edge():
    assert noisy_quantile(noisy_counts({40: 100}, 0.0, 0), 0.0, EDGES, 1.0) == EDGES[-1]
    # Sums of these counts depend on their order.
    counts = noisy_counts({0: 0.1, 1: 0.2, 2: 0.3}, 0.0, 0) * 1e3
    assert noisy_quantile(counts, 0.0, EDGES, 1.0) == EDGES[2]


def test_ward_merges_as_scipy_does():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((60, 3))
    owner = fcluster(linkage(points, "ward"), 7, "maxclust")
    expected = [points[owner == j].mean(axis=0) for j in np.unique(owner)]
    found = ward(points, np.ones(60), 7)
    assert np.allclose(sorted(map(tuple, found)), sorted(map(tuple, expected)))


def test_auto_passes_need_records():
    def auto(mu, n, start=UNKNOWN):
        return n_passes(Full(), 5, 10, mu, n, start).value

    assert auto(1.0, 100.0) == 0
    assert auto(1.0, 100.0, UNKNOWN._replace(weights=np.full(10, 0.1))) == 1
    assert auto(1.0, 1e9) == 4
    assert auto(np.inf, 100.0) == 100
    passes = [auto(1.0, n) for n in np.geomspace(1e2, 1e6, 50)]
    assert passes == sorted(passes)
    assert {1, 2, 3} <= set(passes)


@pytest.mark.parametrize("seed", range(5))
def test_a_small_far_cluster_is_not_clipped_away(seed):
    rng = np.random.default_rng(seed)
    place = np.array([300.0, 0.0])
    near, far = rng.standard_normal((4500, 2)), rng.normal(place, 40.0, (500, 2))
    X = np.concatenate([near, far])
    kmeans = DPKMeans(2, epsilon=1.0, random_state=seed).fit(X)
    assert np.linalg.norm(kmeans.cluster_centers_ - place, axis=1).min() < 60.0


def test_the_number_of_passes_is_a_function_of_the_noisy_count():
    X = np.random.default_rng(0).standard_normal((20_000, 2))
    assert DPGaussianMixture(2, random_state=0).fit(X).n_iter_ == 4
    assert DPGaussianMixture(2, random_state=0).fit(X[:60]).n_iter_ == 0


def low_rank_release(sd, seed=0, d=60):
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((d, 3))
    truth = 0.2 * np.eye(d) + factor @ factor.T
    noise = rng.standard_normal((d, d))
    return truth, truth + sd * 0.5 * (noise + noise.T)


def test_spikes_keep_the_trace_and_lose_the_noise():
    truth, release = low_rank_release(0.5)
    found = spiked_covariance(release, 0.5, 1e-6)
    assert found.vectors.shape == (60, 3)
    assert np.allclose([found.trace, np.trace(found.matrix())], np.trace(release))
    error = np.linalg.norm(found.matrix() - truth)
    assert error < 0.5 * np.linalg.norm(release - truth)
    # Without noise all of it is believed.
    assert np.allclose(spiked_covariance(truth, 0.0, 1e-6).matrix(), truth)


@pytest.mark.parametrize("spikes", [0, 3])
def test_means_are_shrunk_by_their_noise(spikes):
    covariance = spiked_covariance(low_rank_release(0.5)[1], 0.5, 1e-6)
    covariance = covariance._replace(
        values=covariance.values[:spikes], vectors=covariance.vectors[:, :spikes]
    )
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
