"""Gaussian mixtures as public objects: densities, sampling, covariance types.

The covariance types differ in the shape of their parameters and in what has to
be known of the second moment. All of that is in the table `COVARIANCES`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sklearn.mixture._gaussian_mixture import (
    _compute_log_det_cholesky,
    _compute_precision_cholesky,
)

from skdpgmm._estimates.spectrum import floor_spectrum, sound
from skdpgmm._models.distances import squared_distances
from skdpgmm._models.slices import row_slices

_FARTHEST = 1e300
# Numbers that stay in the cache through several steps.
_N_CACHED = 2**18


@dataclass(frozen=True)
class Mixture:
    """Parameters of a mixture, in scikit-learn's shapes.

    Attributes
    ----------
    weights : ndarray of shape (k,)
        Positive, of sum 1.
    means : ndarray of shape (k, d)
    covariances : ndarray
        As `covariance_type` says. Made positive definite where rounding, or noise, has
        left them otherwise: what follows releases must not fail.
    covariance_type : str
    classes : ndarray of shape (k,)
        Class code of each component.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    covariance_type: str
    classes: np.ndarray

    def __post_init__(self):
        if self.covariance_type == "tied":
            covariances = sound(self.covariances)
        elif self.covariance_type == "full":
            covariances = np.stack([sound(C) for C in self.covariances])
        else:
            covariances = np.maximum(self.covariances, 1e-200)
        object.__setattr__(self, "covariances", covariances)

    def precisions_cholesky(self):
        """Cholesky factors of the precisions, in scikit-learn's shapes."""
        return _compute_precision_cholesky(self.covariances, self.covariance_type)

    def log_weights(self):
        """Log of weight times square root of the determinant of the precision."""
        log_det = _compute_log_det_cholesky(
            self.precisions_cholesky(), self.covariance_type, self.means.shape[1]
        )
        return np.log(self.weights) + log_det

    def shifted(self, offset):
        """Return the mixture with all means moved by `offset`."""
        return replace(self, means=self.means + offset)

    def full_covariances(self):
        """Covariances as an array of shape (k, d, d)."""
        k, d = self.means.shape
        C = self.covariances
        if self.covariance_type == "full":
            return C
        if self.covariance_type == "tied":
            return np.broadcast_to(C, (k, d, d))
        return np.broadcast_to(np.eye(d), (k, d, d)) * C.reshape(k, 1, -1)


def log_joint(X, weights, means, precisions_cholesky, covariance_type):
    """Return the log of weight times density, shape (n, k)."""
    log_prob = log_densities(X, means, precisions_cholesky, covariance_type)
    return log_prob + np.log(weights)


def log_densities(X, means, precisions_cholesky, covariance_type):
    """Return the log density of each row under each component.

    As scikit-learn does, except that means are subtracted before anything is
    multiplied or squared.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    means : ndarray of shape (k, d)
    precisions_cholesky : ndarray
        In the shape of scikit-learn.
    covariance_type : str

    Returns
    -------
    log_prob : ndarray of float64 of shape (n, k)
        Finite: of rows that are too far for float64, all are alike.
    """
    k, d = means.shape
    P = precisions_cholesky
    with np.errstate(over="ignore", invalid="ignore"):
        if covariance_type == "full":
            squares = np.empty((len(X), k))
            for j in range(k):
                squares[:, j] = np.sum(((X - means[j]) @ P[j]) ** 2, axis=1)
        elif covariance_type == "tied":
            middle = means.mean(axis=0)
            squares = squared_distances((X - middle) @ P, (means - middle) @ P)
        elif covariance_type == "diag":
            squares = squared_distances(X, means, P**2)
        else:
            squares = squared_distances(X, means) * P**2
    # What has overflowed is infinite, or not a number.
    squares = np.where(squares < _FARTHEST, squares, _FARTHEST)
    log_det = _compute_log_det_cholesky(P, covariance_type, d)
    return -0.5 * (d * np.log(2.0 * np.pi) + squares) + log_det


def n_covariance_numbers(covariance_type, k, d):
    """Return how many numbers the covariances of k components are."""
    each = {"full": k * d * d, "tied": d * d, "diag": k * d, "spherical": k}
    return each[covariance_type]


def sample_components(components, means, factors, covariance_type, rng):
    """Draw one row from the given component for each entry of `components`.

    Parameters
    ----------
    components : ndarray of int of shape (n,)
        Component of each row.
    means : ndarray of shape (k, d)
    factors : ndarray
        Square roots of the covariances, in their shape.
    covariance_type : str
    rng : numpy.random.Generator or RandomState

    Returns
    -------
    X : ndarray of float64, shape (n, d)
    """
    X = np.empty((len(components), means.shape[1]))
    # Rows of a component together, as many as stay in the cache.
    order = np.argsort(components, kind="stable")
    ends = np.cumsum(np.bincount(components, minlength=len(means)))
    for j, rows in enumerate(np.split(order, ends[:-1])):
        factor = factors if covariance_type == "tied" else factors[j]
        for some in row_slices(len(rows), max(1, _N_CACHED // X.shape[1])):
            Z = rng.standard_normal((len(rows[some]), X.shape[1]))
            Z = Z @ factor.T if factor.ndim == 2 else Z * factor
            Z += means[j]
            X[rows[some]] = Z
    return X


def covariance_factors(covariances, covariance_type):
    """Return square roots of the covariances for `sample_components`."""
    if covariance_type in ("full", "tied"):
        return np.linalg.cholesky(covariances)
    return np.sqrt(covariances)


# --------------------------------------------------------------------------
# Covariance types
# --------------------------------------------------------------------------


class Full:
    """Any positive definite matrix: second moments are (d, d)."""

    moment = "full"

    @staticmethod
    def n_numbers(d):
        """Independent entries of the noise, those off the diagonal by half."""
        return d * (d + 1) / 2.0

    @staticmethod
    def split(second, shift):
        """Split the centred second moment into a multiple of one and the rest."""
        centred = second - np.outer(shift, shift)
        iso = np.trace(centred) / len(centred)
        return iso, centred - iso * np.eye(len(centred))

    @staticmethod
    def assemble(covariance, whitener, iso, rest, floor):
        """Return the covariance that is ``iso + rest`` in the whitened space."""
        values, vectors = np.linalg.eigh(rest)
        root = np.linalg.inv(whitener).T @ (
            vectors * np.sqrt(floor_spectrum(values + iso, floor))
        )
        return root @ root.T


class Tied(Full):
    """One positive definite matrix for all components."""

    moment = "tied"


class Diag:
    """A diagonal matrix: second moments are (d,)."""

    moment = "diag"

    @staticmethod
    def n_numbers(d):
        return d

    @staticmethod
    def split(second, shift):
        centred = second - shift**2
        iso = centred.mean()
        return iso, centred - iso

    @staticmethod
    def assemble(covariance, whitener, iso, rest, floor):
        return covariance * floor_spectrum(rest + iso, floor)


class Spherical:
    """A multiple of the identity: second moments are squared norms."""

    moment = "energy"

    @staticmethod
    def n_numbers(d):
        return 1.0 / d

    @staticmethod
    def split(second, shift):
        return (second - np.sum(shift**2)) / len(shift), np.zeros(())

    @staticmethod
    def assemble(covariance, whitener, iso, rest, floor):
        return covariance * max(iso, floor)


COVARIANCES: dict[str, type[Full] | type[Diag] | type[Spherical]] = {
    "full": Full,
    "tied": Tied,
    "diag": Diag,
    "spherical": Spherical,
}
