"""Public partitions: which cell a record belongs to.

A partition maps one record, given public values, to one cell. Nothing
else is asked of it: the lemmas of `sums` hold for any such map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdpgmm.privacy.grid import squared_norms


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
        first = np.searchsorted(self.classes, codes)
        if self.one_for_each_class:
            return first
        distances = G @ (-2.0 * self.centers.T)
        distances += squared_norms(self.centers)
        if np.ptp(self.classes) > 0:
            distances[self.classes[None, :] != codes[:, None]] = np.inf
        return distances.argmin(axis=1)


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
        return self.classes[(G @ self.weights.T + self.offsets).argmax(axis=1)]
