"""Exact sums beside their definition, one record and one cell after another."""

import numpy as np
import pytest
from any_query import Anything, P
from numpy.testing import assert_array_equal

from skdpgmm._rows.host import BufferedHost
from skdpgmm.privacy.bounded_sum import CELL, MOMENTS, Block, Weights, exact
from skdpgmm.privacy.grid import HOST, Host
from skdpgmm.privacy.products import products

ALL = tuple(MOMENTS)


def moment(name, v):
    return {
        "count": lambda: 1,
        "sum": lambda: v,
        "energy": lambda: v @ v,
        "diag": lambda: v * v,
        "full": lambda: np.outer(v, v),
        "tied": lambda: np.outer(v, v),
    }[name]()


def defined(name, e, v):
    """Sum over records and cells, one after another; `v` has vectors of each cell."""
    n, k = e.shape
    cells = [sum(e[i, j] * moment(name, v[j][i]) for i in range(n)) for j in range(k)]
    return sum(cells) if MOMENTS[name].pooled else np.stack(cells)


def assert_defined(e, v, each, weights, k, on):
    """All moments at once, and each alone, as ways to sum depend on the others."""
    n, each = len(each), np.asarray(each, dtype=float)
    of_cells = v if v.ndim == 3 else [v] * k
    for moments in (ALL, *((name,) for name in ALL)):
        query = Anything(e, v, weights, moments, n_cells=k, n_features=3)
        found = exact(query, Block(np.zeros((n, P)), np.zeros(n, int), on=on))
        for name, total in zip(moments, found, strict=True):
            assert_array_equal(total, defined(name, each, of_cells))


@pytest.mark.parametrize("on", [Host(), BufferedHost()])
@pytest.mark.parametrize("k", [1, 3, 70])
@pytest.mark.parametrize("outside", [False, True])
def test_records_are_summed_in_their_cells(k, outside, on):
    rng = np.random.default_rng(0)
    v = rng.integers(-9, 10, (40, 3)).astype(float)
    cell = rng.integers(0, k, 40)
    cell[:: 3 if outside else 40] = -1 if outside else 0
    assert_defined(cell, v, cell[:, None] == np.arange(k), CELL, k, on)


@pytest.mark.parametrize("on", [Host(), BufferedHost()])
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("shape", [(30, 3), (4, 30, 3)])  # or vectors of each cell
def test_records_are_summed_by_their_weights(shape, norm, on):
    rng = np.random.default_rng(0)
    e = rng.integers(0 if norm == "l1" else -5, 6, (30, 4)).astype(float)
    v = rng.integers(-9, 10, shape).astype(float)
    assert_defined(e, v, e, Weights(norm, 5), 4, on)


@pytest.mark.parametrize("weight", [1.0, 2.0, 3.0])
def test_weights_may_all_be_the_same(weight):
    v = np.random.default_rng(0).integers(-9, 10, (30, 3)).astype(float)
    e = np.full((30, 4), weight)
    assert_defined(e, v, e, Weights("l1", 5), 4, HOST)


def test_degrees_are_those_of_the_lemma():
    """``|m(c v)| = c**degree |m(v)|``, and never above ``|v|**degree``."""
    v = np.array([3.0, -4.0, 12.0])
    for name, (degree, n_axes, _) in MOMENTS.items():
        once, twice = (np.asarray(moment(name, c * v)) for c in (1.0, 2.0))
        assert_array_equal(twice, 2.0**degree * once)
        assert once.ndim == n_axes
        assert np.linalg.norm(np.ravel(once)) <= np.linalg.norm(v) ** degree + 1e-9


@pytest.mark.parametrize(
    "kind", ["usual", "alike", "at the bound", "zero", "one by one"]
)
def test_sums_in_float32_are_exact(kind):
    """Of many records, whose partial sums are far beyond what float32 holds."""
    rng = np.random.default_rng(0)
    n, p, k = 3000, 5, 3
    G = {
        "usual": lambda: rng.integers(-1500, 1500, (n, p)),
        "alike": lambda: np.full((n, p), 1831),
        "at the bound": lambda: np.repeat([[0, 4096, 0, 0, 0]], n, axis=0),
        "zero": lambda: np.zeros((n, p), int),
        "one by one": lambda: np.repeat([[0, 4096, 0, 0, 0]], n, axis=0),
    }[kind]()
    e = rng.integers(-2000, 2000, (n, k))
    if kind == "one by one":
        e[:] = 4096
    found = products(("sum", "count"), k, e.astype(float), G.astype(np.float32), HOST)
    assert [total.dtype for total in found] == [np.float64] * 2
    assert_array_equal(found[0], e.T @ G)
    assert_array_equal(found[1], e.sum(axis=0))
    # Without the bound they would not be, but for multiples of a power of two.
    if kind in ("usual", "alike"):
        assert np.any(e.T.astype(np.float32) @ G.astype(np.float32) != e.T @ G)
