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


def in_units(V, units, on):
    """Return rows in units, without errors, clipped; `V` is overwritten.

    Each number is rounded by itself, whatever is beside it.
    """
    if units is None:
        return V
    xp = on.xp
    low, high = on.put(units.low), on.put(units.high)
    with np.errstate(over="ignore"):
        V -= on.put(units.center)
        V *= on.put(1.0 / units.scale)
    middle, reach = on.put(units.middle), on.put(units.reach)
    V = xp.where(xp.abs(V - middle) > reach, middle, V)
    return xp.minimum(xp.maximum(V, low), high)


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
