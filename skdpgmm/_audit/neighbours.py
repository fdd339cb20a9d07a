"""Two data sets that differ in one unit, and the unit that moves a fit farthest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skdpgmm._audit.paths import products_of
from skdpgmm._rows.persons import first_contributions

# How far out candidates are, in lengths of the longest record: at the edge of what they
# span, and where every clip is reached.
_LENGTHS = (1.0, 1e3)
_N_DIRECTIONS = 8
_N_LABELS = 3
# Steps from the best candidate, each to some that are near it.
_N_STEPS, _N_NEAR = 2, 8


class Unit(NamedTuple):
    """A record, with its label where there are such.

    Attributes
    ----------
    row : ndarray of shape (n_features,)
    label : object or None
    """

    row: np.ndarray
    label: Any


class Dataset(NamedTuple):
    """What a fit is given.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,), or None
    ids : ndarray of shape (n_samples,), or None
        Persons.
    """

    X: np.ndarray
    y: Any
    ids: Any

    def codes(self, classes):
        """Return the places of labels among the classes, None without labels."""
        return None if classes is None else np.searchsorted(classes, self.y)

    def kept(self, max_contributions):
        """Return which records take part; None is all."""
        return first_contributions(self.ids, len(self.X), max_contributions)

    def with_unit(self, unit, max_contributions):
        """Return the data set with one more unit, of more records than may take part.

        Without a bound it is one record.
        """
        n = 1 if max_contributions is None else 2 * max_contributions
        X = np.vstack([self.X, *[unit.row] * n])
        y = None if self.y is None else np.append(self.y, [unit.label] * n)
        ids = self.ids
        if ids is not None:
            ids = np.append(ids, [len(self.X)] * n)
        return Dataset(X, y, ids)


def candidates(data, rng):
    """Return units that may move a fit far: far out, in many directions, of any class.

    Both signs of a direction are there, as the one in the place of the other moves sums
    twice as far.
    """
    center = data.X.mean(axis=0)
    residuals = data.X - center
    lengths = np.linalg.norm(residuals, axis=1)
    longest = lengths.max() or 1.0
    n_features = data.X.shape[1]
    drawn = rng.standard_normal((_N_DIRECTIONS - 2, n_features))
    _, _, axes = np.linalg.svd(residuals, full_matrices=False)
    directions = np.vstack([axes[:1], residuals[[lengths.argmax()]], drawn])
    norms = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = directions / np.where(norms > 0.0, norms, 1.0)
    rows = [
        center + sign * length * longest * direction
        for direction in directions
        for length in _LENGTHS
        for sign in (1.0, -1.0)
    ]
    return [Unit(row, label) for row in rows for label in labels_of(data, rng)]


def near(data, unit, rng):
    """Return units about one: turned a little, and longer or shorter."""
    center = data.X.mean(axis=0)
    residual = unit.row - center
    length = np.linalg.norm(residual)
    drawn = rng.standard_normal((_N_NEAR, len(residual)))
    drawn *= 0.5 * length / np.linalg.norm(drawn, axis=1, keepdims=True)
    turned = residual + drawn
    turned *= length / np.linalg.norm(turned, axis=1, keepdims=True)
    turned *= 2.0 ** rng.uniform(-1.0, 1.0, size=(_N_NEAR, 1))
    return [unit, *(Unit(center + row, unit.label) for row in turned)]


def farthest(data, fits, adjacency, rng):
    """Return the unit that is there or not, or the two that stand for each other.

    Parameters
    ----------
    data : Dataset
        Of all other records.
    fits : list of Transcripts
        On whose paths the units are compared.
    adjacency : str
    rng : Generator

    Returns
    -------
    units : tuple of Unit
        One, or two for "replace-one".
    """
    pool = candidates(data, rng)
    for step in range(_N_STEPS + 1):
        best = _best(pool, _products(data, fits, pool), adjacency)
        if step < _N_STEPS:
            pool = [one for unit in best for one in near(data, unit, rng)]
    return best


def _products(data, fits, pool):
    """Return inner products of what units add, over all paths."""
    total = np.zeros((len(pool), len(pool)))
    for told in fits:
        total += products_of(told, [alone(unit) for unit in pool])
    return total


def alone(unit):
    """Return a unit as a data set of its own."""
    label = None if unit.label is None else np.array([unit.label])
    return Dataset(unit.row[None], label, None)


def _best(pool, products, adjacency):
    own = np.diag(products)
    if adjacency == "add-remove":
        return (pool[int(np.argmax(own))],)
    apart = own[:, None] + own[None, :] - 2.0 * products
    i, j = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return pool[i], pool[j]


def labels_of(data, rng):
    """Return some labels of a data set, with the rarest."""
    if data.y is None:
        return [None]
    found, counts = np.unique(data.y, return_counts=True)
    if len(found) <= _N_LABELS:
        return list(found)
    others = np.delete(np.arange(len(found)), counts.argmin())
    some = rng.choice(others, size=_N_LABELS - 1, replace=False)
    return [found[counts.argmin()], *found[some]]
