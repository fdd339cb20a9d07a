"""Products of rows: as exact as need be, and each row by itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skdpgmm._models.row_products import row_products

SHAPES = [(300, 1, 1), (300, 3, 2), (301, 64, 17), (97, 1281, 50)]


def rows_of_all_sizes(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * 10.0 ** rng.uniform(-9, 9, (n, 1))
    X[::7, : d // 2] = 0.0
    X[5:6] = 0.0
    return X


@pytest.mark.parametrize("n, d, k", SHAPES)
def test_products_are_those_of_matrices(n, d, k):
    X, C = rows_of_all_sizes(n, d), rows_of_all_sizes(k, d, 1)
    exact = X.astype(np.longdouble) @ C.astype(np.longdouble).T
    lengths = np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(C, axis=1)
    assert np.all(np.abs(row_products(X, C) - exact) <= 2.0**-38 * lengths)


@pytest.mark.parametrize("n, d, k", SHAPES)
def test_a_row_has_its_bits_whatever_is_beside_it(n, d, k):
    X, C = rows_of_all_sizes(n, d), rows_of_all_sizes(k, d, 1)
    expected = row_products(X, C)
    for i in range(0, n, 3):
        assert_array_equal(row_products(X[i : i + 1], C)[0], expected[i])
    order = np.random.default_rng(2).permutation(n)[: n // 2]
    assert_array_equal(row_products(np.asfortranarray(X[order]), C), expected[order])
    assert_array_equal(row_products(X[1:], C), expected[1:])


def test_other_products_do_not():
    """Otherwise the test before says nothing."""
    X, C = rows_of_all_sizes(301, 64), rows_of_all_sizes(17, 64, 1)
    alone = np.concatenate([row[None] @ C.T for row in X])
    assert np.any(alone != X @ C.T)


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-160, 1e150, 1.7e308])
def test_sizes_at_the_ends_of_float64(size):
    X, C = np.array([[size, -size, 0.0]]), np.array([[1.0, 0.5, 3.0], [0.0, 0.0, 1.0]])
    expected = [[size - 0.5 * size, 0.0]]
    assert_allclose(row_products(X, C), expected, rtol=2.0**-38, atol=5e-324)
