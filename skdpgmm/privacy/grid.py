"""Clipping and rounding of records to an integer grid.

Every function returns float64 arrays of integer values whose row norms are
*verified*, not assumed, to be at most the stated bound: sums of squares of
integers are exact in float64 below 2**53, and a row that failed the check would
be replaced by zero. So the bound holds for every float64 input, including
infinities that arise on the way, and the sensitivities in `sums` need no
analysis of floating-point error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

# Grid points have norm at most 2**24 and public centres, by `Ball.limit`, at most
# 2**25 and a little, so every term of ||g - c||**2 is an integer below 2**53.
GRID_BITS = 24
PROJECTION_BITS = 20


def row_slices(n_rows: int, block_size: int) -> list[slice]:
    """Cut ``range(n_rows)`` into slices of at most `block_size`, at least one."""
    return [
        slice(start, min(start + block_size, n_rows))
        for start in range(0, max(n_rows, 1), block_size)
    ]


def cache_slices(X, n_numbers=2**18):
    """Slices of rows that stay in the cache through several elementwise steps.

    Smaller ones would be faster in one thread; but several would wait for each other.
    """
    return row_slices(len(X), max(1, n_numbers // X.shape[1]))


def float_panels(X, n_numbers=2**18):
    """Yield slices of few rows with a float64 copy, which the next overwrites."""
    slices = cache_slices(X, n_numbers)
    buffer = np.empty((slices[0].stop, X.shape[1]))
    for rows in slices:
        panel = buffer[: rows.stop - rows.start]
        np.copyto(panel, X[rows])
        yield rows, panel


def sum_in_order(A):
    """Sum along the first axis, in an order that its length alone decides.

    numpy and others choose theirs by the shape of the whole array, so that the last
    bits of a record would depend on how many stand beside it. Halves are added here,
    and each addition is of two numbers of one record. `A` is of any array library.
    """
    while A.shape[0] > 1:
        half = A.shape[0] // 2
        total = A[:half, ...] + A[half : 2 * half, ...]
        if A.shape[0] % 2:
            total[0, ...] += A[-1, ...]
        A = total
    return A[0, ...]


def squared_norms(U):
    """Return the squared norm of each row (exact for integers below 2**53).

    Rows are one after another in memory, and long ones are summed in fixed pieces:
    numpy would cut them by the size of the whole array, and the float result of a row
    would depend on its neighbours.
    """
    U = np.ascontiguousarray(U)
    with np.errstate(over="ignore", invalid="ignore"):
        pieces = [
            np.einsum(
                "ij,ij->i", U[:, start : start + 4096], U[:, start : start + 4096]
            )
            for start in range(0, U.shape[1], 4096)
        ]
        return sum(pieces[1:], pieces[0])


def _exact_norms(U):
    """Return the squared norm of each row of integers.

    Exact in any order below 2**53; what is larger is found to be at least that.
    """
    if not hasattr(np, "vecdot"):  # before NumPy 2
        return squared_norms(U)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.vecdot(U, U)


def clip_round(V, bits, out=None):
    """Clip rows of `V` to norm ``2**bits`` and round them to integers.

    Parameters
    ----------
    V : ndarray of float64, shape (n, d)
        Rows in units in which the clip radius is ``2**bits``.
    bits : int
        At most 26.
    out : ndarray of float64, shape (n, d), optional
        Where to write; not `V`.

    Returns
    -------
    out : ndarray of float64, shape (n, d)
        Integers; ``||out[i]|| <= 2**bits`` for every row (lemma).
    sq : ndarray of float64, shape (n,)
        Their exact squared norms.

    Notes
    -----
    Lemma. A row is returned as it is rounded only when its exact integer squared
    norm is at most ``4**bits``. Any other is scaled and rounded again, and set to
    zero when that does not bring its norm, checked anew, under the bound. Hence
    every returned row obeys the bound. The scaling aims at
    ``2**bits - sqrt(d) / 2 - 1``, because rounding moves a row by at most
    ``sqrt(d) / 2``; so for finite input no row is in fact set to zero.
    """
    radius = 2.0**bits - math.sqrt(V.shape[1]) / 2.0 - 1.0
    out = np.rint(V, out=out)
    sq = _exact_norms(out)
    over = np.flatnonzero(~(sq <= 4.0**bits))
    if over.size:
        out[over] = np.rint(_rescale(np.ascontiguousarray(V[over]), radius))
        sq[over] = _exact_norms(out[over])
        bad = over[~(sq[over] <= 4.0**bits)]
        out[bad] = 0.0
        sq[bad] = 0.0
    return out, sq


def _rescale(W, radius):
    """Scale rows to norm `radius` without overflow or underflow on the way."""
    with np.errstate(invalid="ignore"):
        # An overflow has lost its length, not its sign.
        W = np.clip(W, -1e300, 1e300)
        W /= np.abs(W).max(axis=1, keepdims=True)
        W *= (radius / np.sqrt(squared_norms(W)))[:, None]
    return W


class Grid:
    """The integer grid that a ball, with features or without, puts records on."""

    # Of the ball; `n_features` is the width of the grid coordinates.
    radius: float
    n_features: Any
    grid_panels: Any

    @property
    def step(self) -> float:
        """Length of one grid step in the units of the records."""
        return self.radius / 2.0**GRID_BITS

    def to_grid(self, X):
        """Clip and round records to a new array.

        Returns
        -------
        G : ndarray of float64, shape (n, p)
            Integers with row norms at most ``2**GRID_BITS``.
        """
        G = np.empty((len(X), self.n_features))
        for rows, panel in self.grid_panels(X):
            G[rows] = panel
        return G


@dataclass(frozen=True, eq=False)
class Ball(Grid):
    """The public ball to which records are clipped, and its integer grid.

    Attributes
    ----------
    center : ndarray of float64, shape (d,)
        Public, or released.
    radius : float
        Public, or released; positive.
    projection : ndarray of float64, shape (d, p), optional
        Public integer matrix applied to the grid coordinates, over
        ``2**PROJECTION_BITS``.
    """

    center: np.ndarray
    radius: float
    projection: np.ndarray | None = None

    @property
    def n_features(self) -> int:
        """Width of the grid coordinates."""
        if self.projection is not None:
            return self.projection.shape[1]
        return self.center.shape[0]

    def project(self, basis) -> Ball:
        """Return the ball seen through an orthonormal `basis` of shape (d, p)."""
        matrix = np.rint(basis * 2.0**PROJECTION_BITS)
        return Ball(self.center, self.radius, matrix)

    def grid_panels(self, X):
        """Yield slices of few rows with what `to_grid` makes of them.

        Each array is overwritten by the next, and may be overwritten before.
        """
        out, centered = None, self.center.any()
        for rows, V in float_panels(X):
            out = np.empty_like(V) if out is None else out[: len(V)]
            with np.errstate(over="ignore"):
                if centered:
                    V -= self.center
                V *= 1.0 / self.step
            G, _ = clip_round(V, GRID_BITS, out=out)
            if self.projection is not None:
                G = (G @ self.projection) * 2.0**-PROJECTION_BITS
                G, _ = clip_round(G, GRID_BITS)
            yield rows, G

    def limit(self, points):
        """Move public points, relative to the centre, to norm at most 2 radii.

        No record is farther than one, and products with grid points stay exact.
        """
        points = np.asarray(points, dtype=np.float64)
        norms = np.linalg.norm(points, axis=-1, keepdims=True)
        return points * (2.0 * self.radius / np.maximum(norms, 2.0 * self.radius))

    def place(self, points):
        """Round public points, relative to the centre, to grid integers."""
        return np.rint(self.limit(points) / self.step)
