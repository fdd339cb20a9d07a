"""Components of classes: between where a head places them and where records lie."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.class_clusters import (
    ClassClusters,
    moved_toward,
    release_class_means,
    release_class_shapes,
    spread_components,
)

D, N = 24, 3000
CENTERS = 3.0 * np.eye(D)[:4]  # of two classes, two clouds each
OF_CLASS = np.array([0, 0, 1, 1])
MEANS = np.array([CENTERS[OF_CLASS == j].mean(axis=0) for j in (0, 1)])
PLACED = 0.2 * MEANS


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    cloud = np.arange(N) % 4
    return CENTERS[cloud] + 0.2 * rng.standard_normal((N, D)), OF_CLASS[cloud]


def spread(rows, k, mu=math.inf):
    X, codes = rows
    view, ledger = view_of(X, codes, radius=5.0, mu=mu)
    second = X.T @ X / N
    found = spread_components(view, PLACED, np.full(2, 0.5), second, k, Budget(mu))
    return *found[:3], ledger


def test_clouds_keep_their_differences_and_classes_move_moved_toward(rows):
    means, weights, classes, _ = spread(rows, 2)
    assert_array_equal(classes, OF_CLASS)
    assert_allclose(weights, np.full(4, 0.25), atol=0.01)
    for j in (0, 1):
        own = means[classes == j]
        assert_allclose(own.mean(axis=0), (PLACED[j] + MEANS[j]) / 2.0, atol=0.05)
        gaps = CENTERS[OF_CLASS == j] - MEANS[j]
        order = np.argsort(own[:, 2 * j])[::-1]
        assert_allclose(own[order] - own.mean(axis=0), gaps, atol=0.05)


def test_a_class_whose_mean_is_noise_stays_where_it_is_placed(rows):
    means, _, classes, ledger = spread(rows, 1, mu=1e-4)
    assert_array_equal(classes, [0, 1])
    assert ledger.spent_mu <= 1e-4
    # Clipped to the ball, what noise leaves of a shift is no longer than its radius.
    assert np.linalg.norm(means - PLACED, axis=1).max() < 5.0
    few, *_ = spread((rows[0][:40], rows[1][:40]), 1, mu=0.05)
    many, *_ = spread(rows, 1, mu=2.0)
    ways = [np.linalg.norm(found - PLACED, axis=1).sum() for found in (few, many)]
    assert ways[0] < 0.5 * ways[1]


def test_what_it_releases(rows):
    assert names_of(spread(rows, 1)[-1]) == ["lloyd pass 0"]
    names = names_of(spread(rows, 2)[-1])
    assert names[-1] == "lloyd pass 0"
    assert all(name.startswith("codebook") for name in names[:-1])


def gaps_of(rows, mu):
    X, codes = rows
    view, ledger = view_of(X, codes, radius=5.0, mu=mu)
    counts, square = np.full(2, N / 2.0), np.sum(X**2) / N
    return release_class_means(view, 5.0, counts, square, Budget(mu)), ledger


@pytest.mark.parametrize("mu", [math.inf, 0.5])
def test_means_of_classes_differ_as_records_do(rows, mu):
    gaps, ledger = gaps_of(rows, mu)
    assert names_of(ledger) == ["class means"]
    assert_allclose(gaps, MEANS - MEANS.mean(axis=0), atol=0.1)
    placed = np.ones((2, D))
    moved = moved_toward(placed, gaps) - placed
    across = moved - (moved @ gaps[0])[:, None] * gaps[0] / (gaps[0] @ gaps[0])
    assert_allclose(across, 0.0, atol=1e-9)
    assert_allclose(moved_toward(0.0 * placed, gaps), gaps / 3.0)


def test_means_of_classes_that_are_noise_tell_nothing(rows):
    gaps, ledger = gaps_of(rows, 1e-3)
    assert ledger.spent_mu <= 1e-3
    assert not gaps.any()
    assert_array_equal(moved_toward(PLACED, gaps), PLACED)


SPREADS = np.array([[1.0, 0.2, 0.5], [0.3, 0.9, 0.5]])
CENTERS_OF_CLASSES = 4.0 * np.eye(D)[3:7]


def shapes_of(mu, width=3):
    """Of two classes of two clouds each, that are wide in different directions."""
    rng = np.random.default_rng(1)
    cloud = np.arange(N) % 4
    codes = OF_CLASS[cloud]
    rows = 0.02 * rng.standard_normal((N, D))
    rows[:, :3] += SPREADS[codes] * rng.standard_normal((N, 3))
    view, ledger = view_of(
        rows + 0.1 * CENTERS_OF_CLASSES[cloud], codes, radius=8.0, mu=mu
    )
    second = np.diag(np.append(np.square(SPREADS).mean(axis=0), np.full(D - 3, 0.01)))
    centers = 0.1 * CENTERS_OF_CLASSES
    clusters = ClassClusters(centers, np.full(4, 0.25), OF_CLASS, centers)
    counts, left = np.full(2, N / 2.0), second - 0.005 * np.eye(D)
    shapes = release_class_shapes(
        view, clusters, counts, second, left, width, Budget(mu)
    )
    return shapes, left, ledger


def test_shapes_are_those_of_the_records():
    shapes, shared, ledger = shapes_of(math.inf)
    assert shapes.basis.shape == (D, 3) and shapes.factors.shape == (2, 3, 3)
    for code in (0, 1):
        found = shapes.covariance(shared, code)
        # What is longer than the clip radius is cut.
        assert_allclose(np.diag(found)[:3], SPREADS[code] ** 2, rtol=0.4, atol=0.03)
    assert names_of(ledger) == ["shapes"]


def test_shapes_that_noise_hides_are_what_is_shared():
    shapes, shared, ledger = shapes_of(1e-3)
    assert ledger.spent_mu <= 1e-3
    for code in (0, 1):
        gaps = shapes.covariance(shared, code) - shared
        assert np.abs(gaps).max() < 0.5 * np.abs(shared).max()
