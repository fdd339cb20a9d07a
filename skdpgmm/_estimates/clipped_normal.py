"""Moments of a standard normal vector whose norm is clipped at rho.

For ``y ~ N(0, I_d)`` and ``y' = y min(1, rho / ||y||)``. All follow from the
chi-square distribution functions F_m (m degrees of freedom) at ``t = rho**2``
and from rotational symmetry.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc, gammaln

from skdpgmm._estimates.shrinkage import kept_share


def _chi2_cdf(m, t):
    return gammainc(m / 2.0, t / 2.0)


def mean_gain(d, t):
    """Derivative of ``E[(y + a)']`` in the shift a at 0: ``E[y' . y] / d``."""
    tail = np.sqrt(2.0) * np.exp(gammaln((d + 1) / 2.0) - gammaln(d / 2.0))
    return _chi2_cdf(d + 2, t) + np.sqrt(t) * tail * (1.0 - _chi2_cdf(d + 1, t)) / d


def variance_gain(d, t):
    """Derivative of the traceless part of ``E[y' y'^T]`` in that of the covariance."""
    return _chi2_cdf(d + 4, t) + t / (d + 2) * (1.0 - _chi2_cdf(d + 2, t))


def clipped_variance(d, t):
    """``E ||y'||**2 / d``."""
    return _chi2_cdf(d + 2, t) + t / d * (1.0 - _chi2_cdf(d, t))


def solve_scale(d, t, value, limit=16.0):
    """Scale s in [1 / limit, limit] for which clipped N(0, s I) has this variance.

    Solves ``s clipped_variance(d, t / s) = value``, increasing in s, by bisection.
    """
    low, high = 1.0 / limit, limit
    for _ in range(50):
        s = np.sqrt(low * high)
        if s * clipped_variance(d, t / s) < value:
            low = s
        else:
            high = s
    return np.sqrt(low * high)


def unclipped(scale, rest, d, rho, noise):
    """Undo what a clip at rho, and noise, have done to the covariance ``scale + rest``.

    Parameters
    ----------
    scale : float
        Mean of the eigenvalues, noisy.
    rest : ndarray
        What is left of the second moment, of trace 0, noisy.
    d : int
        Number of features.
    rho : float
        Clip radius.
    noise : tuple of two floats
        Variances of the noise in `scale`, and in all of `rest`.

    Returns
    -------
    scale, rest : float and ndarray
        Shrunk toward the identity as far as noise explains them.
    gain : float
        What the clip has left of `rest`.
    """
    t = rho**2
    before = clipped_variance(d, t)
    gap = scale - before
    scale = before + gap * kept_share(gap**2, noise[0])
    scale = solve_scale(d, t, scale)
    gain = variance_gain(d, t / scale)
    rest = rest * (kept_share(float(np.sum(rest**2)), noise[1]) / gain)
    return scale, rest, gain
