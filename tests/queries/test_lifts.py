"""Lifts: what becomes of a grid point is on the grid, and bounded."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from private_queries import (
    random_feature_ball,
    whole_ball,
)

from skdpgmm._models.scores import draw_features
from skdpgmm._queries.lifts import projected, with_cosines
from skdpgmm.privacy.grid import GRID_BITS, Ball


def gaussian(d, n, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((d, d)) * np.geomspace(1.0, 0.1, d)
    return rng.standard_normal((n, d)) @ root.T, root @ root.T


@pytest.fixture(scope="module")
def drawn():
    Z, second = gaussian(6, 200_000)
    length = np.sqrt(np.trace(second))
    rng = np.random.default_rng(1)
    return Z, second, length, *draw_features(20, second, length, rng)


def test_the_grid_holds_the_features(drawn):
    Z, _, length, features, _ = drawn
    Z = Z[:1000]
    center = np.full(6, 3.0)
    ball = Ball(center, 2.0 * np.linalg.norm(Z, axis=1).max())
    radius = 2.0 * np.hypot(ball.radius, length)
    with_features = with_cosines(ball, features, radius)
    G = with_features.to_grid(Z + center)
    expected = np.hstack([Z, features(Z)])
    assert_allclose(G * with_features.step, expected, atol=1e-6 * radius)
    narrow = with_features.within(0.1 * length)
    norms = np.linalg.norm(narrow.to_grid(Z + center), axis=1)
    assert_allclose(norms, 2.0**GRID_BITS, rtol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_features_norms_are_bounded(seed):
    rng = np.random.default_rng(seed)
    d = rng.integers(1, 30)
    ball = random_feature_ball(rng, d)
    X = ball.center + ball.clip_radius * rng.standard_normal((300, d))
    X[:3] = [[1e308], [-1e308], [0.0]]
    G = ball.to_grid(X.copy())
    assert_array_equal(G, np.rint(G))
    exact = [sum(int(g) ** 2 for g in row) for row in G]
    assert max(exact) <= 4**GRID_BITS
    # A row is what it is, whatever the others are.
    assert_array_equal(G[::-1], ball.to_grid(X[::-1].copy()))
    assert_array_equal(G[7:8], ball.to_grid(X[7:8].copy()))


def test_projection_is_exact():
    # Integers small enough that no order of summation rounds: |G P| < 2**53.
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((300, 16)))[0]
    matrix = projected(whole_ball(300), basis).lift.matrix
    assert np.array_equal(matrix, np.rint(matrix))
    assert np.linalg.norm(matrix, axis=0).max() * 2.0**GRID_BITS < 2.0**53
