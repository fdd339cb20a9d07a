"""Sums of weights times moments: against the definition, in integers."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skdpgmm.privacy.grid import HOST
from skdpgmm.privacy.moments import MOMENTS, products

NAMES = tuple(MOMENTS)


def moment(name, v):
    return {
        "count": lambda: 1,
        "sum": lambda: v,
        "energy": lambda: v @ v,
        "diag": lambda: v * v,
        "full": lambda: np.outer(v, v),
        "tied": lambda: np.outer(v, v),
    }[name]()


def expected(name, e, v):
    """Sum over records and cells, one after another; `v` has vectors of each cell."""
    n, k = e.shape
    cells = [sum(e[i, j] * moment(name, v[j][i]) for i in range(n)) for j in range(k)]
    return sum(cells) if MOMENTS[name].pooled else np.stack(cells)


def data(n, k, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng, rng.integers(-9, 10, (n, d)).astype(float)


@pytest.mark.parametrize("k", [1, 3, 70])  # beyond 64 cells, sparse
@pytest.mark.parametrize("outside", [False, True])
def test_records_are_summed_in_their_cells(k, outside):
    rng, v = data(40, k, 3)
    cell = rng.integers(-1 if outside else 0, k, 40)
    e = (cell[:, None] == np.arange(k)).astype(float)
    found = products(NAMES, k, cell, v, np.sum(v * v, axis=1), HOST)
    for name, total in zip(NAMES, found, strict=True):
        assert_array_equal(total, expected(name, e, [v] * k))


def test_records_are_summed_by_their_weights():
    rng, v = data(30, 4, 3)
    e = rng.integers(-5, 6, (30, 4)).astype(float)
    found = products(NAMES, 4, e, v, np.sum(v * v, axis=1), HOST)
    for name, total in zip(NAMES, found, strict=True):
        assert_array_equal(total, expected(name, e, [v] * 4))


def test_every_cell_may_have_vectors_of_its_own():
    rng, _ = data(1, 1, 1)
    e = rng.integers(0, 3, (30, 4)).astype(float)
    v = rng.integers(-9, 10, (4, 30, 3)).astype(float)

    def vectors(j, rows):
        return v[j][rows], np.sum(v[j][rows] ** 2, axis=1)

    found = products(NAMES, 4, e, vectors, None, HOST)
    for name, total in zip(NAMES, found, strict=True):
        assert_array_equal(total, expected(name, e, v))


def test_degrees_are_those_of_the_lemma():
    """``|m(c v)| = c**degree |m(v)|``, and never above ``|v|**degree``."""
    v = np.array([3.0, -4.0, 12.0])
    for name, (degree, n_axes, _) in MOMENTS.items():
        once, twice = (np.asarray(moment(name, c * v)) for c in (1.0, 2.0))
        assert_array_equal(twice, 2.0**degree * once)
        assert once.ndim == n_axes
        assert np.linalg.norm(np.ravel(once)) <= np.linalg.norm(v) ** degree + 1e-9
