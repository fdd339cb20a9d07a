"""One pass over private records: each of them once, the same each time.

What a release needs of its records is one method, `Rows.sum`. Where they are, in
memory, in files or on a cluster, is no part of this folder: each pass counts its
records, and sums a digest of rows and places where they are read anew each time, which
`records` compares with that of the first look. Rows of a shuffled loader would belong
to other persons and labels.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from skdpgmm.privacy.bounded_sum import Block, Query, exact
from skdpgmm.privacy.grid import Ball

CHANGED_ROWS = (
    "X has other rows than when they were first looked at, or the same in another "
    "order (is it shuffled?): they must be the same each time that they are read."
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
    query : Query
        What is summed.
    """

    query: Query

    def __call__(self, block: Block, digest=0):
        totals = exact(self.query, block)
        return (*totals, *map(_count, (len(block.codes), digest)))


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

        Returns int64 arrays of high and low words, of shape (2, ...): a sum is 2**31
        times the one and the other.
        """
        ...

    def holding(self, ball: Ball) -> AbstractContextManager:
        """Return a context that keeps grid points of this ball, where it saves time."""
        ...
