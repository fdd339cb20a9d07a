"""Many Gaussians to few, without records."""

import numpy as np
import pytest
from private_fits import COVARIANCE_TYPES

from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.reduction import (
    Gaussians,
    em,
    points_of,
    reduce_mixture,
    rough_reductions,
    runnalls,
    split_largest,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("offset", [0.0, -1e6, 1e12])
def test_a_reduction_far_from_the_origin(kind, offset):
    """Components of width 1e-3 whose squares would cancel."""
    m, d = 40, 2
    weights = RNG.dirichlet(np.ones(m))
    means = RNG.standard_normal((m, d)) + offset
    covariances = np.tile(1e-6 * np.eye(d), (m, 1, 1))
    mixture = reduce_mixture(
        weights, means, covariances, 20, COVARIANCES[kind], 1, np.random.default_rng(1)
    )
    assert np.isfinite(mixture.whiteners()).all()
    assert np.abs(mixture.means - offset).max() < 10.0


def test_greedy_merges_are_those_of_all_pairs():
    """Found again without a table of costs."""
    m, d, k = 9, 3, 4
    weights, means = RNG.dirichlet(np.ones(m)), 3.0 * RNG.standard_normal((m, d))
    roots = RNG.standard_normal((m, d, d + 1))
    parts = list(zip(weights, means, roots @ roots.transpose(0, 2, 1), strict=True))

    def merge(a, b):
        total = a[0] + b[0]
        mean = (a[0] * a[1] + b[0] * b[1]) / total
        second = sum(w * (S + np.outer(m - mean, m - mean)) for w, m, S in (a, b))
        return total, mean, second / total

    def size(part):
        return 0.5 * part[0] * np.linalg.slogdet(part[2])[1]

    expected = list(parts)
    while len(expected) > k:
        pairs = [(i, j) for i in range(len(expected)) for j in range(i)]
        i, j = min(
            pairs,
            key=lambda p: (
                size(merge(expected[p[0]], expected[p[1]]))
                - size(expected[p[0]])
                - size(expected[p[1]])
            ),
        )
        merged = merge(expected[i], expected[j])
        expected = [p for t, p in enumerate(expected) if t not in (i, j)] + [merged]
    found = zip(*runnalls(*map(np.array, zip(*parts, strict=True)), k), strict=True)
    by_weight = [sorted(x, key=lambda part: part[0]) for x in (found, expected)]
    for a, b in zip(*by_weight, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


def test_rough_reductions_are_quick_and_end_with_their_context():
    rng = np.random.default_rng(0)
    means, shapes = rng.standard_normal((6, 4)), np.broadcast_to(np.eye(4), (6, 4, 4))

    def reduced():
        return reduce_mixture(
            np.ones(6),
            means,
            shapes,
            2,
            COVARIANCES["full"],
            1,
            np.random.default_rng(1),
        )

    before = reduced()
    with rough_reductions():
        rough = reduced()
    assert rough.covariances.shape == before.covariances.shape
    assert not np.array_equal(rough.means, before.means)
    assert np.array_equal(reduced().means, before.means)


def test_last_bits_do_not_order_the_components():
    """Of starts that lead to the same mixture, the first is taken."""
    rng = np.random.default_rng(0)
    means = 9.0 * rng.standard_normal((6, 3))
    shapes = np.broadcast_to(np.eye(3), (6, 3, 3))
    found = [
        reduce_mixture(
            np.ones(6),
            means * (1.0 + by),
            shapes,
            6,
            COVARIANCES["full"],
            1,
            np.random.default_rng(1),
        ).means
        for by in (0.0, *(2.0**-52 * np.arange(1, 4)))
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-9)


def gaussians(m, d):
    roots = RNG.standard_normal((m, d, d + 1))
    means = RNG.standard_normal((m, d))
    return Gaussians(RNG.dirichlet(np.ones(m)), means, roots @ roots.transpose(0, 2, 1))


def moments(some):
    """Mean and covariance of a mixture."""
    weights, means, covariances = some
    mean = weights @ means
    gaps = means - mean
    return mean, np.tensordot(weights, covariances, 1) + (gaps.T * weights) @ gaps


def test_points_have_the_moments_of_the_gaussians_they_stand_for():
    many = gaussians(3, 4)
    points = points_of(many, 4, np.random.default_rng(0))
    for one, mean, covariance in zip(points, many.means, many.covariances, strict=True):
        np.testing.assert_allclose(one.mean(axis=0), mean, atol=1e-12)
        np.testing.assert_allclose(np.cov(one.T, bias=True), covariance, rtol=1e-9)


def test_halves_have_the_moments_of_the_whole():
    few = gaussians(2, 3)
    many = split_largest(*few, 7)
    assert len(many[0]) == 7
    for found, expected in zip(moments(many), moments(few), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_a_reduction_keeps_the_mean_and_finds_what_was_cut(kind):
    """Pieces of three components lead back to these."""
    means = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    pieces = split_largest(np.full(3, 1 / 3), means, np.tile(np.eye(2), (3, 1, 1)), 12)
    found = reduce_mixture(*pieces, 3, COVARIANCES[kind], 1, np.random.default_rng(0))
    order = np.argsort(found.means @ [1.0, 2.0])
    np.testing.assert_allclose(found.means[order], means, atol=1e-6)
    np.testing.assert_allclose(found.weights, np.full(3, 1 / 3), atol=1e-6)
    shapes = found.full_covariances()
    np.testing.assert_allclose(shapes, np.tile(np.eye(2), (3, 1, 1)), atol=0.01)


def test_the_likeliest_of_all_starts_stays(monkeypatch):
    tried = []

    def watched(*args):
        tried.append(em(*args))
        return tried[-1]

    monkeypatch.setattr("skdpgmm._models.reduction.em", watched)
    rng = np.random.default_rng(0)
    means, roots = rng.standard_normal((12, 2)), rng.standard_normal((12, 2, 3))
    many = rng.dirichlet(np.ones(12)), means, roots @ roots.transpose(0, 2, 1)
    found = reduce_mixture(*many, 3, COVARIANCES["full"], 8, rng)
    bounds = [bound for _, bound in tried]
    assert len(bounds) == 8 and np.ptp(bounds) > 1e-3
    likeliest, _ = tried[int(np.argmax(bounds))]
    weights = np.sort(found.weights), np.sort(likeliest.weights)
    np.testing.assert_allclose(*weights, atol=1e-6)
