"""Row blocks of an array, and the exact sum of a kernel over them."""

from __future__ import annotations

from joblib import Parallel, delayed


def row_slices(n_rows: int, block_size: int) -> list[slice]:
    """Cut ``range(n_rows)`` into slices of at most `block_size`, at least one."""
    return [
        slice(start, min(start + block_size, n_rows))
        for start in range(0, max(n_rows, 1), block_size)
    ]


def cache_slices(X):
    """Slices of rows that stay in the cache through several elementwise steps."""
    return row_slices(len(X), max(1, 2**16 // X.shape[1]))


def sum_blocks(kernel, slices, n_jobs=None):
    """Sum the int64 arrays that `kernel` returns for each slice.

    Integer addition is associative and commutative, so the result does not
    depend on the slices, their order or the number of threads.

    Parameters
    ----------
    kernel : callable
        Maps a slice to a tuple of int64 arrays.
    slices : list of slice
        At least one.
    n_jobs : int or None
        Threads, as in joblib.

    Returns
    -------
    totals : tuple of ndarray of int64
    """
    blocks = Parallel(n_jobs=n_jobs, require="sharedmem", return_as="generator")(
        delayed(kernel)(rows) for rows in slices
    )
    totals = next(blocks)
    for parts in blocks:
        for total, part in zip(totals, parts, strict=True):
            total += part
    return totals
