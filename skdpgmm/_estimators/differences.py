"""What was computed once more, beside what was saved: how far apart they are."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np


class Difference(NamedTuple):
    """How an attribute that was made again differs from the one that was saved.

    Attributes
    ----------
    text : str
        In words.
    size : float
        Of its largest entry; inf where the two cannot be compared.
    """

    text: str
    size: float


def differences(made: dict[str, Any], saved: dict[str, Any]) -> list[Difference]:
    """Return what is not the same to the bit."""
    return [
        found
        for name in sorted(made.keys() | saved.keys())
        if (found := _difference(name, made, saved))
    ]


def _difference(name, made, saved) -> Difference | None:
    if name not in made or name not in saved:
        where = "not in the file" if name in made else "in the file only"
        return Difference(f"{name} is {where}", math.inf)
    one, other = np.asarray(made[name]), np.asarray(saved[name])
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return Difference(f"{name} is of another shape or type", math.inf)
    if one.dtype.kind != "f":
        same = one.tolist() == other.tolist()
        return None if same else Difference(f"{name} has other entries", math.inf)
    one, other = one.astype(np.float64), other.astype(np.float64)
    if one.tobytes() == other.tobytes():
        return None
    scale = float(np.max(np.abs(one), initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):
        largest = float(np.max(np.abs(one - other))) / scale
    size = largest if math.isfinite(largest) else math.inf
    return Difference(f"{name} differs by {size:.2g} of its largest entry", size)
