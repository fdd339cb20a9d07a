"""Public partitions: which cell a record belongs to.

A partition maps one record, given public values, to one cell. Nothing
else is asked of it: the lemmas of `sums` hold for any such map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdpgmm._blocks import row_slices
from skdpgmm.privacy.grid import squared_norms

# Numbers of rows times centres that are looked at together.
_N_NUMBERS = 2**21


@dataclass(frozen=True, eq=False)
class NearestCell:
    """Assign grid points to the nearest public centre of their own class.

    A single centre takes all records, whatever their class.
    """

    centers: np.ndarray  # (k, p), grid integers
    classes: np.ndarray  # (k,)

    @property
    def one_for_each_class(self):
        """Whether the class of a record tells its cell: `G` is not looked at then."""
        return len(np.unique(self.classes)) == len(self.classes)

    def assign(self, G, codes):
        if len(self.classes) == 1:
            return np.zeros(len(codes), dtype=np.intp)
        if self.one_for_each_class:
            return np.searchsorted(self.classes, codes)
        if np.ptp(self.classes) == 0:
            return _nearest(G, self.centers)
        # Class by class: most centres are not those of a record.
        cell = np.empty(len(codes), dtype=np.intp)
        own = _positions(self.classes)
        for code, rows in _positions(codes).items():
            cell[rows] = own[code][_nearest(G[rows], self.centers[own[code]])]
        return cell


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
        for rows in _slices(G, len(self.classes)):
            scores = G[rows] @ self.weights.T
            scores += self.offsets
            best[rows] = scores.argmax(axis=1)
        return self.classes[best]


def _slices(G, k):
    """Slices of rows that each have as many numbers as stay in the cache."""
    return row_slices(len(G), max(1, _N_NUMBERS // k))


def _positions(codes):
    """Return the positions of each code that occurs, in order."""
    if not len(codes):  # such as of a block of which no record takes part
        return {}
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=True))


def _nearest(G, centers):
    """Return the nearest centre, the first of several; exact for grid integers."""
    cell = np.empty(len(G), dtype=np.intp)
    sizes = squared_norms(centers)
    for rows in _slices(G, len(centers)):
        distances = G[rows] @ (-2.0 * centers.T)
        distances += sizes
        cell[rows] = distances.argmin(axis=1)
    return cell
