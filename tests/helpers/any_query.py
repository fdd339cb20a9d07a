"""A query whose map returns what a test tells it to."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skdpgmm.privacy.bounded_sum import CELL, MOMENTS, Weights, known
from skdpgmm.privacy.grid import Ball

K, P = 3, 4
BALL = Ball(np.zeros(P), 1.0)
NAMES = {name: name for name in MOMENTS}


@known
@dataclass(frozen=True, eq=False)
class Anything:
    """A query whose map returns what it is told to."""

    e: Any
    v: Any
    weights: Weights = CELL
    moments: tuple = ("count", "sum", "energy", "diag", "full")
    vector_bits: int = 16
    point: bool = False
    sees: str = "grid"
    ball: Any = BALL
    n_cells: int = K
    n_features: int = P
    n_made: int = 1
    names: dict = field(default_factory=lambda: NAMES)

    def unit(self, moment):
        return 1.0

    def map(self, rows, codes, on):
        e = self.e(rows, codes) if callable(self.e) else self.e
        v = self.v(rows, codes) if callable(self.v) else self.v
        return (
            None if e is None else np.array(e)[: len(codes)],
            v if v is None or np.ndim(v) == 3 else np.array(v)[: len(codes)],
        )
