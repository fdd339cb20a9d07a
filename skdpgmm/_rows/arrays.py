"""Rows of anything that gives an array for a slice: in memory, mapped, in a file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import numpy as np

from skdpgmm._rows.blocks import n_threads, one_blas_thread, sum_blocks
from skdpgmm._rows.digest import digest
from skdpgmm._rows.host import HOST, grid_points
from skdpgmm.privacy.bounded_sum import MAX_BLOCK_ROWS, Block, summed
from skdpgmm.privacy.grid import Ball, row_slices


class ArrayRows:
    """Rows of anything that gives an array for a slice.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Such as an array, a memory map, or an array in a file.
    codes : ndarray of int of shape (n,), optional
        Class of each record as an index into the public set of classes.
    kept : ndarray of bool of shape (n,), optional
        Records that take part; a function of each unit's own records only.
    block_size : int
        Rows summed at a time; never changes a result.
    n_jobs : int or None
        Threads, as in `n_threads`; never changes a result.
    checked : bool
        Whether `X` is known to hold finite float32 or float64 numbers, and is in
        memory. If not, every block is checked each time it is read.
    digest : int
        Of rows that are read anew each time, as they were first looked at.
    first : int
        Place of the first row.
    """

    def __init__(
        self,
        X,
        codes=None,
        kept=None,
        block_size=4096,
        n_jobs=None,
        checked=True,
        digest=0,
        first=0,
    ):
        self.digest = digest
        self._first = first
        self.n_rows, self.n_features = X.shape
        self.n_records = self.n_rows if kept is None else int(np.count_nonzero(kept))
        self._X, self._codes, self._kept = X, codes, kept
        self._slices = row_slices(self.n_rows, min(block_size, MAX_BLOCK_ROWS))
        self._n_threads = n_threads(n_jobs)
        self._checked = checked
        self._held: dict[Ball, dict[int, tuple[np.ndarray, int]]] = {}

    def sum(self, query):
        """Sum over the slices."""
        return sum_blocks(
            lambda rows: summed(query, *self._block(rows, query)),
            self._slices,
            self._n_threads,
        )

    @contextmanager
    def holding(self, ball):
        """Keep the grid points of this ball, of rows in memory."""
        new = self._checked and ball not in self._held
        if new:
            self.hold(ball, {})
        try:
            with one_blas_thread():
                yield
        finally:
            if new:
                del self._held[ball]

    def hold(self, ball, grid):
        """Take grid points of this ball, by the start of a slice, for its own."""
        self._held[ball] = grid

    def grid(self, ball):
        """Return grid points and digest, by the start of a slice."""
        return {rows.start: self._to_grid(rows, ball) for rows in self._slices}

    def _to_grid(self, rows, ball):
        if ball.outer in self._held:
            points, seen = self._points(rows, ball.outer)
            return grid_points(points, ball.from_outer, ball), seen
        X, _, seen = self._take(rows)
        return grid_points(X, ball.to_grid, ball), seen

    def _points(self, rows, ball):
        held = self._held[ball]
        if rows.start not in held:
            held[rows.start] = self._to_grid(rows, ball)
        return held[rows.start]

    def _block(self, rows, query):
        """Return a block of a slice, and its digest."""
        first = self._first + rows.start == 0
        if query.ball not in self._held:
            X, codes, seen = self._take(rows)
            return Block(X, codes, None, HOST, first), seen
        codes = codes_of(self._codes, self._kept, rows)
        held, seen = self._points(rows, query.ball)
        return Block(None, codes, held, HOST, first), seen

    def _take(self, rows):
        X, seen = np.asarray(self._X[rows]), 0
        if not self._checked:
            X = checked_block(X, self.n_features, rows.start)
            seen = digest(X, self._first + rows.start)
        return *those_kept(X, self._codes, self._kept, rows), seen


def those_kept(X, codes, kept, rows) -> tuple[Any, Any]:
    """Return rows and codes that take part, of a block that holds the given rows."""
    return X if kept is None else X[kept[rows]], codes_of(codes, kept, rows)


def codes_of(codes, kept, rows):
    """Return the codes of the rows that take part, zeros where there are none."""
    n = rows.stop - rows.start
    codes = np.zeros(n, np.intp) if codes is None else codes[rows].astype(np.intp)
    return codes if kept is None else codes[kept[rows]]


def checked_block(block, n_features, start):
    """Return a block as finite float32 or float64, or say what is wrong with it.

    Parameters
    ----------
    block : array-like
        Rows.
    n_features : int or None
        Width that it must have, if known.
    start : int
        Number of its first row, for the message.

    Returns
    -------
    X : ndarray of shape (rows, n_features)
    """
    X = np.asarray(block)
    where = f"the block of X that starts at row {start}"
    if X.ndim != 2:
        raise ValueError(
            f"X must come in blocks of 2 dimensions; {where} has {X.ndim}."
        )
    if X.shape[0] == 0:
        raise ValueError(f"X must not have empty blocks; {where} has no rows.")
    if X.shape[1] == 0 or n_features not in (None, X.shape[1]):
        raise ValueError(
            f"X must have {n_features or 'at least 1'} features throughout; {where} "
            f"has {X.shape[1]}."
        )
    if X.dtype.kind not in "fiub":
        raise ValueError(f"X must be of real numbers; {where} is of {X.dtype}.")
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float32 if X.dtype == np.float16 else np.float64)
    finite = np.isfinite(X)
    if not finite.all():
        row = start + int(np.argmin(finite.all(axis=1)))
        raise ValueError(f"Input X contains NaN or infinity, first in row {row}.")
    return X
