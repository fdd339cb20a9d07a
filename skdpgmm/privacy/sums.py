"""The bounded sums: each kernel beside its sensitivity and the lemma behind it.

Every private query is ``sum_i f_theta(x_i)`` with theta public. A query has
parts; each part states ``l2_sensitivity``, a bound on ``||f_theta(x)||_2`` in
integer grid units that holds for *every* record x, and the factor ``scale`` that
turns grid units into those of the data. The whole argument is here and in
`grid.clip_round`, which verifies the norms that the lemmas start from.

Common notation: g is the grid point of a record (``||g|| <= 2**24``), j a cell or
component, c_j its public centre, r_j its public radius,
``u_j = round(clip(g - c_j, r_j) * 2**b / r_j)`` so that ``||u_j|| <= 2**b``, and e
a vector of non-negative integers with ``sum(e) <= E``: a one-hot vector (E = 1)
or rounded responsibilities (E = 2**10).

Exactness: a block of at most ``MAX_BLOCK_ROWS`` rows keeps every float64 partial
sum below 2**53, and ``MAX_ROWS`` rows keep both words of every total below 2**63.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import softmax

from skdpgmm._blocks import float_panels
from skdpgmm.privacy.grid import Ball, clip_round, squared_norms
from skdpgmm.privacy.partitions import LinearCell, NearestCell
from skdpgmm.privacy.queries import Part

CELL_BITS = 16
WHITE_BITS = 13
RESPONSIBILITY_BITS = 10
# Largest entry of a summand: 2**(2 * 16) for cells, 2**(10 + 2 * 13) for soft ones.
_SUMMAND_BITS = 36
LARGEST_SUMMAND = 2.0**_SUMMAND_BITS
MAX_BLOCK_ROWS = 2 ** (53 - _SUMMAND_BITS - 1)
# Each sum that is added in two words is of one row at least.
MAX_ROWS = 2**31


def _histogram(values, edges):
    bins = np.searchsorted(edges, values, side="left")
    return np.bincount(bins, minlength=len(edges) + 1)


def _onehot(cell, k):
    """Return the transposed one-hot matrix of cells, dense where that is faster."""
    n = len(cell)
    if k <= 64:
        return (np.arange(k)[:, None] == cell).astype(np.float64)
    return csr_array((np.ones(n), cell, np.arange(n + 1)), shape=(n, k)).T


def _integers(array):
    """Convert float64 values that are integers, exactly."""
    return np.asarray(array).astype(np.int64, order="C")


# --------------------------------------------------------------------------
# Histogram of norms
# --------------------------------------------------------------------------


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


# --------------------------------------------------------------------------
# Sums over the cells of a public partition
# --------------------------------------------------------------------------


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
            return tuple(_integers(part) for part in parts)
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
        return tuple(_integers(total) for total in totals)

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


# --------------------------------------------------------------------------
# Sums weighted by responsibilities, in the metric of each component
# --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SoftMoments:
    """Responsibility-weighted moments of the whitened, clipped residuals.

    ``z_j = clip(W_j^T (x - m_j), rho) * 2**b / rho``, rounded, with public means
    m_j and whitening matrices W_j (``W_j W_j^T`` the precision); e holds the
    responsibilities of the public mixture times 2**10, rounded down, with the
    remainder given to the largest, and is verified to be non-negative of sum 2**10.

    Parameters
    ----------
    ball : Ball
        Clipping and grid of the records.
    means : ndarray of shape (k, p)
        Grid integers.
    whiteners : ndarray of shape (k, p, p), (k, p) or (k,)
        In data units; vectors are diagonals and scalars multiples of identity.
    log_weights : ndarray of shape (k,)
        Logarithm of weight times square root of the determinant of the precision.
    rho : float
        Clip radius of the whitened residuals.
    classes : ndarray of shape (k,)
        A record has responsibilities for the components of its class only.
    moment : {"energy", "diag", "full", "tied"}
        The second moment.

    Notes
    -----
    Lemma. With non-negative integers e, ``sum(e) <= E = 2**10`` (the rounding
    down makes the sum an integer below ``E + 1``), and ``||z_j|| <= 2**b``:

    - counts: ``||e||_2 <= ||e||_1 <= E``.
    - sums: ``||(e_j z_j)_j||_2 <= max_j ||z_j|| ||e||_2 <= E 2**b``.
    - second moments: each of ``||z_j||**2``, ``||z_j * z_j||_2``,
      ``||z_j z_j^T||_F`` is at most ``4**b``, so the concatenation over j is at
      most ``4**b ||e||_2 <= E 4**b``.
    - tied: ``||sum_j e_j z_j z_j^T||_F <= sum_j e_j ||z_j||**2 <= E 4**b``.

    How e was computed plays no part: it is a function of one record and theta.
    """

    ball: Ball
    means: np.ndarray
    whiteners: np.ndarray
    log_weights: np.ndarray
    rho: float
    classes: np.ndarray
    moment: str

    @property
    def parts(self):
        k, p = self.means.shape
        E = 2.0**RESPONSIBILITY_BITS
        unit = self.rho / 2.0**WHITE_BITS
        shape, symmetric = {
            "energy": ((k,), False),
            "diag": ((k, p), False),
            "full": ((k, p, p), True),
            "tied": ((p, p), True),
        }[self.moment]
        return (
            Part("counts", (k,), E, 1.0 / E),
            Part("sums", (k, p), E * 2.0**WHITE_BITS, unit / E),
            Part("moments", shape, E * 4.0**WHITE_BITS, unit**2 / E, symmetric),
        )

    def _whiten(self, G):
        """Return unclipped z_j in units of ``rho / 2**b``, for all j."""
        k, p = self.means.shape
        Z = np.empty((k, len(G), p))
        to_unit = self.ball.step * 2.0**WHITE_BITS / self.rho
        for j in range(k):
            U = G - self.means[j]
            W = self.whiteners[j] * to_unit
            if W.ndim == 2:
                # Rounded to integers the product is exact, and so the same for
                # every block size: ||U|| <= 2**26 and ||W[:, i]|| <= 2**26.
                norm = np.sqrt(squared_norms(np.ascontiguousarray(W.T)).max())
                power = 2.0 ** np.floor(26 - np.log2(norm))
                np.matmul(U, np.rint(W * power), out=Z[j])
                Z[j] /= power
            else:
                np.multiply(U, W, out=Z[j])
        return Z

    def _responsibilities(self, Z, codes):
        squares = np.stack([squared_norms(z) for z in Z], axis=1)
        unit = self.rho / 2.0**WHITE_BITS
        log_prob = self.log_weights - 0.5 * np.minimum(squares * unit**2, 1e300)
        if len(np.unique(self.classes)) > 1:
            log_prob[self.classes[None, :] != codes[:, None]] = -np.inf
        E = 2.0**RESPONSIBILITY_BITS
        e = np.floor(E * softmax(log_prob, axis=1))
        e[np.arange(len(e)), log_prob.argmax(axis=1)] += E - e.sum(axis=1)
        # Verified like the norms: whatever went wrong in floating point, the
        # lemma holds for what is returned.
        e[~((e >= 0.0).all(axis=1) & (e.sum(axis=1) <= E))] = 0.0
        return e

    def exact(self, block):
        k, p = self.means.shape
        G = self.ball.to_grid(block.X)
        Z = self._whiten(G)
        e = self._responsibilities(Z, block.codes)
        sums = np.empty((k, p))
        moments = np.zeros(self.parts[2].shape)
        for j in range(k):
            rows = np.flatnonzero(e[:, j])
            z, squares = clip_round(Z[j][rows], WHITE_BITS)
            weight = e[rows, j]
            sums[j] = weight @ z
            if self.moment == "energy":
                moments[j] = weight @ squares
            elif self.moment == "diag":
                moments[j] = weight @ (z * z)
            elif self.moment == "full":
                moments[j] = z.T @ (weight[:, None] * z)
            else:
                moments += z.T @ (weight[:, None] * z)
        return _integers(e.sum(axis=0)), _integers(sums), _integers(moments)
