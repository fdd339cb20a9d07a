"""The clipped gradient of a softmax classifier: one more bounded sum.

Notation is that of `sums`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skdpgmm.privacy.grid import GRID_BITS, Ball, clip_round, row_slices, sum_in_order
from skdpgmm.privacy.queries import Part

# 2**(24 + 12) is the largest entry of a summand, as in `sums`.
ERROR_BITS = 12
# The constant feature of every record, in radii of the ball.
CONSTANT = 0.1
CONSTANT_STEPS = float(round(CONSTANT * 2**GRID_BITS))
# Rounded to integers of this many bits, weights give exact scores.
_WEIGHT_BITS = 52 - GRID_BITS
# Numbers that are converted at a time: as many as stay in the cache between two
# products, and no fewer, so that threads seldom meet.
_PANEL = 2**19
# Scores of all classes that are held at a time.
_N_SCORES = 2**22


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
        longest = math.hypot(2.0**GRID_BITS, CONSTANT_STEPS)
        unit = self.clip / 2.0 ** (ERROR_BITS + GRID_BITS)
        bound = float(math.ceil(2.0**ERROR_BITS * longest))
        return (Part("gradient", self.weights.shape, bound, unit),)

    def exact(self, block):
        gradient = np.zeros(self.weights.shape)
        scores = _Scores(self.weights)
        for G, codes in _panels(block, self.ball, len(self.weights)):
            Q = _errors(scores(G), codes, self.clip)
            gradient[:, :-1] += (G.T @ Q).T
            gradient[:, -1] += Q.sum(axis=0) * CONSTANT_STEPS
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
        total = np.zeros(len(self.weights))
        scores = _Scores(self.weights)
        for G, codes in _panels(block, self.ball, len(self.weights)):
            total += _errors(scores(G), codes, math.sqrt(2.0)).sum(axis=0)
        return (total.astype(np.int64),)


def _panels(block, ball, k):
    """Yield grid points and classes of so few records that their scores are few."""
    for rows, G in block.grid_panels(ball, _PANEL):
        codes = block.codes[rows]
        for some in row_slices(len(G), max(1, _N_SCORES // k)):
            yield G[some], codes[some]


class _Scores:
    """Linear scores of grid points, a row for each class."""

    def __init__(self, weights):
        self._weights, self._unit = grid_weights(weights[:, :-1])
        self._constants = CONSTANT * weights[:, -1:]

    def __call__(self, G):
        scores = self._weights @ G.T
        scores *= self._unit
        scores += self._constants
        return scores


def _errors(scores, codes, clip):
    """Return the probabilities less the one-hot classes, clipped and rounded.

    A row for each class, as operations along long rows are several times faster; but
    what is returned has a row for each record. `scores` are overwritten.
    """
    errors = scores
    errors -= errors.max(axis=0)
    np.exp(errors, out=errors)
    errors /= sum_in_order(errors)
    errors[codes, np.arange(len(codes))] -= 1.0
    norms = np.sqrt(sum_in_order(errors * errors))
    errors *= 2.0**ERROR_BITS / np.maximum(norms, clip)
    return clip_round(errors.T, ERROR_BITS)[0]


def grid_weights(W):
    """Return integer weights and their unit: they make the scores exact."""
    norm = np.sqrt(np.sum(W**2, axis=1)).max()
    power = 2.0 ** np.floor(_WEIGHT_BITS - 1 - np.log2(max(norm, 1e-200)))
    return np.rint(W * power), 1.0 / (power * 2.0**GRID_BITS)
