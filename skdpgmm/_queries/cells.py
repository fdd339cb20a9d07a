"""To a cell of a public partition, and the residual about its centre."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdpgmm.privacy.bounded_sum import Query, known
from skdpgmm.privacy.grid import Ball, row_slices, squared_norms

CELL_BITS = 16
# Numbers of rows times centres that are looked at together.
_N_NUMBERS = 2**21


@dataclass(frozen=True, eq=False)
class NearestCell:
    """The nearest public centre of a record's own class.

    A single centre takes all records, whatever their class.
    """

    centers: np.ndarray  # (k, p), grid integers
    classes: np.ndarray  # (k,)

    @cached_property
    def one_for_each_class(self):
        """Whether the class of a record tells its cell: its point is not looked at."""
        return len(np.unique(self.classes)) == len(self.classes)

    def assign(self, G, codes, on):
        """Return the cell of each record."""
        if len(self.classes) == 1:
            return on.indices(on.xp.zeros_like(codes))
        if self.one_for_each_class:
            return on.xp.searchsorted(on.put(self.classes), codes)
        if np.ptp(self.classes) == 0:
            return self._nearest(G, self.centers, on)
        if on.xp is np:
            return self._nearest_of_class(G, codes, on)
        other = on.put(self.classes)[None, :] != codes[:, None]
        distances = _distances(G, on.put(self.centers), on)
        distances = on.xp.where(other, on.xp.full_like(distances, np.inf), distances)
        return on.xp.argmin(distances, axis=1)

    def _nearest_of_class(self, G, codes, on):
        # Class by class: most centres are not those of a record.
        cell = np.empty(len(codes), dtype=np.intp)
        own = _positions(self.classes)
        for code, rows in _positions(codes).items():
            some = self._nearest(G[rows], self.centers[own[code]], on)
            cell[rows] = own[code][some]
        return cell

    def _nearest(self, G, centers, on):
        """Return the nearest centre, the first of several; exact for grid integers."""
        centers = on.put(centers)
        if on.xp is not np:
            return on.xp.argmin(_distances(G, centers, on), axis=1)
        cell = np.empty(len(G), dtype=np.intp)
        for rows in point_slices(G, len(centers)):
            cell[rows] = _distances(G[rows], centers, on).argmin(axis=1)
        return cell


@known
@dataclass(frozen=True, eq=False)
class CellMoments(Query):
    """Counts and clipped moments of the records in each cell, about its centre.

    The vector of a record in cell j is its residual ``(g - c_j) / r_j``. The radius r_j
    enters only the public factor between integers and units of the data: a small cell
    gets small noise.

    Parameters
    ----------
    ball : Ball
        Clipping and grid of the records.
    partition : NearestCell
        Cell of each record.
    centers : ndarray of shape (k, p)
        Grid integers.
    radii : ndarray of shape (k,)
        Clip radius of the residuals of each cell, in data units, positive; all
        equal when `moments` has "tied".
    moments : tuple of {"count", "sum", "energy", "diag", "full", "tied"}
        What to release.
    """

    ball: Ball
    partition: NearestCell
    centers: np.ndarray
    radii: np.ndarray
    moments: tuple[str, ...]

    vector_bits = CELL_BITS
    names = {
        "count": "counts",
        "sum": "sums",
        "energy": "energies",
        "diag": "squares",
        "full": "scatters",
        "tied": "scatter",
    }

    @property
    def n_cells(self):
        """Number of cells."""
        return len(self.centers)

    @property
    def n_features(self):
        """Width of a residual."""
        return self.centers.shape[1]

    @property
    def sees(self):
        """Codes only, where they tell the cell and no residual is asked for."""
        counts_only = self.moments == ("count",)
        return "codes" if counts_only and self.partition.one_for_each_class else "grid"

    def unit(self, moment):
        """Return the factor from grid integers to units of the data."""
        if moment == "count":
            return 1.0
        unit = self.radii / 2.0**CELL_BITS
        if moment == "tied":
            return unit[0] ** 2
        n_axes = {"energy": 0, "full": 2}.get(moment, 1)
        unit = unit.reshape(-1, *(1,) * n_axes)
        return unit if moment == "sum" else unit**2

    def map(self, V, codes, on):
        """Return the cell of each record, and its residual."""
        cell = self.partition.assign(V, codes, on)
        if self.moments == ("count",):
            return cell, None
        scales = self.ball.step * 2.0**CELL_BITS / self.radii
        if len(scales) == 1:
            if self.centers.any():
                V -= on.put(self.centers)
            V *= float(scales[0])
        else:
            V -= taken(self.centers, cell, on)
            V *= on.xp.take(on.put(scales), cell)[:, None]
        return cell, V


@known
@dataclass(frozen=True, eq=False)
class ClassMoments(CellMoments):
    """Moments of the records of each class, about the nearest centre of their class.

    As `CellMoments`, but a cell has all records of a class; `radii` has one for each,
    and every class has a centre.
    """

    moments: tuple[str, ...] = ("full",)

    sees = "grid"

    @property
    def n_cells(self):
        """Number of classes."""
        return len(self.radii)

    def map(self, V, codes, on):
        """Return the class of each record, and its residual."""
        V -= taken(self.centers, self.partition.assign(V, codes, on), on)
        scales = self.ball.step * 2.0**CELL_BITS / self.radii
        V *= on.xp.take(on.put(scales), codes)[:, None]
        return codes, V


def _distances(G, centers, on):
    """Return squared distances less the squared norms of the points."""
    distances = G @ (-2.0 * centers.T)
    distances += squared_norms(centers, on.xp)
    return distances


def taken(points, index, on):
    """Return public points by their index."""
    if on.xp is not np:
        return on.xp.take(on.put(points), index, axis=0)
    out = on.scratch((len(index), *points.shape[1:]), "vectors")
    return np.take(points, index, axis=0, out=out, mode="clip")


def point_slices(G, k):
    """Slices of rows that each have as many numbers as stay in the cache."""
    return row_slices(len(G), max(1, _N_NUMBERS // k))


def _positions(codes):
    """Return the positions of each code that occurs, in order."""
    if not len(codes):  # such as of a block of which no record takes part
        return {}
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=True))
