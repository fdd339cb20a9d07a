"""To the errors of a softmax classifier: with the grid point, they make its gradient.

A record has the features ``(g, B)``: its grid point, in radii of the ball, and the
constant ``B = 0.1``. The gradient of the cross-entropy is the sum of the errors times
the grid points, and of the errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from skdpgmm.privacy.bounded_sum import Query, Weights, known
from skdpgmm.privacy.grid import EXACT_BITS, NARROW_BITS, Ball, sum_in_order

# 2**(24 + 12) is the largest entry of a summand.
ERROR_BITS = 12
# The constant feature of every record, in radii of the ball.
CONSTANT = 0.1


class GridCoef(NamedTuple):
    """Public coefficients of grid points, rounded so that the scores are exact.

    Attributes
    ----------
    integers : ndarray of shape (k, p)
    unit : float
        Of their products with grid points.
    constants : ndarray of shape (k, 1)
        What is added to the scores.
    """

    integers: np.ndarray
    unit: float
    constants: np.ndarray

    @classmethod
    def of(cls, coef, bits):
        """Round coefficients of points of so many bits, and of the constant.

        The norm of those of a class, times that of a point, is at most 2**24 where the
        product may be in float32, and 2**52 elsewhere; rounding adds at most ``sqrt(p)
        / 2``.
        """
        most = 2.0 ** ((EXACT_BITS if bits <= NARROW_BITS else 52) - bits)
        of_points, of_constant = coef[:, :-1], coef[:, -1:]
        longest = max(np.sqrt(np.sum(of_points**2, axis=1)).max(), 1e-200)
        steps = max(most - math.sqrt(of_points.shape[1]) / 2.0 - 1.0, 0.5) / longest
        unit = float(1.0 / (steps * 2.0**bits))
        return cls(np.rint(of_points * steps), unit, CONSTANT * of_constant)

    def scores(self, G, on):
        """Return the scores of all classes.

        A row for each class, as operations along long rows are several times faster.
        """
        if on.xp is np:  # where products are faster this way round
            products = G @ self.integers.T.astype(G.dtype)
            scores = products.T.astype(np.float64, order="C")
        else:
            scores = on.put(self.integers) @ G.T
        scores *= self.unit
        scores += on.put(self.constants)
        return scores


@known
@dataclass(frozen=True, eq=False)
class SoftmaxErrors(Query):
    """Probabilities of the classes less the one-hot class, clipped.

    With public coefficients, ``p = softmax(coef @ (g, B))`` and y the class of a
    record, its weights are ``clip(p - onehot(y), c) / c``.

    Parameters
    ----------
    ball : Ball
        Clipping and grid of the records; one radius is one unit of the features.
    coef : ndarray of shape (k, p + 1)
        Public; the last column belongs to the constant.
    clip : float
        Clip norm c of the errors, positive. At sqrt(2), only rounding changes them.
    moments : tuple of {"sum", "count"}
        "sum" is the gradient of the coefficients of the grid point, "count" the sum of
        the errors.
    """

    ball: Ball
    coef: np.ndarray
    clip: float = math.sqrt(2.0)
    moments: tuple[str, ...] = ("count",)

    point = True
    weights = Weights("l2", ERROR_BITS)
    names = {"sum": "gradient", "count": "errors"}

    @cached_property
    def grid_coef(self):
        """Coefficients that make the scores exact."""
        return GridCoef.of(self.coef, self.ball.bits)

    @property
    def n_cells(self):
        """Number of classes."""
        return len(self.coef)

    @property
    def n_made(self):
        """Scores of all classes."""
        return len(self.coef)

    @property
    def n_features(self):
        """Width of a grid point."""
        return self.coef.shape[1] - 1

    def unit(self, moment):
        """Return the factor from grid integers to errors, and features of radius 1."""
        unit = self.clip / 2.0**ERROR_BITS
        return unit / 2.0**self.ball.bits if moment == "sum" else unit

    def map(self, G, codes, on):
        """Return the errors; the vector is the grid point itself."""
        xp = on.xp
        errors = self.grid_coef.scores(G, on)
        errors -= xp.max(errors, axis=0)
        errors = xp.exp(errors, out=errors) if xp is np else xp.exp(errors)
        errors /= sum_in_order(errors)
        errors -= _one_hot(codes, self.n_cells, on)
        norms = xp.sqrt(sum_in_order(errors * errors))
        errors *= 2.0**ERROR_BITS / xp.clip(norms, self.clip, None)
        return errors.T, None


@known
@dataclass(frozen=True, eq=False)
class SoftmaxSlopes(Query):
    """Derivatives of the cross-entropy along a few inverse temperatures, clipped.

    With public z = ``coef @ (g, B)``, ``p(t) = softmax(offset + t z)`` and y the class
    of a record, its weights are ``(p(t) @ z - z_y) / clip`` for each t, of norm at most
    1. Their sums, positive, say that t is too large.

    Parameters
    ----------
    ball : Ball
        Clipping and grid of the records; one radius is one unit of the features.
    coef : ndarray of shape (k, p + 1)
        Public; the last column belongs to the constant.
    offset : ndarray of shape (k,)
        Public.
    temperatures : ndarray of shape (m,)
        Public inverse temperatures t.
    clip : float
        Clip norm of the derivatives of a record, positive.
    """

    ball: Ball
    coef: np.ndarray
    offset: np.ndarray
    temperatures: np.ndarray
    clip: float

    moments = ("count",)
    weights = Weights("l2", ERROR_BITS)
    names = {"count": "slopes"}

    @cached_property
    def grid_coef(self):
        """Coefficients that make the scores exact."""
        return GridCoef.of(self.coef, self.ball.bits)

    @property
    def n_cells(self):
        """Number of temperatures."""
        return len(self.temperatures)

    @property
    def n_made(self):
        """Scores of all classes, at all temperatures."""
        return len(self.coef) + self.n_cells

    def unit(self, moment):
        """Return the factor from grid integers to derivatives."""
        return self.clip / 2.0**ERROR_BITS

    def map(self, G, codes, on):
        """Return the derivatives."""
        xp = on.xp
        z = self.grid_coef.scores(G, on)
        z -= xp.max(z, axis=0)
        own = sum_in_order(z * _one_hot(codes, len(self.coef), on))
        offset = on.put(self.offset)[:, None]
        slopes = []
        for t in self.temperatures:
            p = float(t) * z + offset
            p = xp.exp(p - xp.max(p, axis=0))
            slopes.append(sum_in_order(p * z) / sum_in_order(p) - own)
        return xp.stack(slopes, axis=1) * (2.0**ERROR_BITS / self.clip), None


def _one_hot(codes, k, on):
    return on.floats(on.put(np.arange(k))[:, None] == codes)
