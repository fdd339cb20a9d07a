"""Sizes of a mixture that a budget supports, from a noisy count and public numbers."""

from __future__ import annotations

import numpy as np

_MOST_COMPONENTS = 16
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


def supported_shapes(noisy_n, n_features, mu):
    """Return how many components of `noisy_n` records can have their own shape.

    The relative noise of one full covariance, in the Frobenius norm, has to be below
    a tenth: then its shape is worth more than the records of the others.
    """
    blur = n_features**1.5 / min(mu, _LARGEST_MU) + 10.0 * n_features
    return int(np.clip(noisy_n / (10.0 * blur), 0, _MOST_COMPONENTS))


def supported_covariance(noisy_n, n_features, mu):
    """Return "full" when components of `noisy_n` records can have their own shape."""
    return "full" if supported_shapes(noisy_n, n_features, mu) else "tied"
