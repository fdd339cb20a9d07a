"""Shapes of classes from noisy scatters, shrunk toward one that they share."""

from __future__ import annotations

import numpy as np

# Variances relative to the shared ones, at least and at most. Not argued.
_RELATIVE = 0.05, 20.0
# Standard deviations by which the energy of gaps must exceed that of noise, to count.
# Not argued.
_SURE = 2.0


def shape_factors(scatters, sd, counts, shared):
    """Return what makes rows of a shared covariance those of each class.

    In coordinates in which the shared covariance is the identity, what a class has
    beyond it is that of all classes together, and its own rest. Of both, each entry is
    shrunk by its own noise toward zero: directions of small variance are lost in the
    noise first. So scatters that are all noise leave the shared covariance.

    Parameters
    ----------
    scatters : ndarray of shape (n_classes, p, p)
        Sums of squares of the residuals of each class, under isometric noise.
    sd : ndarray broadcastable to (n_classes,)
        Noise on their diagonals; off these, smaller by sqrt(2).
    counts : ndarray of shape (n_classes,)
        Estimated counts, positive.
    shared : ndarray of shape (p, p)
        Covariance of all classes; public, positive definite.

    Returns
    -------
    factors : ndarray of shape (n_classes, p, p)
        F of each class, whose covariance is ``F @ shared @ F.T``.
    """
    values, vectors = np.linalg.eigh(shared)
    roots = np.sqrt(values)
    scale = roots[:, None] * roots
    eye = np.eye(len(roots))
    n = counts[:, None, None]
    gaps = vectors.T @ (scatters / n) @ vectors / scale - eye
    # Of the release, and that of a sample covariance.
    sd = np.broadcast_to(sd, counts.shape)[:, None, None]
    noise = (1.0 + eye) * ((sd / n / scale) ** 2 / 2.0 + 1.0 / n)
    shares = n / n.sum()
    together = np.sum(shares * gaps, axis=0)
    own = _shrunk(gaps - together, noise)
    together = _shrunk(together, np.sum(shares**2 * noise, axis=0))
    relative, axes = np.linalg.eigh(eye + together + own)
    lengths = np.sqrt(np.clip(relative, *_RELATIVE))
    inner = (axes * lengths[:, None, :]) @ np.swapaxes(axes, 1, 2)
    return vectors @ (inner * (roots[:, None] / roots)) @ vectors.T


def _shrunk(gaps, noise):
    """Shrink symmetric gaps of one prior variance, each by its own noise variance.

    The less noise an entry has, the more it tells of the prior variance; which is 0
    where all of them may be noise.
    """
    weights = (noise.min() / noise) ** 2
    energy = np.sum(weights * (gaps**2 - noise))
    # Of entries off the diagonal there are two alike.
    doubt = 2.0 * np.sqrt(np.sum((weights * noise) ** 2))
    prior = energy / weights.sum() if energy > _SURE * doubt else 0.0
    return gaps * (prior / (prior + noise))
