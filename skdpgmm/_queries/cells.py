"""Public partitions: which cell a record belongs to.

A partition maps one record, given public values, to one cell. Nothing
else is asked of it: the lemmas of `sums` hold for any such map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from skdpgmm.privacy.grid import Ball, clip_round, row_slices, squared_norms
from skdpgmm.privacy.queries import Part
from skdpgmm.privacy.sums import integers

CELL_BITS = 16
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
class CellMoments:
    """Counts and clipped moments of the records in each cell, about its centre.

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

    Notes
    -----
    Lemma. Let j be the cell of x, and e its one-hot vector.

    - count: ``f = e``, so ``||f|| <= 1``.
    - sum: ``f = e (x) u_j``, so ``||f|| = ||u_j|| <= 2**b``.
    - energy: ``f = e ||u_j||**2 <= 4**b``.
    - diag: ``f = e (x) (u_j * u_j)``; ``||u * u||_2 <= ||u||_2**2 <= 4**b``.
    - full: ``f = e (x) u_j u_j^T``; ``||u u^T||_F = ||u||**2 <= 4**b``.
    - tied: ``f = u_j u_j^T``, the same.

    The radius r_j of a cell enters only the public factor between u_j and data
    units: a small cell gets small noise.
    """

    ball: Ball
    partition: NearestCell
    centers: np.ndarray
    radii: np.ndarray
    moments: tuple[str, ...]

    @property
    def parts(self):
        k, p = self.centers.shape
        unit = self.radii / 2.0**CELL_BITS
        table = {
            "count": Part("counts", (k,), 1.0),
            "sum": Part("sums", (k, p), 2.0**CELL_BITS, unit[:, None]),
            "energy": Part("energies", (k,), 4.0**CELL_BITS, unit**2),
            "diag": Part("squares", (k, p), 4.0**CELL_BITS, unit[:, None] ** 2),
            "full": Part(
                "scatters", (k, p, p), 4.0**CELL_BITS, unit[:, None, None] ** 2, True
            ),
            "tied": Part("scatter", (p, p), 4.0**CELL_BITS, unit[0] ** 2, True),
        }
        return tuple(table[name] for name in self.moments)

    def exact(self, block):
        if self.moments == ("count",) and self.partition.one_for_each_class:
            cell = self.partition.assign(None, block.codes)
            return (np.bincount(cell, minlength=len(self.centers)),)
        # Matrix products are faster for many rows, all else in the cache.
        if not {"full", "tied"}.isdisjoint(self.moments):
            parts = self._moments(*self._residuals(block))
            return tuple(integers(part) for part in parts)
        totals: list[np.ndarray] = []
        out = None
        for rows, V in block.grid_panels(self.ball):
            out = np.empty_like(V) if out is None else out[: len(V)]
            parts = self._moments(*self._clip(V, block.codes[rows], out))
            if totals:
                for total, part in zip(totals, parts, strict=True):
                    total += part
            else:
                totals = parts
        return tuple(integers(total) for total in totals)

    def _residuals(self, block):
        """Return u_j, its cell j and its squared norm, of each record."""
        n = len(block.X)
        U = np.empty((n, self.centers.shape[1]))
        cell, squares = np.empty(n, dtype=np.intp), np.empty(n)
        for rows, V in block.grid_panels(self.ball):
            _, cell[rows], squares[rows] = self._clip(V, block.codes[rows], U[rows])
        return U, cell, squares

    def _clip(self, V, codes, out):
        """Turn grid points, which are overwritten, into what `_residuals` returns."""
        j = self.partition.assign(V, codes)
        scales = self.ball.step * 2.0**CELL_BITS / self.radii
        if len(scales) == 1:
            if self.centers.any():
                V -= self.centers
            V *= scales
        else:
            V -= np.take(self.centers, j, axis=0, out=out, mode="clip")
            V *= scales[j, None]
        U, squares = clip_round(V, CELL_BITS, out=out)
        return U, j, squares

    def _moments(self, U, cell, squares):
        k = len(self.centers)
        onehot = _onehot(cell, k)
        of = {
            "count": lambda: np.bincount(cell, minlength=k),
            "sum": lambda: onehot @ U,
            "energy": lambda: np.bincount(cell, squares, minlength=k),
            "diag": lambda: onehot @ (U * U),
            # BLAS does half the work for a matrix times its own transpose.
            "full": lambda: np.stack(
                [V.T @ V for V in (U[cell == j] for j in range(k))]
            ),
            "tied": lambda: U.T @ U,
        }
        return [of[name]() for name in self.moments]


def _onehot(cell, k):
    """Return the transposed one-hot matrix of cells, dense where that is faster."""
    n = len(cell)
    if k <= 64:
        return (np.arange(k)[:, None] == cell).astype(np.float64)
    return csr_array((np.ones(n), cell, np.arange(n + 1)), shape=(n, k)).T


def slices(G, k):
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
    for rows in slices(G, len(centers)):
        distances = G[rows] @ (-2.0 * centers.T)
        distances += sizes
        cell[rows] = distances.argmin(axis=1)
    return cell
