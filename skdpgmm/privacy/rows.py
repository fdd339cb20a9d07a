"""Rows of private records, wherever they are, and exact sums over them.

What a release needs of its records is one method, `Rows.sum`. Here are those that one
process reads: arrays, in memory or mapped, and streams of blocks. What a cluster holds
is summed by `ArrayRows` of every chunk, and the integers are added.

Rows that are read anew for each pass may have changed, as those of a shuffled loader
do: persons and labels would belong to other rows. So each pass sums a digest of its
rows and their places too, which `records` compares with that of the first look.
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
    "X has other rows than when they were first looked at, or the same in another "
    "order (is it shuffled?): they must be the same each time that they are read."
)
NO_ROWS = (
    "X gave no rows this time: it must start anew each time that it is read, as a list "
    "does and a generator does not."
)
# Odd numbers without a pattern in their bits, those of splitmix64.
_ODD = np.array(
    [0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64
)

# Numbers of a row that its digest looks at closely.
_N_LOOKED_AT = 8


def digest(X, start: int) -> int:
    """Return the sum of a hash of each row and its place.

    It finds rows in another order, and other rows, by all of their numbers: rows of
    pixels or of counts may be zero at most places. As it is a sum, it does not matter
    how rows are cut into blocks.

    Parameters
    ----------
    X : ndarray of float32 or float64 of shape (n, d)
        Rows.
    start : int
        Place of the first.

    Returns
    -------
    digest : int
        32 bits for each row, summed.
    """
    d = X.shape[1]
    columns = np.unique(np.linspace(0, d - 1, min(d, _N_LOOKED_AT)).astype(int))
    numbers = np.ascontiguousarray(X[:, columns], dtype=np.float64)
    words = _mix(numbers.view(np.uint64))
    hashes = np.arange(start, start + len(X), dtype=np.uint64) * _ODD[0]
    hashes += words @ _mix(np.arange(1, len(columns) + 1, dtype=np.uint64))
    if d > _N_LOOKED_AT:
        hashes += _products(X)
    return int((_mix(hashes) >> np.uint64(32)).sum())


def _products(X):
    """Return a hash of all numbers of each row; of round ones, it has some bits only.

    To mix each number would take longer than to sum them.
    """
    whole = X.shape[1] * X.dtype.itemsize % 8 == 0
    words: Any = np.ascontiguousarray(X).view(np.uint64 if whole else np.uint32)
    factors: Any = _mix(np.arange(1, words.shape[1] + 1, dtype=np.uint64))
    factors = (factors | np.uint64(1)).astype(words.dtype)  # odd: no change is lost
    # Integers wrap. `words @ factors` would be slower.
    return np.einsum("ij,j->i", words, factors).astype(np.uint64)


def _mix(words):
    """Spread every bit over all of its word, in place; no two words become one."""
    for shift, odd in ((30, _ODD[1]), (27, _ODD[2])):
        words ^= words >> np.uint64(shift)
        words *= odd
    words ^= words >> np.uint64(31)
    return words


@dataclass(frozen=True, eq=False)
class Summand:
    """Integers of a block: those of a query, the number of records, and a digest.

    It holds public values only, so that it may be sent to other machines.

    Parameters
    ----------
    query : BoundedSum
        What is summed.
    """

    query: BoundedSum

    def __call__(self, X, codes, held=None, digest=0):
        if len(X) > MAX_BLOCK_ROWS:
            raise ValueError(f"A block may have {MAX_BLOCK_ROWS} rows, got {len(X)}.")
        X = X.view()
        X.flags.writeable = False
        totals = self.query.exact(Block(X, codes, held))
        return (*totals, *map(_count, (len(X), digest)))


def _count(number):
    return np.array(number, dtype=np.int64)


class Rows(Protocol):
    """Private rows with the codes of their classes.

    Attributes
    ----------
    n_rows : int
        Number of rows, of which some may not take part.
    n_records : int
        Number of rows that take part: every pass must see each of them once.
    digest : int
        Sum of the digests of all blocks, as they were first looked at; 0 for rows that
        this process alone holds in memory.
    """

    n_rows: int
    n_records: int
    digest: int

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
        self._ball: Ball | None = None
        self._held: dict[int, tuple[np.ndarray, int]] = {}

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
        """Return grid points, 4 bytes a number, and digest, by the start of a slice."""
        return {rows.start: self._to_grid(rows, ball) for rows in self._slices}

    def _to_grid(self, rows, ball):
        X, _, seen = self._take(rows)
        return _grid_points(X, ball), seen

    def _block(self, rows, query):
        if self._ball is None or getattr(query, "ball", None) is not self._ball:
            X, codes, seen = self._take(rows)
            return X, codes, None, seen
        if rows.start not in self._held:
            self._held[rows.start] = self._to_grid(rows, self._ball)
        X, codes = take(self._X[rows], self._codes, self._kept, rows)
        return X, codes, *self._held[rows.start]

    def _take(self, rows):
        X, seen = np.asarray(self._X[rows]), 0
        if not self._checked:
            X = checked_block(X, self.n_features, rows.start)
            seen = digest(X, self._first + rows.start)
        return *take(X, self._codes, self._kept, rows), seen


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
    dtype : dtype
        Type of all blocks.
    digest : int
        Of all rows, as they were first looked at.
    codes, kept, block_size, n_jobs
        As in `ArrayRows`.
    """

    def __init__(
        self,
        blocks,
        shape,
        dtype,
        digest,
        codes=None,
        kept=None,
        block_size=4096,
        n_jobs=None,
    ):
        self.digest = digest
        self.n_rows, self.n_features = shape
        self._dtype = dtype
        self.n_records = self.n_rows if kept is None else int(np.count_nonzero(kept))
        self._blocks, self._codes, self._kept = blocks, codes, kept
        self._block_size = min(block_size, MAX_BLOCK_ROWS)
        self._n_threads = n_threads(n_jobs)

    def sum(self, summand):
        """Sum over the blocks, of which a few are in memory at a time."""

        def kernel(piece):
            X, rows = piece
            seen = digest(X, rows.start)
            return summand(*take(X, self._codes, self._kept, rows), None, seen)

        totals = sum_blocks(kernel, self._pieces(), self._n_threads)
        if totals is None:
            raise ValueError(NO_ROWS)
        return totals

    def hold(self, ball):
        """Do nothing: a stream is there because it does not fit into memory."""

    def _pieces(self):
        start = 0
        for given in self._blocks:
            block = checked_block(given, self.n_features, start)
            if block.dtype != self._dtype:
                raise ValueError(
                    f"X must be of one type each time that it is read; the block that "
                    f"starts at row {start} is of {block.dtype}, and was of "
                    f"{self._dtype} at first."
                )
            if start + len(block) > self.n_rows:
                raise ValueError(CHANGED_ROWS)
            for rows in row_slices(len(block), self._block_size):
                yield block[rows], slice(start + rows.start, start + rows.stop)
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
