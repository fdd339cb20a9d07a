"""To a bin, or to a cell, and no more: counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdpgmm._queries.cells import NearestCell, slices
from skdpgmm.privacy.grid import Ball, float_panels, squared_norms
from skdpgmm.privacy.queries import Part


@dataclass(frozen=True, eq=False)
class NormHistogram:
    """Counts of ``||x - center||`` between public edges.

    Lemma. A record falls into exactly one bin, so its summand is one-hot:
    ``||f(x)||_2 = 1``. This holds however the norm was computed.
    """

    center: np.ndarray
    edges: np.ndarray

    @property
    def parts(self):
        return (Part("counts", (len(self.edges) + 1,), 1.0),)

    def exact(self, block):
        norms = np.empty(len(block.X))
        for rows, V in float_panels(block.X):
            with np.errstate(over="ignore"):
                if self.center.any():
                    V -= self.center
                norms[rows] = np.sqrt(squared_norms(V))
        return (_histogram(norms, self.edges),)


@dataclass(frozen=True, eq=False)
class DistanceHistogram:
    """Counts of the distances of records to the centre of their cell.

    Lemma. A record has one cell and falls into exactly one bin, so its summand is
    one-hot: ``||f(x)||_2 <= 1``.
    """

    ball: Ball
    partition: NearestCell
    centers: np.ndarray  # (k, p), grid integers
    edges: np.ndarray

    @property
    def parts(self):
        return (Part("counts", (len(self.edges) + 1,), 1.0),)

    def exact(self, block):
        squares = np.empty(len(block.X))
        for rows, G in block.grid_panels(self.ball):
            G -= self.centers[self.partition.assign(G, block.codes[rows])]
            squares[rows] = squared_norms(G)
        return (_histogram(self.ball.step * np.sqrt(squares), self.edges),)


@dataclass(frozen=True, eq=False)
class LinearCell:
    """Assign grid points to the class with the largest public linear score.

    Attributes
    ----------
    weights : ndarray of shape (k, p)
        Integers of row norm at most ``2**25``, so that scores are exact.
    offsets : ndarray of shape (k,)
        Integers of at most ``2**50``.
    classes : ndarray of shape (k,)
        Class of each score.
    """

    weights: np.ndarray
    offsets: np.ndarray
    classes: np.ndarray

    def assign(self, G, codes):
        best = np.empty(len(codes), dtype=np.intp)
        for rows in slices(G, len(self.classes)):
            scores = G[rows] @ self.weights.T
            scores += self.offsets
            best[rows] = scores.argmax(axis=1)
        return self.classes[best]


@dataclass(frozen=True, eq=False)
class AgreementCount:
    """Number of records whose class is the one that a public rule gives them.

    Lemma. The summand is 0 or 1, so ``||f(x)||_2 <= 1``.
    """

    ball: Ball
    rule: LinearCell

    @property
    def parts(self):
        return (Part("count", (1,), 1.0),)

    def exact(self, block):
        n_agree = 0
        for rows, G in block.grid_panels(self.ball):
            codes = block.codes[rows]
            n_agree += int(np.count_nonzero(self.rule.assign(G, codes) == codes))
        return (np.array([n_agree], dtype=np.int64),)


def _histogram(values, edges):
    bins = np.searchsorted(edges, values, side="left")
    return np.bincount(bins, minlength=len(edges) + 1)
