"""A head and a second moment make a mixture that has both."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm._models.placement import _AGREEMENT, mixture_of_head
from skdpgmm._models.scores import Head


def random_head(k, p, seed):
    rng = np.random.default_rng(seed)
    values = np.sort(rng.exponential(size=p))[::-1]
    vectors = np.linalg.qr(rng.standard_normal((p, p)))[0]
    head = Head(rng.standard_normal((k, p)), 0.1 * rng.standard_normal(k))
    second = (vectors * values) @ vectors.T
    return head, rng.dirichlet(np.full(k, 5.0)), second


@pytest.mark.parametrize("k, p", [(2, 1), (3, 20), (8, 3), (40, 10)])
def test_placement_keeps_the_second_moment(k, p):
    head, weights, second = random_head(k, p, seed=0)
    rng = np.random.default_rng(1)
    mixture = mixture_of_head(head, weights, second, rng)
    spread = (mixture.means.T * weights) @ mixture.means
    assert_allclose(mixture.covariances + spread, second, atol=1e-9)
    assert_allclose(weights @ mixture.means, 0.0, atol=1e-9)
    assert np.linalg.eigvalsh(mixture.covariances).min() > 0.0


def test_placement_reaches_the_agreement_where_it_can():
    head, weights, second = random_head(3, 50, seed=0)
    rng = np.random.default_rng(1)
    mixture = mixture_of_head(head, weights, second, rng)
    components = rng.choice(3, size=20_000, p=weights)
    root = np.linalg.cholesky(mixture.covariances)
    rows = mixture.means[components] + rng.standard_normal((20_000, 50)) @ root.T
    labels = head.scores(rows).argmax(axis=1)
    assert abs(np.mean(labels == components) - _AGREEMENT) < 0.02
