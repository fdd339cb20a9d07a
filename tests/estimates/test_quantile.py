"""A radius from a noisy histogram: no cluster is lost, and noise does not lead."""

import numpy as np
import pytest

from skdpgmm._estimates.quantile import noisy_quantile

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
