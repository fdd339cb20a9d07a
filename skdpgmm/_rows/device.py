"""Rows on an accelerator, or in another library: summed where they are."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdpgmm._rows.blocks import one_blas_thread, sum_blocks
from skdpgmm.privacy.bounded_sum import MAX_BLOCK_ROWS, Block, summed
from skdpgmm.privacy.grid import Ball, row_slices


@dataclass(frozen=True)
class Device:
    """Where an array is; its methods are those of `skdpgmm.privacy.grid.Host`.

    Attributes
    ----------
    xp : module
        Array API namespace.
    to_host, from_host : callable
        Turn an array of the device into one of numpy, and back.
    """

    xp: Any
    to_host: Any
    from_host: Any

    # All rows of a block are mapped together.
    n_numbers = 2**62

    def put(self, array):
        """Return public numbers where the rows are."""
        return self.from_host(np.ascontiguousarray(array))

    def floats(self, array, copy=False):
        """Return an array in float64."""
        return self.xp.astype(array, self.xp.float64, copy=copy)

    def indices(self, array):
        """Return an array as integers that can be an index."""
        return self.xp.astype(array, self.xp.int64, copy=False)

    def integers(self, array):
        """Return float64 values that are integers as such, in memory."""
        return self.to_host(array).astype(np.int64, order="C")

    def panel(self, rows, narrow=False):
        """Return a copy of rows in float64: others may be multiplied inexactly."""
        return self.floats(rows, copy=True)

    def scratch(self, shape, name):
        """Return None: results are new arrays."""

    def empty(self, shape):
        """Return a new array in float64."""
        # Not by a copy of as many numbers from the host.
        place = self.put(np.empty(0)).device
        return self.xp.empty(shape, dtype=self.xp.float64, device=place)


class DeviceRows:
    """Rows of an array-API array (torch, cupy), summed where they are.

    Parameters
    ----------
    X : array of shape (n, d)
        Finite float32 or float64 numbers.
    device : Device
        Where `X` is.
    codes : ndarray of int of shape (n,), optional
        Class of each record.
    kept : ndarray of bool of shape (n,), optional
        Records that take part; a function of each unit's own records only.
    """

    def __init__(self, X, device, codes=None, kept=None):
        self.n_rows, self.digest = X.shape[0], 0
        codes = np.zeros(self.n_rows) if codes is None else codes
        codes = codes.astype(np.int64)
        if kept is not None:
            X = device.xp.take(X, device.from_host(np.flatnonzero(kept)), axis=0)
            codes = codes[kept]
        self.n_records = X.shape[0]
        self._held: dict[Ball, dict[int, Any]] = {}
        self._blocks = [
            Block(X[rows, :], device.put(codes[rows]), None, device, rows.start == 0)
            for rows in row_slices(self.n_records, MAX_BLOCK_ROWS)
        ]

    def sum(self, query):
        """Sum over blocks."""
        return sum_blocks(
            lambda block: summed(query, self._ready(block, query)), self._blocks
        )

    @contextmanager
    def holding(self, ball):
        """Keep the grid points of this ball on the device, 4 bytes a number."""
        new = ball not in self._held
        self._held.setdefault(ball, {})
        try:
            with one_blas_thread():
                yield
        finally:
            if new:
                del self._held[ball]

    def _ready(self, block, query):
        """Return a block with its grid points, where these are held."""
        if query.ball not in self._held:
            return block
        return block._replace(held=self._points(block, query.ball))

    def _points(self, block, ball):
        held, on = self._held[ball], block.on
        if id(block) not in held:
            if ball.outer in self._held:
                points = self._points(block, ball.outer)
                G = ball.from_outer(on.panel(points), on)
            else:
                G = ball.to_grid(on.panel(block.X), on)
            # float32 represents every integer up to 2**24, the norm of the longest.
            held[id(block)] = on.xp.astype(G, on.xp.float32)
        return held[id(block)]
