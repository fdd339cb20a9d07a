"""Clip, round, verify: a record becomes a bounded vector of integers.

Arrays are of float64 and hold integers whose row norms are *verified*, not assumed:
sums of squares of integers are exact in float64 below 2**53, and a row that failed the
check is replaced by zero. So the bound holds for every input, infinities that arise on
the way included, and no sensitivity needs an analysis of floating-point error.

The same text serves numpy and the libraries of the array API: `on` is where the rows
are, a `Host` or what has its methods.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from threading import local
from typing import Any, Protocol

import numpy as np

# Grid points have norm at most 2**24 and public centres, by `Ball.limit`, at most
# 2**25 and a little, so every term of ||g - c||**2 is an integer below 2**53.
GRID_BITS = 24


class Host(local):
    """Arrays in numpy, of one thread; a device has the same methods."""

    xp = np

    def __init__(self):
        self._buffers: dict[str, np.ndarray] = {}

    def put(self, array):
        """Return public numbers where the rows are."""
        return array

    def floats(self, array, copy=False):
        """Return an array in float64."""
        return array.astype(np.float64, copy=copy)

    @staticmethod
    def all(mask):
        """Return whether all of a mask are true."""
        return mask.all()

    def indices(self, array):
        """Return an array as integers that can be an index."""
        return array.astype(np.intp, copy=False)

    def integers(self, array):
        """Return float64 values that are integers as such, in memory."""
        return np.asarray(array).astype(np.int64, order="C")

    def empty(self, shape):
        """Return a new array in float64."""
        return np.empty(shape)

    def buffer(self, shape, name="vectors"):
        """Return an array to write to, which the next call of that name gives anew.

        Memory that is asked for anew with every block costs as much as the work in it.
        """
        kept = self._buffers.get(name)
        if kept is None or kept.shape[1:] != shape[1:] or len(kept) < shape[0]:
            kept = self._buffers[name] = np.empty(shape)
        return kept[: shape[0]]

    def forget(self):
        """Let go of all buffers: records were in them."""
        self._buffers.clear()

    def take(self, points, index):
        """Return public points by their index, in the buffer."""
        out = self.buffer((len(index), *points.shape[1:]))
        return np.take(points, index, axis=0, out=out, mode="clip")

    def panels(self, X, n_numbers=2**18):
        """Yield slices of few rows with a float64 copy, which the next overwrites."""
        for rows in row_slices(len(X), max(1, n_numbers // X.shape[1])):
            panel = self.buffer((rows.stop - rows.start, X.shape[1]), "panel")
            np.copyto(panel, X[rows])
            yield rows, panel


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
    """Return the squared norms of rows of integers: exact in any order below 2**53.

    What is larger is found to be at least that.
    """
    if xp is np and hasattr(np, "vecdot"):  # NumPy 2
        return np.vecdot(U, U)
    return xp.sum(U * U, axis=1)


def clip_round(V, bits, on=HOST, out=None):
    """Clip rows to norm ``2**bits`` and round them to integers.

    Returns the integers and their exact squared norms. `V` has rows in units in which
    the clip radius is ``2**bits``, `bits` at most 26.

    Lemma. A row is returned as it is rounded only when its exact integer squared norm
    is at most ``4**bits``. Any other is scaled and rounded again, and set to zero when
    that does not bring its norm, checked anew, under the bound. Hence every returned
    row obeys the bound. The scaling aims at ``2**bits - sqrt(d) / 2 - 1``, because
    rounding moves a row by at most ``sqrt(d) / 2``: so no finite row becomes zero.
    """
    xp = on.xp
    with np.errstate(over="ignore", invalid="ignore"):
        out = np.rint(V, out=out) if xp is np else xp.round(V)
        squares = integer_norms(out, xp)
        inside = squares <= 4.0**bits
        if on.all(inside):
            return out, squares
        if xp is np:
            over = np.flatnonzero(~inside)
            out[over], squares[over] = _scaled(np.ascontiguousarray(V[over]), bits, on)
            return out, squares
        W, again = _scaled(V, bits, on)
    return xp.where(inside[:, None], out, W), xp.where(inside, squares, again)


def _scaled(V, bits, on):
    """Return rows scaled to the radius of `clip_round`, rounded and verified.

    In numpy `V` is overwritten.
    """
    xp, radius = on.xp, 2.0**bits - math.sqrt(V.shape[1]) / 2.0 - 1.0
    there: Any = {"out": V} if xp is np else {}
    # An overflow has lost its length, not its sign.
    W = xp.clip(V, -1e300, 1e300, **there)
    W /= xp.maximum(xp.max(W, axis=1), -xp.min(W, axis=1))[:, None]
    W *= (radius / xp.sqrt(squared_norms(W, xp)))[:, None]
    W = xp.round(W, **there)
    squares = integer_norms(W, xp)
    inside = squares <= 4.0**bits
    if on.all(inside):
        return W, squares
    zero = xp.zeros_like(squares)
    W = xp.where(inside[:, None], W, zero[:, None])
    return W, xp.where(inside, squares, zero)


class Lift(Protocol):
    """A public map of single grid points of a ball to rows in units of its `step`."""

    @property
    def n_features(self) -> int: ...

    def __call__(self, G, ball: Ball, on) -> Any: ...


@dataclass(frozen=True, eq=False)
class Ball:
    """The public ball to which records are clipped, and its integer grid.

    A *lift* is a public map of single grid points, such as a projection. What it gives
    is clipped and rounded again, so that it is not trusted with a norm.

    Attributes
    ----------
    center : ndarray of float64, shape (d,)
        Public, or released.
    radius : float
        Of the grid points; public, or released; positive.
    lift : Lift, optional
        None leaves grid points as they are.
    clip_radius : float, optional
        To which records are clipped before the lift; None is `radius`.
    """

    center: np.ndarray
    radius: float
    lift: Lift | None = None
    clip_radius: float | None = None

    @property
    def n_features(self) -> int:
        """Width of the grid points."""
        return len(self.center) if self.lift is None else self.lift.n_features

    @property
    def step(self) -> float:
        """Length of one grid step in the units of the records."""
        return self.radius / 2.0**GRID_BITS

    @property
    def first_step(self) -> float:
        """Length of one step of the points that the lift gets."""
        radius = self.radius if self.clip_radius is None else self.clip_radius
        return radius / 2.0**GRID_BITS

    def within(self, radius) -> Ball:
        """Return the ball with grid points clipped to another radius."""
        first = self.radius if self.clip_radius is None else self.clip_radius
        return replace(self, radius=radius, clip_radius=first if self.lift else None)

    def grid_panels(self, X, on):
        """Yield slices of few rows with their grid points, which the next overwrites.

        Integers of row norms at most ``2**GRID_BITS``, by the lemma of `clip_round`.
        """
        centered = self.center.any()
        for rows, V in on.panels(X):
            out = on.buffer(V.shape, "grid") if on.xp is np else None
            if centered:
                V -= on.put(self.center)
            V *= 1.0 / self.first_step
            G, _ = clip_round(V, GRID_BITS, on, out)
            if self.lift is not None:
                G, _ = clip_round(self.lift(G, self, on), GRID_BITS, on)
            yield rows, G

    def to_grid(self, X):
        """Return the grid points of rows in numpy, in a new array."""
        G = np.empty((len(X), self.n_features))
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                for rows, panel in self.grid_panels(X, HOST):
                    G[rows] = panel
        finally:
            HOST.forget()
        return G

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
