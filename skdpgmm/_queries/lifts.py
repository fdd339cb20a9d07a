"""Public maps of a grid point: a projection, and cosine features beside the point.

The core clips and rounds what they give, so that every query that takes a ball takes a
lifted one as well. Each is a function of one record: products are exact, and all else
is done to each number by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skdpgmm.privacy.grid import Ball

PROJECTION_BITS = 20
# Columns of integer frequencies have norm at most 2**27 and a little, and grid points
# at most 2**24: products are sums of integers below 2**53, and exact.
_FREQUENCY_BITS = 27
# Taylor series of sin(pi / 2 u), up to u**15.
_SINE = [
    (-1) ** j * (math.pi / 2.0) ** (2 * j + 1) / math.factorial(2 * j + 1)
    for j in range(8)
]


@dataclass(frozen=True, eq=False)
class Projection:
    """Products with a public matrix.

    Attributes
    ----------
    matrix : ndarray of float64, shape (d, p)
        Integers, over ``2**PROJECTION_BITS``.
    """

    matrix: np.ndarray

    @property
    def n_features(self):
        """Width of the products."""
        return self.matrix.shape[1]

    def __call__(self, G, ball, on):
        return (G @ on.put(self.matrix)) * 2.0**-PROJECTION_BITS


def projected(ball, basis) -> Ball:
    """Return a ball seen through an orthonormal `basis` of shape (d, p)."""
    matrix = np.rint(basis * 2.0**PROJECTION_BITS)
    return replace(ball, lift=Projection(matrix))


@dataclass(frozen=True, eq=False)
class Cosines:
    """A grid point, and public cosine features of it.

    With z the clipped record about the centre, ``(z, scale * (cos(z @ A + phases) -
    means))``.

    Attributes
    ----------
    frequencies : ndarray of float64, shape (d, m)
        Public integers: A times ``angle_steps``.
    angle_steps : float
        Public; positive.
    phases, means : ndarray of float64, shape (m,)
        Public.
    scale : float
        Public; positive.
    """

    frequencies: np.ndarray
    angle_steps: float
    phases: np.ndarray
    means: np.ndarray
    scale: float

    @property
    def n_features(self):
        """Width of points and features."""
        return sum(self.frequencies.shape)

    @cached_property
    def phase_turns(self):
        """The phases in full turns."""
        return self.phases / (2.0 * math.pi)

    def __call__(self, G, ball, on):
        d = self.frequencies.shape[0]
        turns = G @ on.put(self.frequencies)
        turns *= ball.first_step / self.angle_steps / (2.0 * math.pi)
        turns += on.put(self.phase_turns)
        cosines = cosine_series(turns, on.xp)
        cosines -= on.put(self.means)
        cosines *= self.scale / ball.step
        V = on.empty((G.shape[0], self.n_features))
        V[:, :d] = G * (ball.first_step / ball.step)
        V[:, d:] = cosines
        return V


def with_cosines(ball, features, radius) -> Ball:
    """Return a ball of grid points and features of them.

    Parameters
    ----------
    ball : Ball
        The first clipping.
    features : CosineFeatures
        Public; their frequencies are rounded to integers.
    radius : float
        Of points and features together; public, or released; positive.

    Returns
    -------
    ball : Ball
    """
    longest = np.linalg.norm(features.frequencies, axis=0).max()
    steps = 2.0 ** np.floor(_FREQUENCY_BITS - math.log2(longest))
    integers = np.rint(features.frequencies * steps)
    lift = Cosines(integers, steps, features.phases, features.means, features.scale)
    return replace(ball, radius=radius, lift=lift, clip_radius=ball.radius)


def cosine_series(turns, xp=np):
    """Return the cosine of full turns, with an error of at most 1e-11.

    Made of sums and products only, which round a number in one way, whatever is
    beside it; vectorised library functions do not promise that. `turns`, an array of
    the namespace `xp`, is overwritten.
    """
    turns -= xp.round(turns)
    u = xp.abs(turns)
    u *= 4.0
    u -= 1.0  # cos(2 pi t) = -sin(pi / 2 (4 |t| - 1))
    square = u * u
    total = xp.full_like(u, -_SINE[-1])
    for coefficient in _SINE[-2::-1]:
        total *= square
        total -= coefficient
    total *= u
    return total
