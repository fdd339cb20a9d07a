"""To a bin, and no more: counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skdpgmm._estimates.units import Units
from skdpgmm._queries.cells import NearestCell, point_slices, taken
from skdpgmm._queries.scaled import in_units
from skdpgmm.privacy.bounded_sum import Query, Weights, known
from skdpgmm.privacy.grid import Ball, squared_norms

FEATURE_BITS = 12
# How often the number of a bin is written again on the way to its weight. Not argued;
# only time goes by it.
_WRITTEN = 16


class _Counts(Query):
    """What queries have in common that count, and do nothing else."""

    moments = ("count",)
    names = {"count": "counts"}

    def unit(self, moment):
        """Return 1: counts are counts."""
        return 1.0


class _Bins(_Counts):
    edges: np.ndarray

    @property
    def n_cells(self):
        """Number of bins; the last holds everything above the last edge."""
        return len(self.edges) + 1

    def _bins(self, lengths, on):
        return on.xp.searchsorted(on.put(self.edges), lengths, side="left"), None


@known
@dataclass(frozen=True, eq=False)
class NormHistogram(_Bins):
    """Counts of ``||x - center||`` between public edges, of records in `units`."""

    center: np.ndarray
    edges: np.ndarray
    units: Units | None = None

    ball = None
    sees = "rows"

    def map(self, V, codes, on):
        """Return the bin of each row."""
        V = in_units(V, self.units, on)
        if self.center.any():
            V -= on.put(self.center)
        return self._bins(on.xp.sqrt(squared_norms(V, on.xp)), on)


@known
@dataclass(frozen=True, eq=False)
class FeatureHistogram(_Counts):
    """Counts of single features between public cuts: a histogram of each.

    A record is in one bin of each of the p features. It counts there with an integer
    of ``2**12 / sqrt(p)``, rounded down, so that its weights have norm ``2**12`` at
    most.

    Parameters
    ----------
    columns : ndarray of int of shape (p,)
        The features.
    cuts : ndarray of shape (p, m)
        Increasing; bin i of m + 1 is above i of them.
    folded : bool
        Whether it is of absolute values.
    """

    columns: np.ndarray
    cuts: np.ndarray
    folded: bool = False

    ball = None
    sees = "rows"
    names = {"count": "bins"}
    weights = Weights("l2", FEATURE_BITS)

    @property
    def n_cells(self):
        """Number of bins of all features."""
        p, m = self.cuts.shape
        return p * (m + 1)

    @property
    def n_made(self):
        """So many that the rows of a panel stay in the cache."""
        return _WRITTEN * self.n_cells

    @property
    def weight(self):
        """With what a record counts in one bin."""
        return math.floor(2.0**FEATURE_BITS / math.sqrt(len(self.columns)))

    def unit(self, moment):
        """Return the factor from integers to counts."""
        return 1.0 / self.weight

    def map(self, V, codes, on):
        """Return the weight of each row in each bin."""
        xp, (p, m), n = on.xp, self.cuts.shape, V.shape[0]
        found = []
        for column, cuts in zip(self.columns.tolist(), self.cuts, strict=True):
            values = on.floats(V[:, column], copy=True)
            values = xp.abs(values) if self.folded else values
            found.append(xp.searchsorted(on.put(cuts), values, side="left"))
        if xp is np:
            e = np.zeros((n, p, m + 1))
            e[np.arange(n)[:, None], np.arange(p), np.stack(found, axis=1)] = (
                self.weight
            )
            return e.reshape(n, p * (m + 1)), None
        bins, weight = on.put(np.arange(m + 1))[None, :], float(self.weight)
        here = [on.floats(bin_[:, None] == bins) * weight for bin_ in found]
        return xp.concat(here, axis=1), None


@known
@dataclass(frozen=True, eq=False)
class DistanceHistogram(_Bins):
    """Counts of the distances of records to the centre of their cell."""

    ball: Ball
    partition: NearestCell
    centers: np.ndarray  # (k, p), grid integers
    edges: np.ndarray

    def map(self, G, codes, on):
        """Return the bin of each record."""
        G -= taken(self.centers, self.partition.assign(G, codes, on), on)
        return self._bins(self.ball.step * on.xp.sqrt(squared_norms(G, on.xp)), on)


@dataclass(frozen=True, eq=False)
class LinearCell:
    """The class with the largest public linear score.

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

    def assign(self, G, on):
        """Return the class of each grid point."""
        weights, offsets = on.put(self.weights).T, on.put(self.offsets)
        if on.xp is not np:
            best = on.xp.argmax(G @ weights + offsets, axis=1)
            return on.xp.take(on.put(self.classes), best)
        best = np.empty(len(G), dtype=np.intp)
        for rows in point_slices(G, len(self.classes)):
            scores = G[rows] @ weights
            scores += offsets
            best[rows] = scores.argmax(axis=1)
        return self.classes[best]


@known
@dataclass(frozen=True, eq=False)
class AgreementCount(_Counts):
    """Number of records whose class is the one that a public rule gives them."""

    ball: Ball
    rule: LinearCell

    n_cells = 1
    names = {"count": "count"}

    def map(self, G, codes, on):
        """Return cell 0 for a record that the rule is right about, and none else."""
        right = self.rule.assign(G, on) == codes
        return on.floats(right) - 1.0, None
