"""Shares of right answers: how often intervals hold the truth, and limits."""

import numpy as np
import pytest

from skdpgmm._estimates.proportion import mean_proportion, pooled_sizes

RNG = np.random.default_rng(0)
N_TRIALS = 1500


def noisy_counts(n, share, sd, n_scored):
    right = RNG.binomial(n, share, size=(n_scored, len(n)))
    exact = np.stack([n - right, right], axis=2)
    return exact + sd * RNG.standard_normal(exact.shape), right


@pytest.mark.parametrize(
    "n, share, sd",
    [
        ([500], [0.9], 5.0),
        ([500], [0.9], 50.0),
        ([200], [0.5], 100.0),
        ([5000], [0.8], 0.0),
        ([300, 100, 30], [0.9, 0.8, 0.6], 3.0),
        ([300, 100, 30], [0.9, 0.8, 0.6], 20.0),
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(n, share, sd):
    n, share = np.array(n), np.array(share)
    held = []
    for _ in range(N_TRIALS):
        counts, _ = noisy_counts(n, share, sd, 6)
        found = mean_proportion(
            counts[0], sd, pooled_sizes(counts, np.full(6, sd)), 0.95
        )
        assert 0.0 <= found.low <= found.value <= found.high <= 1.0
        held.append(found.low - 5e-4 <= share.mean() <= found.high + 5e-4)
    assert 0.92 < np.mean(held) < 0.99


def test_the_noise_is_that_of_the_share():
    n, share, sd = np.array([500]), np.array([0.9]), 10.0
    off, stated = [], []
    for _ in range(N_TRIALS):
        counts, right = noisy_counts(n, share, sd, 6)
        known = pooled_sizes(counts, np.full(6, sd))
        found = mean_proportion(counts[0], sd, known, 0.95)
        off.append(found.value - right[0, 0] / n[0])
        stated.append(found.noise_sd)
    assert np.std(off) == pytest.approx(np.mean(stated), rel=0.1)


def test_sizes_are_weighted_by_their_noise():
    counts = np.array([[[10.0, 90.0]], [[40.0, 160.0]]])
    sizes = pooled_sizes(counts, np.array([1.0, 3.0]))
    assert sizes.sizes == pytest.approx([(9 * 100 + 200) / 10])
    assert sizes.sd == pytest.approx(np.sqrt(2.0 / (1.0 + 1.0 / 9.0)))
    exact = pooled_sizes(counts, np.array([1.0, 0.0]))
    assert exact.sizes == [200.0] and exact.sd == 0.0


@pytest.mark.parametrize("right", [-1e6, 0.0, 1e6])
def test_where_all_is_noise_the_interval_is_everything(right):
    counts = np.array([[[0.0, right]]])
    known = pooled_sizes(counts, np.array([1e6]))
    found = mean_proportion(counts[0], 1e6, known, 0.95)
    assert (found.low, found.high) == (0.0, 1.0)


def test_without_noise_the_share_is_exact():
    counts = np.array([[[1.0, 3.0], [0.0, 5.0]]])
    found = mean_proportion(counts[0], 0.0, pooled_sizes(counts, np.array([0.0])), 0.95)
    assert found.value == (0.75 + 1.0) / 2.0 and found.noise_sd == 0.0
    assert found.low < found.value < found.high
