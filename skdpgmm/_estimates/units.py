"""What features are measured in: a public map of each by itself, and its undoing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Units(NamedTuple):
    """Features ``z = clip((x - center) / scale, low, high)``.

    But those that are beyond reach are taken for errors, and folded into the middle.

    Attributes
    ----------
    center : ndarray of shape (d,)
        Zero of each feature, in the units of the data.
    scale : ndarray of shape (d,)
        Unit of each feature; positive.
    low, high : ndarray of shape (d,)
        Limits, in units.
    middle, reach : ndarray of shape (d,)
        About where errors go, and how far from there they begin, in units.
    """

    center: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    middle: np.ndarray
    reach: np.ndarray

    @classmethod
    def between(cls, low, high) -> Units:
        """Return units in which all features lie between -1 and 1."""
        half = 0.5 * (high - low)
        ones = np.ones_like(half)
        return cls(low + half, half, -ones, ones, 0.0 * ones, np.inf * ones)

    @classmethod
    def clipping(cls, low, high) -> Units:
        """Return the units of the data, with limits."""
        zeros, ones = np.zeros_like(low), np.ones_like(low)
        return cls(zeros, ones, low, high, zeros, np.inf * ones)

    @property
    def limits(self):
        """Return both limits, in the units of the data."""
        return self.center + self.scale * self.low, self.center + self.scale * self.high

    def clipped_only(self) -> Units:
        """Return the units of the data, with these limits."""
        return Units.clipping(*self.limits)._replace(
            middle=self.rows(self.middle), reach=self.scale * self.reach
        )

    def of_rows(self, X):
        """Return rows in these units, not clipped."""
        return (X - self.center) / self.scale

    def rows(self, Z):
        """Return rows in these units, as rows in those of the data."""
        return self.center + self.scale * Z

    def of_moment(self, second):
        """Return a second moment of any scale in these units, of trace 1."""
        second = second / np.outer(self.scale, self.scale)
        return second / max(np.trace(second), 1e-300)
