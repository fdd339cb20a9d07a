"""Scores of synthetic sets beside real ones: known values, limits, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import sqrtm

from skdpgmm import metrics

rng = np.random.default_rng(0)
REAL = rng.standard_normal((400, 6)) * np.geomspace(3.0, 0.3, 6)
OTHER = rng.standard_normal((300, 6)) + 0.5


@pytest.mark.parametrize("n", [3, 300])  # fewer rows than features, and more
def test_frechet_distance_is_the_formula(n):
    gap = REAL.mean(axis=0) - OTHER[:n].mean(axis=0)
    covariances = [np.cov(X, rowvar=False, bias=True) for X in (REAL, OTHER[:n])]
    cross = np.trace(sqrtm(covariances[0] @ covariances[1]).real)
    expected = gap @ gap + sum(np.trace(C) for C in covariances) - 2.0 * cross
    assert_allclose(metrics.frechet_distance(REAL, OTHER[:n]), expected, rtol=1e-6)
    assert metrics.frechet_distance(REAL, REAL) < 1e-9


def test_manifold_scores_are_their_definitions():
    k = 3

    def radii(X):
        D = np.linalg.norm(X[:, None] - X, axis=2)
        return np.sort(D, axis=1)[:, k]

    D = np.linalg.norm(OTHER[:, None] - REAL, axis=2)  # (n_synthetic, n_real)
    in_real = radii(REAL) >= D
    in_synthetic = radii(OTHER)[:, None] >= D
    scores = metrics.manifold_scores(REAL, OTHER, n_neighbors=k)
    assert_allclose(
        scores,
        (
            in_real.any(axis=1).mean(),
            in_synthetic.any(axis=0).mean(),
            in_real.sum(axis=1).mean() / k,
            in_real.any(axis=0).mean(),
        ),
    )


def test_a_mode_that_is_left_out_costs_recall_and_not_precision():
    both = np.concatenate([REAL, REAL[::-1] + 100.0])
    scores = metrics.manifold_scores(both, REAL + 1e-3)
    assert scores.precision > 0.95
    assert_allclose([scores.recall, scores.coverage], 0.5, atol=0.05)


def test_copies_have_small_ratios():
    copies = REAL[:50] + 1e-6
    assert metrics.nearest_neighbor_distance_ratio(REAL, copies).max() < 1e-2
    fresh = np.random.default_rng(1).standard_normal((200, 6))
    assert np.median(metrics.nearest_neighbor_distance_ratio(REAL, fresh)) > 0.5
    twice = np.concatenate([REAL, REAL])
    assert_array_equal(metrics.nearest_neighbor_distance_ratio(twice, REAL), 1.0)


@pytest.mark.parametrize(
    "call, match",
    [
        (lambda: metrics.frechet_distance(REAL, OTHER[:, :2]), "X_synthetic must have"),
        (lambda: metrics.frechet_distance(REAL, OTHER[:1]), "minimum of 2"),
        (lambda: metrics.frechet_distance(REAL * np.nan, OTHER), "X_real contains NaN"),
        (lambda: metrics.manifold_scores(REAL, OTHER[:5]), "minimum of 6"),
        (lambda: metrics.manifold_scores(REAL, OTHER, n_neighbors=0), "n_neighbors"),
        (
            lambda: metrics.nearest_neighbor_distance_ratio(REAL[:1], OTHER),
            "X_real must have at least 2",
        ),
        (
            lambda: metrics.by_class(
                metrics.frechet_distance, REAL, np.arange(400) % 2, OTHER, np.zeros(300)
            ),
            r"got none of \[1\]",
        ),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(ValueError, match=match):
        call()
