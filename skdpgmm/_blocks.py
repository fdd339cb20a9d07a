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


def sum_blocks(kernel, blocks, n_jobs=None):
    """Sum the int64 arrays that `kernel` returns for each block.

    Integer addition is associative and commutative, so the result does not
    depend on the blocks, their order or the number of threads.

    Parameters
    ----------
    kernel : callable
        Maps a block to a tuple of int64 arrays.
    blocks : iterable
        Of whatever the kernel takes; at least one. A few are asked for at a time.
    n_jobs : int or None
        Threads, as in joblib.

    Returns
    -------
    totals : tuple of ndarray of int64
    """
    results = Parallel(n_jobs=n_jobs, require="sharedmem", return_as="generator")(
        delayed(kernel)(block) for block in blocks
    )
    totals = next(results)
    for parts in results:
        for total, part in zip(totals, parts, strict=True):
            total += part
    return totals
