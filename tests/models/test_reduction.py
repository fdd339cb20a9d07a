"""Many Gaussians to few, without records."""

import numpy as np
import pytest
from private_fits import COVARIANCE_TYPES

from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.reduction import reduce_mixture, rough_reductions, runnalls

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
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
