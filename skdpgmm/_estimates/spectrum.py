"""Covariances estimated from matrices under isometric noise of known size.

`sd` is always the public standard deviation of the noise on the diagonal; off it,
noise is smaller by sqrt(2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

# Of eigenvalues, far below any noise. Not argued.
_APART = 1e-4


def floor_spectrum(values, floor):
    """Raise eigenvalues to `floor`, keeping their sum where that is possible."""
    raised = np.maximum(values, floor)
    target = max(float(values.sum()), floor * len(values))
    free = raised - floor
    total = free.sum()
    return floor + (free * ((target - floor * len(values)) / total) if total else free)


def fixed_signs(vectors):
    """Return columns whose signs are those that all machines find.

    An eigenvector has two signs, and rounding decides which is found: draws and
    releases along it would mean something else on another machine.
    """
    generic = np.cos(np.arange(len(vectors)))
    return vectors * np.where(generic @ vectors < 0.0, -1.0, 1.0)


def told_apart(matrix, scale):
    """Return a matrix with a little more that tells its directions apart.

    Where eigenvalues are the same, rounding would say which vectors are found.
    """
    return matrix + _APART * scale * np.diag(np.cos(np.arange(len(matrix))))


def lower_root(root):
    """Return the Cholesky factor of ``root @ root.T``, which is not formed for it.

    Unlike other roots it is the only one, so that draws by it are the same everywhere.
    """
    factor = np.asarray(np.linalg.qr(root.T, mode="r")).T
    return factor * np.where(np.diagonal(factor) < 0.0, -1.0, 1.0)


def sound(covariance):
    """Return a covariance that has a Cholesky factor in float64.

    It is returned as it is where it has one. Otherwise rounding, or noise, has made
    eigenvalues too small beside the largest, which are raised.
    """
    try:
        np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
        least = max(len(values), 16) * 2.0**-46 * max(values[-1], 1e-200)
        covariance = (vectors * np.maximum(values, least)) @ vectors.T
    return covariance


class Spikes(NamedTuple):
    """A covariance that is a multiple of the identity but for a few directions.

    Attributes
    ----------
    bulk : float
        Smallest eigenvalue, that of all other directions.
    values : ndarray of shape (r,)
        Eigenvalues of the directions, descending.
    vectors : ndarray of shape (d, r)
        The directions, orthonormal columns.
    """

    bulk: float
    values: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, covariance) -> Spikes:
        """Return any covariance in this form."""
        values, vectors = np.linalg.eigh(covariance)
        return cls(float(values[0]), values[::-1], vectors[:, ::-1])

    @property
    def trace(self) -> float:
        """Sum of all eigenvalues."""
        d, r = self.vectors.shape
        return float(self.values.sum()) + (d - r) * self.bulk

    def matrix(self):
        """Return the covariance, of shape (d, d)."""
        matrix = (self.vectors * (self.values - self.bulk)) @ self.vectors.T
        matrix[np.diag_indices_from(matrix)] += self.bulk
        return matrix

    def add(self, values, vectors) -> Spikes:
        """Return the covariance with larger eigenvalues in orthogonal directions."""
        values = np.append(self.values, values)
        vectors = np.hstack([self.vectors, vectors])
        order = np.argsort(values)[::-1]
        return Spikes(self.bulk, values[order], vectors[:, order])


def spiked_covariance(scatter, sd, floor) -> Spikes:
    """Estimate a covariance from a symmetric matrix under isometric noise.

    The noise alone has the spectral edge ``2 tau sqrt(d)``, tau its standard
    deviation off the diagonal. Eigenvalues that do not clear it carry nothing
    and share the rest of the trace, the bulk; those that do are shrunk to
    ``bulk + sqrt((lambda - bulk)**2 - edge**2)``, which in the spiked Wigner
    model is the least squares estimate in the Frobenius norm: it allows for the
    tilt of the noisy eigenvectors as well as for the inflated eigenvalues.

    Parameters
    ----------
    scatter : ndarray of shape (d, d)
        Second moment plus noise.
    sd : float
        Noise on the diagonal; off it, smaller by sqrt(2).
    floor : float
        Smallest eigenvalue allowed, positive.

    Returns
    -------
    covariance : Spikes
    """
    d = len(scatter)
    edge = 2.0 * sd * np.sqrt(d / 2.0)
    values, vectors = _largest(scatter, edge)
    trace = max(float(np.trace(scatter)), d * floor)
    bulk, n_top, top = 0.0, 0, values[:0]
    for _ in range(30):
        above = values - bulk
        n_top = int(np.count_nonzero(above > edge))
        theta = above[:n_top]
        top = bulk + np.sqrt(np.maximum(theta**2 - edge**2, 0.0))
        rest = (trace - top.sum()) / max(d - n_top, 1)
        new_bulk = max(rest, floor)
        if abs(new_bulk - bulk) <= 1e-9 * trace:
            break
        bulk = new_bulk
    bulk = max(bulk, floor)
    return Spikes(bulk, np.maximum(top, bulk), vectors[:, :n_top])


def _largest(matrix, least):
    """Return eigenvalues above `least`, not below 0, descending, and eigenvectors."""
    if least == 0.0:
        values, vectors = np.linalg.eigh(matrix)
        first = np.count_nonzero(values <= 0.0)
        values, vectors = values[first:], vectors[:, first:]
    else:
        values, vectors = eigh(matrix, subset_by_value=(least, np.inf))
    return values[::-1], vectors[:, ::-1]


def spiked_deviation(scatter, sd):
    """Estimate a symmetric matrix of any sign under isometric noise.

    As `spiked_covariance`, about the mean of all eigenvalues, on both sides of it.

    Parameters
    ----------
    scatter : ndarray of shape (d, d)
        Symmetric, with noise.
    sd : float
        Noise on the diagonal; off it, smaller by sqrt(2).

    Returns
    -------
    mean : float
        That of the eigenvalues.
    gaps : ndarray of shape (d,)
        Differences from it; zero where the noise hides them.
    vectors : ndarray of shape (d, d)
        Orthonormal columns.
    """
    values, vectors = np.linalg.eigh(scatter)
    mean = float(values.mean())
    gaps = values - mean
    edge = 2.0 * sd * np.sqrt(len(values) / 2.0)
    shrunk = np.sign(gaps) * np.sqrt(np.maximum(gaps**2 - edge**2, 0.0))
    return mean, shrunk, vectors
