"""Sizes of a mixture that a budget supports, from a noisy count and public numbers."""

from __future__ import annotations

import numpy as np

_MOST_COMPONENTS = 16
# Of all covariances together: 2 GB.
_MOST_NUMBERS = 2**28
# Beyond this budget, noise is no reason to choose less.
_LARGEST_MU = 1e6


def supported_components(noisy_n, n_features, mu):
    """Return the number of components, at least 1, whose means can be told.

    Each should get records enough for its mean to be known to about a tenth of its
    spread, noise included.
    """
    noise = np.sqrt(n_features) / min(mu, _LARGEST_MU)
    supported = noisy_n / (10.0 * (noise + n_features))
    return int(np.clip(supported, 1, _MOST_COMPONENTS))


def relative_noise(noisy_n, n_features, mu):
    """Return the relative error of a full covariance of `noisy_n` records.

    In the Frobenius norm: that of the release, and of the sampling.
    """
    blur = n_features**1.5 / min(mu, _LARGEST_MU) + 10.0 * n_features
    return blur / max(noisy_n, 1.0)


def supported_shapes(noisy_n, n_features, mu):
    """Return how many components of a class of `noisy_n` records can have a shape.

    The relative error of each full covariance has to be below a tenth.
    """
    supported = 0.1 / relative_noise(noisy_n, n_features, mu)
    return int(np.clip(supported, 0, _MOST_COMPONENTS))


def affordable_shapes(n_classes, n_features):
    """Return how many components of each class can have a shape, in little memory."""
    return _MOST_NUMBERS // (n_classes * n_features**2)


def supported_covariance(noisy_n, n_features, mu, label_model):
    """Return "full" when components of `noisy_n` records can have their own shape.

    Errors cost likelihood by their squares, so a shape of its own is better where its
    relative error is below the relative difference of the shapes. That is more than a
    half for classes of images and texts; a third leaves room for those that differ
    less. A label model makes up for one shape, and is given up at a tenth only.
    """
    worst = 0.1 if label_model else 1.0 / 3.0
    return "full" if relative_noise(noisy_n, n_features, mu) <= worst else "tied"
