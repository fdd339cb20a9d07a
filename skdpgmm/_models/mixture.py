"""Gaussian mixtures as public objects: densities and sampling."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skdpgmm._models.covariance_type import Covariance
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
        In the shape of their type. Made positive definite where rounding, or noise, has
        left them otherwise: what follows releases must not fail.
    covariance : Covariance
        Their type.
    classes : ndarray of shape (k,)
        Class code of each component.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    covariance: Covariance
    classes: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "covariances", self.covariance.sound(self.covariances))

    def whiteners(self):
        """Upper triangular factors of the precisions, in scikit-learn's shapes."""
        return self.covariance.whiteners(self.covariances)

    def log_weights(self):
        """Log of weight times square root of the determinant of the precision."""
        log_det = self.covariance.log_det(self.whiteners(), self.means.shape[1])
        return np.log(self.weights) + log_det

    def shifted(self, offset):
        """Return the mixture with all means moved by `offset`."""
        return replace(self, means=self.means + offset)

    def in_data(self, units):
        """Return a mixture of rows in units, as one of rows in those of the data."""
        covariances = self.covariance.rescaled(self.covariances, units.scale)
        return replace(self, means=units.rows(self.means), covariances=covariances)

    def full_covariances(self):
        """Covariances as an array of shape (k, d, d)."""
        return self.covariance.as_full(self.covariances, *self.means.shape)


def log_joint(X, weights, means, whiteners, covariance):
    """Return the log of weight times density, shape (n, k)."""
    return log_densities(X, means, whiteners, covariance) + np.log(weights)


def log_densities(X, means, whiteners, covariance):
    """Return the log density of each row under each component.

    As scikit-learn does, except that means are subtracted before anything is
    multiplied or squared.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    means : ndarray of shape (k, d)
    whiteners : ndarray
        Factors of the precisions.
    covariance : Covariance

    Returns
    -------
    log_prob : ndarray of float64 of shape (n, k)
        Finite: of rows that are too far for float64, all are alike.
    """
    d = means.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):
        squares = covariance.squares(X, means, whiteners)
    # What has overflowed is infinite, or not a number.
    squares = np.where(squares < _FARTHEST, squares, _FARTHEST)
    log_det = covariance.log_det(whiteners, d)
    return -0.5 * (d * np.log(2.0 * np.pi) + squares) + log_det


def sample_components(components, means, roots, covariance, rng):
    """Draw one row from the given component for each entry of `components`.

    Parameters
    ----------
    components : ndarray of int of shape (n,)
        Component of each row.
    means : ndarray of shape (k, d)
    roots : ndarray
        Square roots of the covariances, in their shape.
    covariance : Covariance
    rng : numpy.random.Generator or RandomState

    Returns
    -------
    X : ndarray of float64, shape (n, d)
    """
    X = np.empty((len(components), means.shape[1]))
    roots = covariance.each(roots, len(means))
    # Rows of a component together, as many as stay in the cache.
    order = np.argsort(components, kind="stable")
    ends = np.cumsum(np.bincount(components, minlength=len(means)))
    for j, rows in enumerate(np.split(order, ends[:-1])):
        for some in row_slices(len(rows), max(1, _N_CACHED // X.shape[1])):
            Z = rng.standard_normal((len(rows[some]), X.shape[1]))
            X[rows[some]] = covariance.colored(Z, roots[j]) + means[j]
    return X
