"""A head and a second moment make a mixture that has both."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax

from skdpgmm._models.placement import _AGREEMENT, placed_means, tied_mixture
from skdpgmm._models.scores import Head


def random_head(k, p, seed):
    rng = np.random.default_rng(seed)
    values = np.sort(rng.exponential(size=p))[::-1]
    vectors = np.linalg.qr(rng.standard_normal((p, p)))[0]
    head = Head(rng.standard_normal((k, p)), 0.1 * rng.standard_normal(k))
    second = (vectors * values) @ vectors.T
    return head, rng.dirichlet(np.full(k, 5.0)), second


def mixture_of_head(head, weights, second, sureness, rng):
    means = placed_means(head, weights, second, sureness, rng)
    return tied_mixture(means, weights, np.arange(len(weights)), second)


@pytest.mark.parametrize("k, p", [(2, 1), (3, 20), (8, 3), (40, 10)])
def test_placement_keeps_the_second_moment(k, p):
    head, weights, second = random_head(k, p, seed=0)
    rng = np.random.default_rng(1)
    mixture = mixture_of_head(head, weights, second, 0.8, rng)
    spread = (mixture.means.T * weights) @ mixture.means
    assert_allclose(mixture.covariances + spread, second, atol=1e-9)
    assert_allclose(weights @ mixture.means, 0.0, atol=1e-9)
    assert np.linalg.eigvalsh(mixture.covariances).min() > 0.0


@pytest.mark.parametrize("sureness", [0.85, 0.9])
def test_the_head_is_as_sure_of_draws_as_asked_for(sureness):
    head, weights, second = random_head(3, 50, seed=0)
    head = head._replace(coef=0.4 * head.coef)
    rng = np.random.default_rng(1)
    mixture = mixture_of_head(head, weights, second, sureness, rng)
    components = rng.choice(3, size=20_000, p=weights)
    root = np.linalg.cholesky(mixture.covariances)
    rows = mixture.means[components] + rng.standard_normal((20_000, 50)) @ root.T
    found = softmax(head.scores(rows), axis=1).max(axis=1).mean()
    assert abs(found - sureness) < 0.02


def test_means_beyond_the_second_moment_are_moved_together():
    weights, second = np.array([0.5, 0.5]), np.diag([1.0, 2.0, 3.0])
    means = np.array([[5.0, 0.1, 0.0], [-5.0, -0.1, 0.0]])
    mixture = tied_mixture(means, weights, np.arange(2), second)
    spread = (mixture.means.T * weights) @ mixture.means
    assert_allclose(mixture.covariances + spread, second, atol=1e-12)
    assert 0.0 < mixture.means[0, 0] < 1.0
    assert np.linalg.eigvalsh(mixture.covariances).min() > 0.0


def test_components_of_a_head_that_is_always_sure_do_not_coincide():
    head, weights, second = random_head(3, 50, seed=0)
    head = head._replace(coef=100.0 * head.coef)
    rng = np.random.default_rng(1)
    mixture = mixture_of_head(head, weights, second, 0.5, rng)
    components = rng.choice(3, size=20_000, p=weights)
    root = np.linalg.cholesky(mixture.covariances)
    rows = mixture.means[components] + rng.standard_normal((20_000, 50)) @ root.T
    agreement = np.mean(head.scores(rows).argmax(axis=1) == components)
    assert abs(agreement - _AGREEMENT) < 0.02
