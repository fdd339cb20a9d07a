"""Rows on an accelerator: the kernels of the main queries in the array API.

Each kernel is the `exact` of the query of that name, written for another library: the
same integers up to the rounding of roots and exponentials, under the same lemmas. Norms
are verified here as in `grid.clip_round`, and sums of integers below 2**53 are exact in
float64 in any order. Other queries are answered by the processor, block by block.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdpgmm._queries.cells import CELL_BITS, CellMoments
from skdpgmm._queries.histograms import NormHistogram
from skdpgmm._queries.lifts import FeatureBall, cosine_series
from skdpgmm._queries.softmax import (
    CONSTANT,
    CONSTANT_STEPS,
    ERROR_BITS,
    SoftmaxErrors,
    SoftmaxGradient,
    grid_weights,
)
from skdpgmm._rows.blocks import one_blas_thread, sum_blocks
from skdpgmm.privacy.grid import GRID_BITS, PROJECTION_BITS, row_slices, sum_in_order
from skdpgmm.privacy.sums import MAX_BLOCK_ROWS


@dataclass(frozen=True)
class Device:
    """Where an array is.

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


class DeviceRows:
    """Rows of an array of another library, summed where they are.

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
        self._device = device
        self._blocks = [
            _Block(X[rows, :], codes[rows], device)
            for rows in row_slices(self.n_records, MAX_BLOCK_ROWS)
        ]

    def sum(self, summand):
        """Sum over blocks."""
        return sum_blocks(lambda block: self._sum_of(block, summand), self._blocks)

    @contextmanager
    def holding(self, ball):
        """Keep the grid points of this ball on the device, 4 bytes a number."""
        self._hold(ball)
        try:
            with one_blas_thread():
                yield
        finally:
            self._hold(None)

    def _hold(self, ball):
        for block in self._blocks:
            block.ball, block.held = ball, None

    def _sum_of(self, block, summand):
        kernel = _KERNELS.get(type(summand.query))
        if kernel is None:
            return summand(self._device.to_host(block.X), block.codes)
        arrays = kernel(summand.query, self._device.xp, block)
        exact = [self._device.to_host(array).astype(np.int64) for array in arrays]
        return (*exact, *(np.array(n, np.int64) for n in (block.X.shape[0], 0)))


@dataclass
class _Block:
    X: Any
    codes: np.ndarray
    device: Device
    ball: Any = None
    held: Any = None

    def put(self, array):
        """Return public numbers, or codes, on the device."""
        return self.device.from_host(np.ascontiguousarray(array))

    def grid(self, ball):
        """Return what ``ball.to_grid`` does."""
        if ball is not self.ball:
            return _to_grid(self, ball)
        xp = self.device.xp
        if self.held is None:
            # float32 represents every integer up to 2**24, the norm of the longest.
            self.held = xp.astype(_to_grid(self, ball), xp.float32)
        return xp.astype(self.held, xp.float64)


def _squared_norms(V):
    return sum_in_order((V * V).T)


def _clip_round(xp, V, bits):
    """Do what `grid.clip_round` does, for all rows at once."""
    radius = 2.0**bits - math.sqrt(V.shape[1]) / 2.0 - 1.0
    out = xp.round(V)
    squares = xp.sum(out * out, axis=1)
    inside = squares <= 4.0**bits
    W = xp.clip(V, -1e300, 1e300)
    W = W / xp.max(xp.abs(W), axis=1, keepdims=True)
    W = xp.round(W * (radius / xp.sqrt(_squared_norms(W)))[:, None])
    again = xp.sum(W * W, axis=1)
    zero = xp.zeros_like(V[:, :1])
    W = xp.where((again <= 4.0**bits)[:, None], W, zero)
    out = xp.where(inside[:, None], out, W)
    return out, xp.sum(out * out, axis=1)


def _to_grid(block, ball):
    xp = block.device.xp
    if isinstance(ball, FeatureBall):
        Z = _to_grid(block, ball.ball)
        turns = (Z @ block.put(ball.frequencies)) * ball.turn
        cosines = cosine_series(turns + block.put(ball.phase_turns), xp)
        features = (cosines - block.put(ball.means)) * (ball.scale / ball.step)
        V = xp.concat([Z * (ball.ball.step / ball.step), features], axis=1)
        return _clip_round(xp, V, GRID_BITS)[0]
    V = xp.astype(block.X, xp.float64) - block.put(ball.center)
    G, _ = _clip_round(xp, V * (1.0 / ball.step), GRID_BITS)
    if ball.projection is not None:
        G = (G @ block.put(ball.projection)) * 2.0**-PROJECTION_BITS
        G, _ = _clip_round(xp, G, GRID_BITS)
    return G


def _norm_histogram(query, xp, block):
    V = xp.astype(block.X, xp.float64) - block.put(query.center)
    norms = xp.sort(xp.sqrt(_squared_norms(V)))
    # Records up to each edge; a bin holds those of one edge less those of the last.
    below = xp.searchsorted(norms, block.put(query.edges), side="right")
    below = block.device.to_host(below)
    counts = np.diff(below, prepend=0, append=norms.shape[0])
    return (block.put(counts),)


def _cell_moments(query, xp, block):
    k = len(query.centers)
    partition = query.partition
    if len(partition.classes) == 1:
        cell = block.put(np.zeros(len(block.codes), dtype=np.int64))
    elif partition.one_for_each_class:
        cell = block.put(np.searchsorted(partition.classes, block.codes))
    else:
        G, centers = block.grid(query.ball), block.put(partition.centers)
        distances = xp.sum(centers * centers, axis=1)[None, :] - 2.0 * (G @ centers.T)
        other = block.put(partition.classes[None, :] != block.codes[:, None])
        distances = xp.where(other, xp.full_like(distances, math.inf), distances)
        cell = xp.argmin(distances, axis=1)
    onehot = block.put(np.arange(k))[:, None] == cell[None, :]
    onehot = xp.astype(onehot, xp.float64)
    if query.moments == ("count",):
        return (xp.sum(onehot, axis=1),)
    scales = query.ball.step * 2.0**CELL_BITS / query.radii
    V = block.grid(query.ball) - xp.take(block.put(query.centers), cell, axis=0)
    V = V * xp.take(block.put(scales), cell, axis=0)[:, None]
    U, squares = _clip_round(xp, V, CELL_BITS)
    of = {
        "count": lambda: xp.sum(onehot, axis=1),
        "sum": lambda: onehot @ U,
        "energy": lambda: onehot @ squares,
        "diag": lambda: onehot @ (U * U),
        "full": lambda: xp.stack([(U * row[:, None]).T @ U for row in onehot]),
        "tied": lambda: U.T @ U,
    }
    return [of[name]() for name in query.moments]


def _errors(xp, block, G, weights, clip):
    W, unit = grid_weights(weights[:, :-1])
    scores = (G @ block.put(W).T) * unit + block.put(CONSTANT * weights[:, -1])
    scores = xp.exp(scores - xp.max(scores, axis=1, keepdims=True))
    shares = scores / sum_in_order(scores.T)[:, None]
    own = block.put(np.arange(len(weights)) == block.codes[:, None])
    errors = shares - xp.astype(own, xp.float64)
    norms = xp.sqrt(_squared_norms(errors))[:, None]
    errors = errors * (2.0**ERROR_BITS / xp.clip(norms, clip, None))
    return _clip_round(xp, errors, ERROR_BITS)[0]


def _softmax_gradient(query, xp, block):
    G = block.grid(query.ball)
    Q = _errors(xp, block, G, query.weights, query.clip)
    constant = xp.sum(Q, axis=0)[:, None] * CONSTANT_STEPS
    return (xp.concat([Q.T @ G, constant], axis=1),)


def _softmax_errors(query, xp, block):
    G = block.grid(query.ball)
    return (xp.sum(_errors(xp, block, G, query.weights, math.sqrt(2.0)), axis=0),)


_KERNELS = {
    NormHistogram: _norm_histogram,
    CellMoments: _cell_moments,
    SoftmaxGradient: _softmax_gradient,
    SoftmaxErrors: _softmax_errors,
}
