"""Rows of private records, wherever they are, and exact sums over them.

What a release needs of its records is one method, `Rows.sum`. Here are those that one
process reads: arrays, in memory or mapped, and streams of blocks. What a cluster holds
is summed by `ArrayRows` of every chunk, and the integers are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from skdpgmm._blocks import n_threads, row_slices, sum_blocks
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.queries import Block, BoundedSum
from skdpgmm.privacy.sums import MAX_BLOCK_ROWS

CHANGED_ROWS = (
    "X has other rows than when they were first looked at: they must be the same each "
    "time that they are read."
)


@dataclass(frozen=True, eq=False)
class Summand:
    """Integers of a block of records: those of a query, and the number of records.

    It holds public values only, so that it may be sent to other machines.

    Parameters
    ----------
    query : BoundedSum
        What is summed.
    """

    query: BoundedSum

    def __call__(self, X, codes, held=None):
        if len(X) > MAX_BLOCK_ROWS:
            raise ValueError(f"A block may have {MAX_BLOCK_ROWS} rows, got {len(X)}.")
        X = X.view()
        X.flags.writeable = False
        totals = self.query.exact(Block(X, codes, held))
        return (*totals, np.array(len(X), dtype=np.int64))


class Rows(Protocol):
    """Private rows with the codes of their classes.

    Attributes
    ----------
    n_rows : int
        Number of rows, of which some may not take part.
    n_records : int
        Number of rows that take part: every pass must see each of them once.
    """

    n_rows: int
    n_records: int

    def sum(self, summand: Summand) -> tuple[np.ndarray, ...]:
        """Sum over blocks that hold every row that takes part exactly once.

        Returns int64 arrays of high and low words, of shape (2, ...), as `sum_blocks`.
        """
        ...

    def hold(self, ball: Ball | None) -> None:
        """Keep grid points of this ball, where that saves time; None lets them go."""
        ...


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
    """

    def __init__(
        self, X, codes=None, kept=None, block_size=4096, n_jobs=None, checked=True
    ):
        self.n_rows, self.n_features = X.shape
        self.n_records = self.n_rows if kept is None else int(np.count_nonzero(kept))
        self._X, self._codes, self._kept = X, codes, kept
        self._slices = row_slices(self.n_rows, min(block_size, MAX_BLOCK_ROWS))
        self._n_threads = n_threads(n_jobs)
        self._checked = checked
        self._ball: Ball | None = None
        self._held: dict[int, np.ndarray] = {}

    def sum(self, summand):
        """Sum over the slices."""
        return sum_blocks(
            lambda rows: summand(*self._block(rows, summand.query)),
            self._slices,
            self._n_threads,
        )

    def hold(self, ball, grid=None):
        """Keep the grid points of this ball, if they are given or rows in memory."""
        self._held = {} if grid is None else grid
        self._ball = ball if self._checked or grid is not None else None

    def grid(self, ball):
        """Return the grid points, 4 bytes a number, by the start of their slice."""
        return {
            rows.start: _grid_points(self._take(rows)[0], ball) for rows in self._slices
        }

    def _block(self, rows, query):
        X, codes = self._take(rows)
        if self._ball is None or getattr(query, "ball", None) is not self._ball:
            return X, codes
        if rows.start not in self._held:
            self._held[rows.start] = _grid_points(X, self._ball)
        return X, codes, self._held[rows.start]

    def _take(self, rows):
        X = np.asarray(self._X[rows])
        if not self._checked:
            X = checked_block(X, self.n_features, rows.start)
        return take(X, self._codes, self._kept, rows)


def _grid_points(X, ball):
    # float32 represents every integer up to 2**24, the norm of the longest.
    return ball.to_grid(X).astype(np.float32)


class StreamRows:
    """Rows that come in blocks, from the first to the last, as often as asked for.

    Parameters
    ----------
    blocks : iterable of array-like of shape (rows, d)
        Starts anew each time.
    shape : tuple of int
        Number of rows and of features.
    codes, kept, block_size, n_jobs
        As in `ArrayRows`.
    """

    def __init__(
        self, blocks, shape, codes=None, kept=None, block_size=4096, n_jobs=None
    ):
        self.n_rows, self.n_features = shape
        self.n_records = self.n_rows if kept is None else int(np.count_nonzero(kept))
        self._blocks, self._codes, self._kept = blocks, codes, kept
        self._block_size = min(block_size, MAX_BLOCK_ROWS)
        self._n_threads = n_threads(n_jobs)

    def sum(self, summand):
        """Sum over the blocks, of which a few are in memory at a time."""
        return sum_blocks(
            lambda block: summand(*block), self._pieces(), self._n_threads
        )

    def hold(self, ball):
        """Do nothing: a stream is there because it does not fit into memory."""

    def _pieces(self):
        start = 0
        for given in self._blocks:
            block = checked_block(given, self.n_features, start)
            if start + len(block) > self.n_rows:
                raise ValueError(CHANGED_ROWS)
            for rows in row_slices(len(block), self._block_size):
                here = slice(start + rows.start, start + rows.stop)
                yield take(block[rows], self._codes, self._kept, here)
            start += len(block)


def take(X, codes, kept, rows) -> tuple[Any, Any]:
    """Return rows and codes that take part, of a block that holds the given rows."""
    codes = np.zeros(len(X), np.intp) if codes is None else codes[rows].astype(np.intp)
    if kept is None:
        return X, codes
    return X[kept[rows]], codes[kept[rows]]


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
