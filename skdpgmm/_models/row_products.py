"""Products of rows with a matrix, of which each row has bits of its own.

The order in which a BLAS product adds up depends on how many rows there are, and on the
place of a row among them, and so do its last bits. Here all sums are of integers that
float64 holds exactly, in whatever order: each factor is split into a high and a low
word in units of its own row, and the product of the low words is left out.
"""

from __future__ import annotations

import math

import numpy as np

# Rows are below one in length, so that sums of products of high words, with some
# rounding up, stay below 2**53.
_HIGH_BITS = 26
_EXACT_BITS = 53


def row_products(X, C):
    """Return ``X @ C.T``, where the bits of a row do not depend on those beside it.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Finite float64.
    C : ndarray of shape (k, d)
        Finite float64.

    Returns
    -------
    products : ndarray of shape (n, k)
        The error is at most 2**-38 of the product of the lengths of both rows, for a
        million columns or fewer; infinite where float64 ends.
    """
    # A low word has entries of `low_bits - 1` bits, and a length of this times sqrt(d).
    half_log2_d = math.ceil(0.5 * math.log2(X.shape[1]))
    low_bits = _EXACT_BITS - _HIGH_BITS - half_log2_d
    high, low, exponents = _words(X, low_bits, half_log2_d)
    others, rest, scales = _words(C, low_bits, half_log2_d)
    products = high @ others.T
    products += (low @ others.T + high @ rest.T) * 2.0**-low_bits
    return np.ldexp(products, exponents + scales.T - 2 * _HIGH_BITS)


def _words(A, low_bits, half_log2_d):
    """Return high and low words of rows, and the binary exponents of their units."""
    _, exponents = np.frexp(np.max(np.abs(A), axis=1, keepdims=True))
    # Twice the length at least, so that rounded entries make it no longer than one.
    exponents += half_log2_d + 1
    scaled = np.ldexp(A, _HIGH_BITS - exponents)
    high = np.rint(scaled)
    return high, np.rint((scaled - high) * 2.0**low_bits), exponents
