"""A hash of rows and their places, by which rows that are read anew are known again."""

from __future__ import annotations

from typing import Any

import numpy as np

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
