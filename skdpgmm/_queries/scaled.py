"""Records in public units: each feature moved, scaled and clipped by itself.

The core clips and rounds what comes of it, so that every query that takes a ball takes
one of features in units as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdpgmm._estimates.units import Units
from skdpgmm.privacy.grid import HOST, Ball

# Doublings between where errors are put, and where they begin.
_FOLD = 9
# Larger numbers have no fractions worth the name.
_LARGEST = 2.0**50
_MOST = float(np.finfo(np.float64).max)


def in_units(V, units, on):
    """Return rows in units, with errors folded in, clipped; `V` is overwritten.

    Each number is rounded by itself, whatever is beside it.
    """
    if units is None:
        return V
    xp = on.xp
    low, high = on.put(units.low), on.put(units.high)
    with np.errstate(over="ignore"):
        V -= on.put(units.center)
        V *= on.put(1.0 / units.scale)
    if (units.reach < np.inf).any():
        V = _folded(V, units, on)
    return xp.minimum(xp.maximum(V, low), high)


def _folded(V, units, on):
    """Put numbers beyond reach to the middle, by a triangle wave.

    It scatters errors that differ: at one point they would be a cluster of no width,
    and a mixture would spend a component on them.
    """
    xp, width = on.xp, np.ldexp(np.minimum(units.reach, _MOST), -_FOLD)
    middle, largest = on.put(units.middle), on.put(np.full_like(width, _LARGEST))
    width = on.put(width)
    far = xp.abs(V - middle) > on.put(units.reach)
    # One period is 4 widths. All but the scaling is exact, and so the same everywhere.
    turns = xp.minimum(xp.maximum((V - middle) / width * 0.25, -largest), largest)
    wave = xp.abs(4.0 * (turns - xp.floor(turns)) - 2.0) - 1.0
    return xp.where(far, middle + width * wave, V)


@dataclass(frozen=True, eq=False)
class ScaledBall(Ball):
    """A ball for records in public units.

    Attributes
    ----------
    units : Units
        Public, or released.
    """

    units: Any = None

    def to_grid(self, V, on=HOST):
        """Return the grid points of rows in float64, which are overwritten."""
        return super().to_grid(in_units(V, self.units, on), on)


def scaled_ball(center, radius, units: Units | None) -> Ball:
    """Return the ball about a centre in units; None is those of the data."""
    if units is None:
        return Ball(center, radius)
    return ScaledBall(center, radius, units=units)
