"""What a private query is: parts with their sensitivities, and a sum over blocks.

`sums` and `gradients` hold the queries, `records` answers them.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from skdpgmm.privacy.grid import float_panels


class Block(NamedTuple):
    """Rows of the private records, not to be written to, and integer class codes.

    `held` is what ``ball.to_grid(X)`` returned for the ball of the query, in a type
    that represents these integers, or None where it is not held.
    """

    X: np.ndarray  # (rows, d)
    codes: np.ndarray  # (rows,)
    held: np.ndarray | None = None  # (rows, p)

    def grid_panels(self, ball, n_numbers=2**18):
        """Yield slices of few rows with their grid points, in float64.

        Each array may be written to, and is overwritten by the next.
        """
        if self.held is None:
            yield from ball.grid_panels(self.X)
        else:
            yield from float_panels(self.held, n_numbers)


class Part(NamedTuple):
    """One array of a release."""

    name: str
    shape: tuple[int, ...]
    l2_sensitivity: float
    scale: np.ndarray | float = 1.0
    symmetric: bool = False


class BoundedSum(Protocol):
    """A query: parts, and their exact sums over a block of records."""

    @property
    def parts(self) -> tuple[Part, ...]: ...

    def exact(self, block: Block) -> tuple[np.ndarray, ...]: ...
