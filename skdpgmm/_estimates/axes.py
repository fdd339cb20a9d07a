"""Principal axes of a second moment that was released, and the variances along them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh
from sklearn.utils.extmath import svd_flip

# Quantile of .99 of the law of Tracy and Widom for symmetric matrices.
_TRACY_WIDOM = 2.02
# Relative difference of eigenvalues that rounding makes.
_ROUNDING = 1e-9


class Axes(NamedTuple):
    """Principal axes, and what is known of the variance along them.

    Attributes
    ----------
    components : ndarray of shape (k, d)
        Orthonormal rows.
    variances : ndarray of shape (k,)
        Descending.
    total : float
        Variance in all directions.
    """

    components: np.ndarray
    variances: np.ndarray
    total: float

    @property
    def rest(self) -> float:
        """Mean variance in the directions that are left; 0 where none are."""
        k, d = self.components.shape
        left = self.total - float(self.variances.sum())
        return max(left, 0.0) / (d - k) if k < d else 0.0


def spectral_edge(moment):
    """Return the largest eigenvalue that the noise in a moment has by itself."""
    return moment.sd * np.sqrt(2.0 * len(moment.value))


def n_clear(moment):
    """Return in how many directions a moment stands clearly out of its noise.

    The largest eigenvalue of noise alone lies about the edge, above it by the law of
    Tracy and Widom [1]_, whose quantile is asked for here. What an eigenvalue has been
    shrunk to, `spiked_covariance`, tells where it was.

    References
    ----------
    .. [1] C. Tracy and H. Widom (1996), "On orthogonal and symplectic matrix
       ensembles", Communications in Mathematical Physics 177.
    """
    estimate, edge = moment.estimate, spectral_edge(moment)
    beyond = 1.0 + 0.5 * _TRACY_WIDOM / len(moment.value) ** (2.0 / 3.0)
    least = edge * np.sqrt(beyond**2 - 1.0)
    return int(np.count_nonzero(estimate.values - estimate.bulk > least))


def alike(moment):
    """Return whether all directions of a moment are alike: none is better then."""
    values = np.linalg.eigvalsh(moment.value)
    return bool(np.ptp(values) <= _ROUNDING * np.abs(values).max(initial=0.0))


def n_explaining(moment, share):
    """Return how many axes have more than a share of the variance between them."""
    values = _spectrum(moment.estimate)
    explained = np.cumsum(values) / values.sum()
    return min(int(np.searchsorted(explained, share, side="right")) + 1, len(values))


def principal_axes(moment, n_axes, total) -> Axes:
    """Return the axes along which a noisy moment is largest.

    Their directions are those of the release: below the spectral edge, each is mostly
    noise, but all together still lean to where the records vary. The variances are
    those of its estimate, which are shrunk by the known noise.

    Parameters
    ----------
    moment : NoisyMoment
        The release.
    n_axes : int
        How many.
    total : float
        Variance in all directions, to which the estimate is scaled.
    """
    d, estimate = len(moment.value), moment.estimate
    _, vectors = eigh(moment.value, subset_by_index=(d - n_axes, d - 1))
    _, components = svd_flip(None, vectors[:, ::-1].T, u_based_decision=False)
    scale = total / estimate.trace
    return Axes(components, scale * _spectrum(estimate)[:n_axes], total)


def _spectrum(estimate):
    """Return all eigenvalues of an estimate, descending."""
    n_bulk = len(estimate.vectors) - len(estimate.values)
    return np.append(estimate.values, np.full(n_bulk, estimate.bulk))
