"""Public partitions: which cell a record belongs to.

A partition maps one record, given public values, to one cell or to none. Nothing
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

    def assign(self, G, codes):
        if len(self.classes) == 1:
            return np.zeros(len(G), dtype=np.intp)
        first = np.searchsorted(self.classes, codes)
        if len(np.unique(self.classes)) == len(self.classes):
            return first
        distances = squared_norms(self.centers)[None, :] - 2.0 * (G @ self.centers.T)
        distances[self.classes[None, :] != codes[:, None]] = np.inf
        return distances.argmin(axis=1)


@dataclass(frozen=True, eq=False)
class TreeCell:
    """Assign grid points to the frontier nodes of a public binary tree.

    Attributes
    ----------
    normals : ndarray of shape (n_inner, p)
        Integers; node t sends g to its second child when ``normals[t] @ g``
        exceeds ``offsets[t]``.
    children : ndarray of shape (n_inner, 2)
        Non-negative: an inner node; ``-1 - cell``: cell of the query;
        `NO_CELL`: a closed leaf, whose records take no part.
    roots : ndarray of shape (n_classes,)
        Entry of each class, coded like `children`.
    """

    normals: np.ndarray
    offsets: np.ndarray
    children: np.ndarray
    roots: np.ndarray

    NO_CELL = np.iinfo(np.intp).min

    def assign(self, G, codes):
        position = self.roots[codes]
        if not len(self.normals):
            return np.where(position == self.NO_CELL, -1, -1 - position)
        # |normals @ g| <= 2**20 * 2**24: exact.
        right = (G @ self.normals.T) > self.offsets
        inner = np.flatnonzero(position >= 0)
        while inner.size:
            node = position[inner]
            position[inner] = self.children[node, right[inner, node].astype(np.intp)]
            inner = inner[position[inner] >= 0]
        return np.where(position == self.NO_CELL, -1, -1 - position)


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
