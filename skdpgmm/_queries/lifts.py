"""Grid points with cosine features beside them.

A record becomes an integer vector of bounded norm again, so that every query that
takes a `Ball` takes a `FeatureBall` as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from skdpgmm.privacy.grid import GRID_BITS, Ball, Grid, clip_round

# Columns of integer frequencies have norm at most 2**27 and a little, and grid points
# at most 2**24: products are sums of integers below 2**53, and exact.
_FREQUENCY_BITS = 27
# Taylor series of sin(pi / 2 u), up to u**15.
_SINE = [
    (-1) ** j * (math.pi / 2.0) ** (2 * j + 1) / math.factorial(2 * j + 1)
    for j in range(8)
]


@dataclass(frozen=True, eq=False)
class FeatureBall(Grid):
    """A ball, and public cosine features of what it makes of a record.

    With z the record, clipped to `ball`, about its centre, the features are
    ``(z, scale * (cos(z @ A + phases) - means))``; they are clipped to norm `radius`
    and rounded.

    Attributes
    ----------
    ball : Ball
        The first clipping.
    frequencies : ndarray of float64, shape (d, m)
        Public integers: A times ``angle_steps``.
    angle_steps : float
        Public; positive.
    phases, means : ndarray of float64, shape (m,)
        Public.
    scale : float
        Public; positive.
    radius : float
        Public, or released; positive.

    Notes
    -----
    Lemma. ``to_grid`` returns what `clip_round` does, so that row norms are at most
    ``2**GRID_BITS``, verified, whatever the features are. They are a function of one
    record: the products are exact, and all else is done to each number by itself.
    """

    ball: Ball
    frequencies: np.ndarray
    angle_steps: float
    phases: np.ndarray
    means: np.ndarray
    scale: float
    radius: float

    @classmethod
    def of(cls, ball, frequencies, phases, means, scale, radius):
        """Round the frequencies to integers."""
        longest = np.linalg.norm(frequencies, axis=0).max()
        steps = 2.0 ** np.floor(_FREQUENCY_BITS - math.log2(longest))
        integers = np.rint(frequencies * steps)
        return cls(ball, integers, steps, phases, means, scale, radius)

    @property
    def center(self):
        """Centre of the first clipping."""
        return self.ball.center

    @property
    def turn(self) -> float:
        """Full turns of the angle of one step of ``g @ frequencies``."""
        return self.ball.step / self.angle_steps / (2.0 * math.pi)

    @property
    def phase_turns(self):
        """The phases in full turns."""
        return self.phases / (2.0 * math.pi)

    @property
    def n_features(self) -> int:
        """Width of the grid coordinates."""
        return self.ball.n_features + len(self.phases)

    def within(self, radius) -> FeatureBall:
        """Return the same features, clipped to another radius."""
        return replace(self, radius=radius)

    def grid_panels(self, X):
        """Yield slices of few rows with what `to_grid` makes of them."""
        d = self.ball.n_features
        for rows, Z in self.ball.grid_panels(X):
            V = np.empty((len(Z), self.n_features))
            np.multiply(Z, self.ball.step / self.step, out=V[:, :d])
            turns = Z @ self.frequencies
            turns *= self.turn
            turns += self.phase_turns
            cosines = cosine_series(turns)
            cosines -= self.means
            np.multiply(cosines, self.scale / self.step, out=V[:, d:])
            yield rows, clip_round(V, GRID_BITS)[0]


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
