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

    def panel(self, rows):
        """Return a copy of rows in float64, which the next one overwrites."""
        panel = self.scratch(rows.shape, "panel")
        np.copyto(panel, rows)
        return panel

    def scratch(self, shape, name):
        """Return an array to write to, until the next of its name."""
        kept = self._buffers.get(name)
        if kept is None or kept.shape[1:] != shape[1:] or len(kept) < shape[0]:
            kept = self._buffers[name] = np.empty(shape)
        return kept[: shape[0]]

    def forget(self):
        """Let go of all buffers: records were in them."""
        self._buffers.clear()


HOST = BufferedHost()


def grid_points(X, ball):
    """Return the grid points of rows, in float32.

    It represents every integer up to 2**24, the norm of the longest.
    """
    G = np.empty((len(X), ball.n_features), dtype=np.float32)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in row_slices(len(X), max(1, HOST.n_numbers // X.shape[1])):
                G[rows] = ball.to_grid(HOST.panel(X[rows]), HOST)
    finally:
        HOST.forget()
    return G
