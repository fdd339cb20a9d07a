"""Clip, round, verify: a record becomes a bounded vector of integers.

Arrays are of float64 and hold integers whose row norms are *verified*, not assumed:
sums of squares of integers are exact in float64 below 2**53, and a row that failed the
check is replaced by zero. So the bound holds for every input, infinities that arise on
the way included, and no sensitivity needs an analysis of floating-point error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

# Grid points have norm at most 2**24, so that their squares are far below 2**53.
GRID_BITS = 24
# float32 holds integers up to 2**24, and squared norms of points of so few bits.
EXACT_BITS = 24
NARROW_BITS = EXACT_BITS // 2
# Norms are verified up to 2**26: sums of squares are exact beyond that, to 2**53.
NORM_BITS = 26


class Host:
    """Arrays in numpy. Rows in another library come with what has these methods."""

    xp = np
    # Of the rows that are mapped together, which stay in the cache.
    n_numbers = 2**19

    def put(self, array):
        """Return public numbers where the rows are."""
        return array

    def floats(self, array, copy=False):
        """Return an array in float64."""
        return array.astype(np.float64, copy=copy)

    def panel(self, rows, narrow=False):
        """Return a copy of rows, which the next one may overwrite.

        In float64, or of `narrow` numbers in float32 where products are exact in it.
        """
        return rows.astype(np.float32 if narrow else np.float64)

    def scratch(self, shape, name):
        """Return an array to write to, until the next of its name."""
        return np.empty(shape)

    def empty(self, shape):
        """Return a new array in float64."""
        return np.empty(shape)

    def indices(self, array):
        """Return an array as integers that can be an index."""
        return array.astype(np.intp, copy=False)

    def integers(self, array):
        """Return float64 values that are integers as such, in memory."""
        return array.astype(np.int64, order="C")


HOST = Host()


def row_slices(n_rows: int, size: int) -> list[slice]:
    """Cut ``range(n_rows)`` into slices of at most `size`, at least one."""
    starts = range(0, max(n_rows, 1), size)
    return [slice(start, min(start + size, n_rows)) for start in starts]


def sum_in_order(A):
    """Sum along the first axis, in an order that its length alone decides.

    Libraries choose theirs by the shape of the whole array, so that the last bits of a
    record would depend on how many stand beside it. Halves are added here.
    """
    while A.shape[0] > 1:
        half = A.shape[0] // 2
        total = A[:half, ...] + A[half : 2 * half, ...]
        if A.shape[0] % 2:
            total[0, ...] += A[-1, ...]
        A = total
    return A[0, ...]


def squared_norms(U, xp=np):
    """Return the squared norm of each row, the same whatever rows stand beside it."""
    if xp is not np:
        return sum_in_order((U * U).T)
    # numpy would cut long rows by the size of the whole array.
    U = np.ascontiguousarray(U)
    pieces = (U[:, i : i + 4096] for i in range(0, U.shape[1], 4096))
    return sum(np.einsum("ij,ij->i", piece, piece) for piece in pieces)


def integer_norms(U, xp=np):
    """Return squared norms of integers, exact below 2**53, and found to be so."""
    return xp.vecdot(U, U)


def clip_round(V, bits, on=HOST, out=None):
    """Clip rows to norm ``2**bits`` and round them to integers, in numpy into `out`.

    `V` has rows in units in which the clip radius is ``2**bits``, with `bits` at most
    `NORM_BITS`.

    Lemma. A row is returned as it is rounded only when its exact integer squared norm
    is at most ``4**bits``. Any other is scaled and rounded again, and set to zero when
    that does not bring its norm, checked anew, under the bound. Hence every returned
    row obeys the bound. The scaling aims at ``2**bits - sqrt(d) / 2 - 1``, because
    rounding moves a row by at most ``sqrt(d) / 2``: so no finite row becomes zero
    while that is positive. Where it is not, in very many dimensions for so few bits, a
    row may lose its direction, and never breaks the bound.
    """
    xp = on.xp
    with np.errstate(over="ignore", invalid="ignore"):
        out = np.rint(V, out=out) if xp is np else xp.round(V)
        over = ~(integer_norms(out, xp) <= 4.0**bits)
        if xp.any(over):
            radius = 2.0**bits - math.sqrt(V.shape[1]) / 2.0 - 1.0
            W = xp.round(_scaled(V[over], radius, xp))
            W[~(integer_norms(W, xp) <= 4.0**bits)] = 0.0
            out[over] = W
    return out


def _scaled(V, radius, xp):
    """Return rows with this norm, but for rounding errors."""
    # An overflow has lost its length, not its sign.
    V = xp.clip(V, -1e300, 1e300)
    V /= xp.max(xp.abs(V), axis=1)[:, None]
    V *= (radius / xp.sqrt(squared_norms(V, xp)))[:, None]
    return V


@dataclass(frozen=True, eq=False)
class Ball:
    """The ball to which records are clipped, and its integer grid: public, or released.

    Attributes
    ----------
    center : ndarray of float64, shape (d,)
    radius : float
        Of the grid points; positive.
    lift : callable with `n_features`, optional
        ``lift(G, ball, on)`` maps single grid points to rows in units of `step`, such
        as a projection does. They are clipped and rounded: it is not trusted with a
        norm. None leaves grid points as they are.
    clip_radius : float, optional
        To which records are clipped before the lift; None is `radius`.
    bits : int
        Norm of the grid points: at most ``2**bits``, and `bits` at most `GRID_BITS`.
    outer : Ball, optional
        Whose grid points are clipped and rounded once more; None clips records.
    """

    center: np.ndarray
    radius: float
    lift: Any = None
    clip_radius: float | None = None
    bits: int = GRID_BITS
    outer: Any = None

    @property
    def n_features(self) -> int:
        """Width of the grid points."""
        if self.outer is not None:
            return self.outer.n_features
        return len(self.center) if self.lift is None else self.lift.n_features

    @property
    def step(self) -> float:
        """Length of one grid step in the units of the records."""
        return self.radius / 2.0**self.bits

    @property
    def first_step(self) -> float:
        """Length of one step of the points that the lift gets."""
        radius = self.radius if self.clip_radius is None else self.clip_radius
        return radius / 2.0**GRID_BITS

    def within(self, radius) -> Ball:
        """Return the ball with grid points clipped to another radius."""
        first = self.radius if self.clip_radius is None else self.clip_radius
        return replace(self, radius=radius, clip_radius=first if self.lift else None)

    def rounded(self, bits) -> Ball:
        """Return the ball with a grid of other steps."""
        return replace(self, bits=bits)

    def inside(self, radius, bits) -> Ball:
        """Return a ball that clips and rounds the grid points of this one."""
        return Ball(self.center, radius, bits=bits, outer=self)

    def to_grid(self, V, on=HOST):
        """Return the grid points of rows in float64, which are overwritten.

        Integers of row norms at most ``2**bits``, by the lemma of `clip_round`.
        """
        if self.outer is not None:
            return self.from_outer(self.outer.to_grid(V, on), on)
        bits = self.bits if self.lift is None else GRID_BITS
        with np.errstate(over="ignore", invalid="ignore"):
            if self.center.any():
                V -= on.put(self.center)
            V *= 1.0 / (self.step if self.lift is None else self.first_step)
        G = clip_round(V, bits, on, on.scratch(V.shape, "grid"))
        if self.lift is None:
            return G
        return clip_round(self.lift(G, self, on), self.bits, on)

    def from_outer(self, G, on=HOST):
        """Return grid points for those of `outer`, in float64."""
        return clip_round(G * (self.outer.step / self.step), self.bits, on)

    def limit(self, points):
        """Move public points, relative to the centre, to norm at most 2 radii.

        No record is farther than one, and products with grid points stay exact.
        """
        points = np.asarray(points, dtype=np.float64)
        norms = np.linalg.norm(points, axis=-1, keepdims=True)
        return points * (2.0 * self.radius / np.maximum(norms, 2.0 * self.radius))

    def on_grid(self, points):
        """Round public points, relative to the centre, to grid integers."""
        return np.rint(self.limit(points) / self.step)
