"""One covariance for all components, turned by class in a few directions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdpgmm._models.covariances import Tied
from skdpgmm._models.distances import squared_distances


class ClassShapes(NamedTuple):
    """How the rows of each class lie about the means of its components.

    Where rows of one covariance lie at ``m + z``, those of class c lie at ``m + T z``,
    with ``T = I + basis @ (factors[c] - I) @ basis.T``.

    Attributes
    ----------
    basis : ndarray of shape (n_features, p)
        Orthonormal; released.
    factors : ndarray of shape (n_classes, p, p)
        Released.
    scale : ndarray of shape (n_features,), or 1.0
        Units of z; released, or public.
    """

    basis: np.ndarray
    factors: np.ndarray
    scale: np.ndarray | float = 1.0

    def turned(self, Z, code):
        """Return residuals of one covariance as those of a class."""
        gaps = self.factors[code] - np.eye(self.basis.shape[1])
        inside = (Z / self.scale) @ self.basis
        return Z + (inside @ gaps.T) @ self.basis.T * self.scale

    def covariance(self, shared, code):
        """Return the covariance of a class, of the one that all share."""
        return self.turned(self.turned(shared, code).T, code)


class TurnedByClass(Tied):
    """One positive definite matrix, that of each class turned by its shape.

    Covariances, whiteners and roots are those of the one matrix.

    Parameters
    ----------
    shapes : ClassShapes
    classes : ndarray of shape (k,)
        Class of each component.
    """

    def __init__(self, shapes, classes):
        self.shapes, self.classes = shapes, classes

    def as_full(self, covariances, k, d):
        return np.stack([self.shapes.covariance(covariances, j) for j in self.classes])

    def log_det(self, whiteners, d):
        _, stretch = np.linalg.slogdet(self.shapes.factors)
        return super().log_det(whiteners, d) - stretch[self.classes]

    def squares(self, X, means, whiteners):
        # Whitened once, and then moved for each class in the few directions.
        basis, factors, _ = self.shapes
        center = means.mean(axis=0)
        moves = np.linalg.inv(factors) - np.eye(basis.shape[1])
        moves = np.swapaxes(moves, 1, 2) @ (basis.T @ whiteners)
        X, means = X - center, means - center
        white, inside = X @ whiteners, X @ basis
        found = np.empty((len(X), len(means)))
        for code in np.unique(self.classes):
            own, move = self.classes == code, moves[code]
            ends = means[own] @ whiteners + means[own] @ basis @ move
            found[:, own] = squared_distances(white + inside @ move, ends)
        return found

    def each(self, parameters, k):
        return list(zip(super().each(parameters, k), self.classes, strict=True))

    def colored(self, Z, root):
        root, code = root
        return self.shapes.turned(super().colored(Z, root), code)

    def distinct_roots(self, covariances, k):
        (root,), _ = super().distinct_roots(covariances, k)
        codes, groups = np.unique(self.classes, return_inverse=True)
        return (self.shapes.turned(root.T, code).T for code in codes), groups
