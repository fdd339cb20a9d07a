"""Products of weights and moments of vectors, exact in float64 or float32.

Both are integers, and so bounded that all partial sums of a block are below 2**53.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array, issparse

from skdpgmm.privacy.grid import EXACT_BITS, integer_norms


def products(moments, n_cells, e, v, on):
    """Return the sums over records of weights times each of some moments of vectors.

    Parameters
    ----------
    moments : tuple of str
        Names, as of `bounded_sum.MOMENTS`.
    n_cells : int
    e : array of shape (n,) or (n, n_cells)
        Verified: the cell of each record, -1 for none, or integer weights.
    v : array of shape (n, p), or None
        Verified integers.
    on : Host
        Where the arrays are.

    Returns
    -------
    sums : list of array
    """
    xp = on.xp
    W = _matrix(e, n_cells, on) if e.ndim == 1 else e.T
    k, n = W.shape
    of = {
        "count": lambda: W @ on.put(np.ones(n)),
        "sum": lambda: _sum_of_vectors(W, v),
        "energy": lambda: W @ integer_norms(v, xp),
        "diag": lambda: W @ (v * v),
        "full": lambda: xp.stack([_scatter(w, z, xp) for w, z in _by_cell(W, v, xp)]),
        "tied": lambda: _scatter(on.put(np.ones(k)) @ W, v, xp),
    }
    return [of[name]() for name in moments]


def _sum_of_vectors(W, v):
    """Return the sums of vectors with the weights of each cell, in float64.

    In float32 where the vectors are, and so many at a time that this is exact.
    """
    if v.dtype != np.float32 or issparse(W):
        return W @ v
    # Their own rounding moves these norms by less than a part in 100.
    weights = float(np.max(np.sum(W * W, axis=1)))
    vectors = float(np.max(np.einsum("ij,ij->j", v, v)))
    if 1.01 * weights * vectors <= 4.0**EXACT_BITS:
        return (W.astype(np.float32) @ v).astype(np.float64)
    half = len(v) // 2
    if not half:
        return W @ v.astype(np.float64)
    return _sum_of_vectors(W[:, :half], v[:half]) + _sum_of_vectors(
        W[:, half:], v[half:]
    )


def _matrix(cell, k, on):
    """Return the weight 1 of each record for its cell, or none, a row for each cell."""
    if on.xp is np and k > 64:  # sparse ones are faster
        weights, n = (cell >= 0).astype(np.float64), len(cell)
        return csc_array((weights, np.maximum(cell, 0), np.arange(n + 1)), (k, n))
    return on.floats(on.put(np.arange(k))[:, None] == cell[None, :])


def _scatter(weights, v, xp):
    # BLAS does half the work for a matrix times its own transpose.
    return v.T @ (v if xp.all(weights == 1.0) else weights[:, None] * v)


def _by_cell(W, v, xp):
    """Yield the weights of each cell that are not zero, and their vectors."""
    cells = W.tocsr() if xp is np and issparse(W) else None
    for j in range(W.shape[0]):
        if cells is None:
            (rows,) = xp.nonzero(W[j, :])
            weights = xp.take(W[j, :], rows)
        else:
            some = slice(cells.indptr[j], cells.indptr[j + 1])
            weights, rows = cells.data[some], cells.indices[some]
        yield weights, xp.take(v, rows, axis=0)
