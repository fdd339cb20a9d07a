"""Squared distances that keep their digits, wherever the rows are.

As ``|x|^2 - 2 x c + |c|^2`` they are a product of matrices, which is fast, and lose
what the three terms have in common: all digits, for rows about 1e9 and clusters of
width 1. So the mean of the centres is subtracted first, and a distance that is still
small beside its terms is computed from the differences.
"""

from __future__ import annotations

import numpy as np
from sklearn.utils.extmath import row_norms

from skdpgmm._models.slices import row_slices

# A squared distance below this share of its terms has lost three digits.
_LOSSY = 1e-3
# Numbers of a block of rows, of their distances or of differences.
_N_NUMBERS = 2**20


def squared_distances(X, centers, weights=None):
    """Return the squared distance of each row to each centre.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    centers : ndarray of float64 of shape (k, d)
        Centres.
    weights : ndarray of shape (k, d), optional
        Positive weights of the squared differences, by centre.

    Returns
    -------
    squares : ndarray of float64 of shape (n, k)
        Infinite where float64 does not hold them.
    """
    squares = np.empty((len(X), len(centers)))
    mean = centers.mean(axis=0)
    about = centers - mean
    for rows in _blocks(X, centers):
        squares[rows] = _of_block(X[rows], centers, mean, about, weights)
    return squares


def nearest(X, centers):
    """Return the nearest centre of each row and the squared distance to it.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    centers : ndarray of float64 of shape (k, d)
        Centres.

    Returns
    -------
    labels : ndarray of int of shape (n,)
        The first of several that are as near.
    squares : ndarray of float64 of shape (n,)
    """
    labels, squares = np.empty(len(X), dtype=np.intp), np.empty(len(X))
    for rows in _blocks(X, centers):
        block = squared_distances(X[rows], centers)
        labels[rows], squares[rows] = block.argmin(axis=1), block.min(axis=1)
    return labels, squares


def _blocks(X, centers):
    return row_slices(len(X), max(1, _N_NUMBERS // max(X.shape[1], len(centers))))


def _of_block(X, centers, mean, about, weights):
    Z = X - mean
    # What overflows is farther than any other.
    with np.errstate(over="ignore", invalid="ignore"):
        if weights is None:
            sizes = row_norms(Z, squared=True)[:, None] + row_norms(about, squared=True)
            squares = sizes - 2.0 * (Z @ about.T)
        else:
            sizes = Z**2 @ weights.T + np.sum(about**2 * weights, axis=1)
            squares = sizes - 2.0 * (Z @ (about * weights).T)
    squares[np.isnan(squares)] = np.inf
    near, of = np.nonzero(squares < _LOSSY * sizes)
    for some in row_slices(len(near), max(1, _N_NUMBERS // X.shape[1])):
        i, j = near[some], of[some]
        gaps = X[i] - centers[j]
        scaled = gaps if weights is None else gaps * weights[j]
        squares[i, j] = np.einsum("nd,nd->n", gaps, scaled)
    return squares
