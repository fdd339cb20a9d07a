"""Moments of vectors, and sums of weights times these: exact, as all are integers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array


class Moment(NamedTuple):
    """What of a vector is summed: its degree, its axes, and whether over all cells."""

    degree: int
    n_axes: int
    pooled: bool = False


MOMENTS = {
    "count": Moment(0, 0),
    "sum": Moment(1, 1),
    "energy": Moment(2, 0),
    "diag": Moment(2, 1),
    "full": Moment(2, 2),
    "tied": Moment(2, 2, pooled=True),
}


def products(moments, k, e, v, squares, on):
    """Return the sum of weights times each moment, over rows.

    `e` has the cell of each row, -1 for none, or weights for each of `k` cells; `v`
    has vectors and `squares` their squared norms; or `v` gives both, for a cell and
    rows. Arrays are where `on` says.
    """
    weights = (_Cells if e.ndim == 1 else _Dense)(e, k, on)
    if callable(v):
        return _by_cell(moments, weights, v, k, on)
    of = {
        "count": weights.count,
        "sum": lambda: weights.times(v),
        "energy": lambda: weights.times(squares),
        "diag": lambda: weights.times(v * v),
        "full": lambda: _by_cell(("full",), weights, taken, k, on)[0],
        "tied": lambda: weights.scatter(v),
    }

    def taken(j, rows):
        return on.xp.take(v, rows, axis=0), None

    return [of[name]() for name in moments]


def _by_cell(moments, weights, vectors, k, on):
    """Return the sums of moments of the vectors that rows have for each cell."""
    sums: list[list] = [[] for _ in moments]
    for j in range(k):
        rows, w = weights.of(j)
        z, squares = vectors(j, rows)
        for found, name in zip(sums, moments, strict=True):
            found.append(_OF_ONE_CELL[name](w, z, squares, on))
    return [
        sum(found[1:], found[0]) if MOMENTS[name].pooled else on.xp.stack(found)
        for found, name in zip(sums, moments, strict=True)
    ]


def _scatter(w, z, squares, on):
    # BLAS does half the work for a matrix times its own transpose.
    return z.T @ (z if w is None else w[:, None] * z)


_OF_ONE_CELL = {
    "count": lambda w, z, squares, on: on.xp.sum(w),
    "sum": lambda w, z, squares, on: w @ z,
    "energy": lambda w, z, squares, on: w @ squares,
    "diag": lambda w, z, squares, on: w @ (z * z),
    "full": _scatter,
    "tied": _scatter,
}


class _Cells:
    """Weights of which one of each row is 1, or none."""

    def __init__(self, cell, k, on):
        self._cell, self._k, self._on = cell, k, on

    def of(self, j):
        """Return the rows of a cell, whose weights are 1."""
        return self._on.xp.nonzero(self._cell == j)[0], None

    def count(self):
        """Return the number of rows in each cell."""
        if self._on.xp is np:
            return np.bincount(self._cell + 1, minlength=self._k + 1)[1:]
        return self._on.xp.sum(self._onehot(), axis=1)

    def times(self, A):
        """Return the sum of the rows of `A` in each cell."""
        n, k = len(self._cell), self._k
        if self._on.xp is np and A.ndim == 1:
            return np.bincount(self._cell + 1, A, minlength=k + 1)[1:]
        if self._on.xp is np and k > 64:  # sparse ones are faster
            one = (self._cell >= 0).astype(np.float64)
            starts, cell = np.arange(n + 1), np.maximum(self._cell, 0)
            return csr_array((one, cell, starts), shape=(n, k)).T @ A
        return self._onehot() @ A

    def scatter(self, V):
        """Return the second moment of the rows that are in a cell."""
        if not self._on.all(self._cell >= 0):
            V = self._on.floats(self._cell >= 0)[:, None] * V
        return V.T @ V

    def _onehot(self):
        cells = self._on.put(np.arange(self._k))
        return self._on.floats(cells[:, None] == self._cell[None, :])


class _Dense:
    """Weights of every row and cell."""

    def __init__(self, e, k, on):
        self._e, self._on = e, on

    def of(self, j):
        """Return the rows that have a weight for a cell, and these."""
        rows = self._on.xp.nonzero(self._e[:, j])[0]
        return rows, self._on.xp.take(self._e[:, j], rows)

    def count(self):
        """Return the sum of the weights of each cell."""
        return self._on.xp.sum(self._e, axis=0)

    def times(self, A):
        """Return the sum of the rows of `A` by their weights, for each cell."""
        return (A.T @ self._e).T

    def scatter(self, V):
        """Return the second moment of the rows by their weights of all cells."""
        return V.T @ (self._on.xp.sum(self._e, axis=1)[:, None] * V)
