"""The clipped gradient of a softmax classifier: one more bounded sum.

Notation is that of `sums`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from skdpgmm._blocks import cache_slices
from skdpgmm.privacy.grid import GRID_BITS, Ball, clip_round
from skdpgmm.privacy.queries import Part

# 2**(24 + 12) is the largest entry of a summand, as in `sums`.
ERROR_BITS = 12
# The constant feature of every record, in radii of the ball.
CONSTANT = 0.1
_CONSTANT_STEPS = float(round(CONSTANT * 2**GRID_BITS))
# Rounded to integers of this many bits, weights give exact scores.
_WEIGHT_BITS = 52 - GRID_BITS


@dataclass(frozen=True, eq=False)
class SoftmaxGradient:
    """Clipped gradients of the cross-entropy of a softmax classifier.

    A record has the features ``v = (g, B)``: its grid point and the constant
    ``B = 0.1 * 2**24``. With public weights, ``p = softmax(W v)`` and y its class,

        ``q = round(clip(p - onehot(y), c) * 2**b / c)``.

    Parameters
    ----------
    ball : Ball
        Clipping and grid of the records; one radius is one unit of the features.
    weights : ndarray of shape (k, p + 1)
        Public; the last column belongs to the constant.
    clip : float
        Clip norm c of the errors, positive.

    Notes
    -----
    Lemma. ``||g|| <= 2**24`` and ``||q|| <= 2**b``, both verified, so the summand
    ``f = q (x) v`` has ``||f||_F = ||q|| ||v|| <= 2**b sqrt(4**24 + B**2)``. How p
    was computed plays no part: it is a function of one record and W.
    """

    ball: Ball
    weights: np.ndarray
    clip: float

    @property
    def parts(self):
        longest = math.hypot(2.0**GRID_BITS, _CONSTANT_STEPS)
        unit = self.clip / 2.0 ** (ERROR_BITS + GRID_BITS)
        bound = float(math.ceil(2.0**ERROR_BITS * longest))
        return (Part("gradient", self.weights.shape, bound, unit),)

    def exact(self, block):
        G = block.grid_points(self.ball)
        Q = _errors(G, block.codes, self.weights, self.clip)
        gradient = np.zeros(self.weights.shape)
        for rows in cache_slices(G):
            gradient[:, :-1] += Q[rows].T @ G[rows].astype(np.float64)
        gradient[:, -1] = Q.sum(axis=0) * _CONSTANT_STEPS
        return (gradient.astype(np.int64),)


@dataclass(frozen=True, eq=False)
class SoftmaxErrors:
    """Probabilities of the classes less the one-hot classes, summed.

    With p as in `SoftmaxGradient`, the summand of a record is
    ``q = round(clip(p - onehot(y), sqrt(2)) * 2**b / sqrt(2))``; nothing is clipped
    but by rounding, as ``||p - onehot(y)|| <= sqrt(2)``.

    Parameters
    ----------
    ball : Ball
        Clipping and grid of the records; one radius is one unit of the features.
    weights : ndarray of shape (k, p + 1)
        Public; the last column belongs to the constant.

    Notes
    -----
    Lemma. ``||q|| <= 2**b``, verified.
    """

    ball: Ball
    weights: np.ndarray

    @property
    def parts(self):
        unit = math.sqrt(2.0) / 2.0**ERROR_BITS
        return (Part("errors", (len(self.weights),), 2.0**ERROR_BITS, unit),)

    def exact(self, block):
        G = block.grid_points(self.ball)
        Q = _errors(G, block.codes, self.weights, math.sqrt(2.0))
        return (Q.sum(axis=0).astype(np.int64),)


def _errors(G, codes, weights, clip):
    """Return the probabilities less the one-hot classes, clipped and rounded."""
    W, unit = _grid_weights(weights[:, :-1])
    errors = np.empty((len(G), len(W)))
    # Few rows at a time, which stay in the cache.
    for rows in cache_slices(G):
        errors[rows] = G[rows].astype(np.float64) @ W.T
    errors = softmax(errors * unit + CONSTANT * weights[:, -1], axis=1)
    errors[np.arange(len(G)), codes] -= 1.0
    norms = np.sqrt(np.einsum("ij,ij->i", errors, errors))
    errors *= (2.0**ERROR_BITS / np.maximum(norms, clip))[:, None]
    return clip_round(errors, ERROR_BITS)[0]


def _grid_weights(W):
    """Return integer weights and their unit: they make the scores exact."""
    norm = np.sqrt(np.sum(W**2, axis=1)).max()
    power = 2.0 ** np.floor(_WEIGHT_BITS - 1 - np.log2(max(norm, 1e-200)))
    return np.rint(W * power), 1.0 / (power * 2.0**GRID_BITS)
