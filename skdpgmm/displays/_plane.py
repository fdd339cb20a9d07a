"""The plane in which a mixture is shown, and its components there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Plane(NamedTuple):
    """Two directions that a model is seen from.

    Attributes
    ----------
    origin : ndarray of shape (n_features,)
    axes : ndarray of shape (2, n_features)
        Orthonormal.
    """

    origin: np.ndarray
    axes: np.ndarray

    def coordinates(self, X):
        """Return where rows lie in the plane, shape (n_samples, 2)."""
        return (X - self.origin) @ self.axes.T


def main_plane(weights, means, covariances) -> Plane:
    """Return the plane in which the means of a mixture are farthest apart.

    Two features are shown as they are. Where the means span no plane, the direction
    of the largest variance within components completes it.

    Parameters
    ----------
    weights : ndarray of shape (k,)
        Of sum 1.
    means : ndarray of shape (k, d)
        ``d >= 2``.
    covariances : iterable of ndarray of shape (d, d)
        Of each component.
    """
    k, d = means.shape
    if d == 2:
        return Plane(np.zeros(2), np.eye(2))
    origin = weights @ means
    between = np.sqrt(weights)[:, None] * (means - origin)  # (k, d)
    _, lengths, axes = np.linalg.svd(between, full_matrices=False)
    # k means span k - 1 directions.
    kept = int(np.count_nonzero(lengths[: min(2, k - 1)] > 1e-9 * lengths[0]))
    axes = axes[:kept]
    if kept < 2:
        within = sum(w * c for w, c in zip(weights, covariances, strict=True))
        left = np.eye(d) - axes.T @ axes
        _, vectors = np.linalg.eigh(left @ within @ left)
        axes = np.vstack([axes, vectors[:, ::-1][:, : 2 - kept].T])
    return Plane(origin, axes)


def ellipse_of(covariance, n_std):
    """Return width, height and angle in degrees of an ellipse of `n_std` deviations.

    `covariance` has shape (2, 2).
    """
    variances, vectors = np.linalg.eigh(covariance)
    height, width = 2.0 * n_std * np.sqrt(np.maximum(variances, 0.0))
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    return float(width), float(height), float(angle)
