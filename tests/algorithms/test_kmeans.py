"""Private k-means without noise, and what its releases are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.kmeans import private_kmeans, random_basis

CORNERS = 10.0 * np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
FREE = Budget(np.inf)


def rows_about(centers, each=200, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(centers)), each)
    return np.asarray(centers)[codes] + rng.standard_normal((len(codes), 2)), codes


def test_one_cluster_of_each_class_is_its_mean():
    X, codes = rows_about(CORNERS)
    view, ledger = view_of(X, codes)
    found = private_kmeans(view, 1, 4, FREE, 1)
    means = [X[codes == code].mean(axis=0) for code in range(4)]
    assert_allclose(found.centers, means, atol=1e-3)
    assert_array_equal(found.counts.value, [200] * 4)
    assert_array_equal(found.classes, np.arange(4))
    assert names_of(ledger) == ["lloyd pass 0"]


def test_clusters_that_are_apart_are_found():
    X, codes = rows_about(CORNERS)
    view, ledger = view_of(X)
    found = private_kmeans(view, 4, 1, FREE, 3)
    order = np.lexsort(found.centers.round().T[::-1])
    means = [X[codes == code].mean(axis=0) for code in (3, 2, 1, 0)]
    assert_allclose(found.centers[order], means, atol=1e-3)
    assert names_of(ledger)[-3:] == [f"lloyd pass {i}" for i in range(3)]


def test_clusters_belong_to_their_class():
    # The same place, but for the class: nobody's records are those of others.
    X, codes = rows_about(CORNERS)
    view, _ = view_of(X, codes % 2)
    found = private_kmeans(view, 2, 2, FREE, 3)
    assert_array_equal(found.classes, [0, 0, 1, 1])
    for center, code in zip(found.centers, found.classes, strict=True):
        own = CORNERS[code::2]
        assert np.linalg.norm(own - center, axis=1).min() < 0.5


@pytest.mark.parametrize("n_clusters, n_passes", [(1, 1), (3, 2)])
def test_the_budget_that_was_given_is_spent_and_no_more(n_clusters, n_passes):
    X, _ = rows_about(CORNERS)
    view, ledger = view_of(X, mu=2.0)
    private_kmeans(view, n_clusters, 1, Budget(1.5), n_passes)
    assert 1.5 * (1.0 - 1e-9) < ledger.spent_mu <= 1.5


def test_a_random_basis_is_orthonormal_and_public():
    basis = random_basis(40, 16, np.random.default_rng(1))
    assert_allclose(basis.T @ basis, np.eye(16), atol=1e-12)
    assert_array_equal(basis, random_basis(40, 16, np.random.default_rng(1)))
