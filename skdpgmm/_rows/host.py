"""Rows in memory: arrays in numpy, of which each thread keeps some to write to."""

from __future__ import annotations

from threading import local

import numpy as np

from skdpgmm.privacy.grid import Host, row_slices


class BufferedHost(Host, local):
    """Arrays in numpy, of one thread, that are written to again and again.

    Memory that is asked for anew with every block costs as much as the work in it.
    """

    def __init__(self):
        self._buffers: dict[str, np.ndarray] = {}

    def panel(self, rows, narrow=False):
        """Return a copy of rows, which the next one overwrites."""
        if narrow:
            panel = self.scratch(rows.shape, "narrow panel", np.float32)
        else:
            panel = self.scratch(rows.shape, "panel")
        np.copyto(panel, rows)
        return panel

    def scratch(self, shape, name, dtype=np.float64):
        """Return an array to write to, until the next of its name."""
        kept = self._buffers.get(name)
        if kept is None or kept.shape[1:] != shape[1:] or len(kept) < shape[0]:
            kept = self._buffers[name] = np.empty(shape, dtype)
        return kept[: shape[0]]

    def forget(self):
        """Let go of all buffers: records were in them."""
        self._buffers.clear()


HOST = BufferedHost()


def grid_points(X, to_grid, ball):
    """Return the grid points that `to_grid` makes of rows, in few bytes a number.

    float32 represents every integer up to 2**24, the norm of the longest.
    """
    dtype = np.int16 if ball.bits < 15 else np.float32
    G = np.empty((len(X), ball.n_features), dtype=dtype)
    size = HOST.n_numbers // max(X.shape[1], ball.n_features)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in row_slices(len(X), max(1, size)):
                G[rows] = to_grid(HOST.panel(X[rows]), HOST)
    finally:
        HOST.forget()
    return G
