"""Responsibilities and whitened residuals: exact, and as long as is stated."""

import math

import numpy as np
import pytest
from private_queries import (
    LENGTHS,
    MARGIN,
    QUERIES,
    SOFT_MOMENTS,
    axis,
    change,
    exact_sums,
    scale_of,
    squared_distance,
    whole_ball,
)

from skdpgmm._queries.soft import SoftMoments
from skdpgmm.privacy.bounded_sum import parts
from skdpgmm.privacy.grid import HOST


@pytest.mark.parametrize("distance", [0.0, 1.0, 5.0, 100.0, 1e4, 1e9])
@pytest.mark.parametrize("d", [8, 40])
def test_whitening_keeps_rows_apart(d, distance):
    """The whitened row is the same to the bit in every block, wherever the mean is."""
    rng = np.random.default_rng(0)
    ball = whole_ball(d)
    points = rng.standard_normal((3, d))
    points *= distance / np.linalg.norm(points, axis=1, keepdims=True)
    W = rng.standard_normal((3, d, d))
    query = SoftMoments(
        ball, ball.on_grid(points), W, np.zeros(3), 3.0, np.zeros(3, int), "full"
    )
    G = ball.to_grid(rng.standard_normal((100, d)) / math.sqrt(d))
    codes = np.zeros(100, int)
    rows = [query.map(G[[i]], codes[[i]], HOST)[1] for i in range(len(G))]
    assert np.array_equal(query.map(G, codes, HOST)[1], np.concatenate(rows, axis=1))


@pytest.mark.parametrize("whitener_ndim", [1, 2, 3])
@pytest.mark.parametrize("moment", SOFT_MOMENTS)
@pytest.mark.parametrize("d", [1, 5, 40])
def test_soft_moments_attain(d, moment, whitener_ndim):
    k = 2
    W = {
        1: np.full(k, 10.0),
        2: np.full((k, d), 10.0),
        3: np.broadcast_to(10.0 * np.eye(d), (k, d, d)),
    }[whitener_ndim]
    # The first component takes the record whole.
    log_weights = np.array([0.0, -1e6])
    query = SoftMoments(
        whole_ball(d), np.zeros((k, d)), W, log_weights, 2.0, np.zeros(k, int), moment
    )
    for length in LENGTHS:
        ratios = change(query, axis(d, length, d - 1))
        assert ratios["counts"] == 1.0
        assert MARGIN < min(ratios.values()) <= max(ratios.values()) <= 1.0
    plus, minus = (exact_sums(query, axis(d, s), np.zeros(1))[1] for s in (1, -1))
    replaced = math.sqrt(squared_distance(plus, minus))
    assert 2.0 * MARGIN < replaced / parts(query)[1].l2_sensitivity <= 2.0


def test_responsibilities_are_integers_of_a_fixed_sum():
    rng = np.random.default_rng(0)
    for seed in range(5):
        query = QUERIES["soft-diag-diag"](np.random.default_rng(seed), 4, 2)
        X = scale_of(query) * rng.standard_normal((50, 4)) + query.ball.center
        for row in X:
            counts = exact_sums(query, row[None], np.zeros(1))[0]
            assert sum(counts) == 2**10
            assert min(counts) >= 0
            # None for the components of another class.
            assert not np.any(counts[query.classes == 1])
