"""Private soft passes: each component is refined in its own metric.

One pass releases, under the public mixture of the pass before it, counts, means
and second moments of the whitened residuals ``z = W^T (x - m)``, clipped at rho,
weighted by the responsibilities. In whitened space every component looks like a
standard normal vector, so one radius suits all and the bias of the clip is known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from skdpgmm._estimates.clipped_normal import mean_gain
from skdpgmm._estimates.second_moment import smallest_variance
from skdpgmm._estimates.shrinkage import cut_lengths, james_stein, shrink_counts
from skdpgmm._models.covariance_type import Whitened
from skdpgmm._models.mixture import Mixture
from skdpgmm._queries.soft import SoftMoments
from skdpgmm.privacy.accounting import split_mu

# A clip at this quantile loses little and keeps the sensitivity small.
_CLIP_QUANTILE = 0.85
_WIDEST = 4.0
# Nats that a pass may lose to noise for the sake of a wider clip.
_AFFORDABLE = 0.005
# More passes gain nothing once the start is a reduced over-fit.
_MAX_PASSES = 4
_PASSES_WITHOUT_NOISE = 100
# Nats that all passes, were each to have the whole budget, may lose to noise. Where
# they would lose more, one hard pass tells more than responsibilities do.
_MAX_COST = 0.08
_MIN_SHARE = 0.04


def part_costs(covariance, d, rho):
    """Expected divergence, in nats, that unit noise in counts, sums, moments costs.

    That is for one component with a unit count: noise of standard deviation
    ``sigma`` in part i of ``n`` records costs ``a_i (sigma / n)**2``.
    """
    n_numbers = covariance.n_numbers(d)
    return np.array([0.5, d * rho**2 / 2.0, n_numbers * rho**4 / 4.0])


def part_shares(covariance, d, rho):
    """Shares of counts, sums and moments in the budget of a pass.

    With a share s_i of the budget, part i has noise proportional to
    ``s_i**-0.5``: the shares that minimise the sum of costs are proportional to
    the square roots of a_i.
    """
    a = np.sqrt(part_costs(covariance, d, rho))
    shares = np.maximum(a / a.sum(), _MIN_SHARE)
    return dict(zip(("counts", "sums", "moments"), shares / shares.sum(), strict=True))


def pass_cost(covariance, d, k, rho, mu, noisy_n):
    """Expected divergence that the noise of one pass costs, for k equal components."""
    a = part_costs(covariance, d, rho)
    return float((np.sqrt(a).sum() * k / (mu * noisy_n)) ** 2)


def clip_radius(covariance, d, k, mu, noisy_n):
    """Clip radius of whitened residuals, as wide as the noise allows.

    A tight clip loses little of a Gaussian and keeps the sensitivity small. A wide
    one has less bias where the tails are heavier than those of a Gaussian.
    """
    if np.isinf(mu):
        return float(np.sqrt(chi2.ppf(1.0 - 1e-12, d)))
    tight = float(np.sqrt(chi2.ppf(_CLIP_QUANTILE, d)))
    if noisy_n is None:
        return tight
    candidates = tight * np.geomspace(_WIDEST, 1.0, 25)
    for rho in candidates:
        if pass_cost(covariance, d, k, rho, mu, noisy_n) <= _AFFORDABLE:
            return float(rho)
    return tight


def auto_passes(covariance, d, k, mu, noisy_n):
    """Number of passes that are worth their noise; 0 when not even one is.

    Passes share the budget, so the last one costs in proportion to their number.
    """
    if np.isinf(mu):
        return _PASSES_WITHOUT_NOISE
    tight = clip_radius(covariance, d, k, mu, None)
    cost = pass_cost(covariance, d, k, tight, mu, noisy_n)
    return int(min(_MAX_PASSES, _MAX_COST / cost))


class Passes(NamedTuple):
    """What soft passes led to.

    Attributes
    ----------
    mixture : Mixture
    n_made : int
    converged : bool
        Whether tol was met.
    heard : ndarray of bool of shape (k,)
        Components whose count stood out of its noise in the last pass.
    """

    mixture: Mixture
    n_made: int
    converged: bool
    heard: np.ndarray


def soft_passes(records, ball, mixture, mu, n_passes, name, noisy_n, tol=None):
    """Refine every component of a mixture in its own metric.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid.
    mixture : Mixture
        Public start, about the centre of the ball.
    mu : float
        Budget of all passes.
    n_passes : int
        Number of passes, at least 1.
    name : str
        Name in the ledger.
    noisy_n : float
        Noisy number of records.
    tol : float, optional
        Stop when the parameters move by less, in nats. A function of releases,
        so it costs nothing; what is left of the budget is forfeited.

    Returns
    -------
    passes : Passes
    """
    k, d = mixture.means.shape
    covariance = mixture.covariance
    passes = split_mu(mu, {str(i): 1.0 / n_passes for i in range(n_passes)})
    for i in range(n_passes):
        mixture = replace(mixture, means=ball.limit(mixture.means))
        rho = clip_radius(covariance, d, k, passes[str(i)], noisy_n)
        query = _query(ball, mixture, rho)
        mus = split_mu(passes[str(i)], part_shares(covariance, d, rho))
        counts, sums, moments = records.release(
            f"{name} {i}", query, list(mus.values())
        )
        noisy_n = max(float(counts.value.sum()), 1.0)
        mixture, moved, heard = m_step(
            mixture, counts, sums, moments, rho, smallest_variance(ball.radius)
        )
        if tol is not None and moved < tol:
            return Passes(mixture, i + 1, True, heard)
    return Passes(mixture, n_passes, False, heard)


def _query(ball, mixture, rho):
    covariance = mixture.covariance
    return SoftMoments(
        ball,
        ball.place(mixture.means),
        covariance.each(mixture.whiteners(), len(mixture.weights)),
        mixture.log_weights(),
        rho,
        mixture.classes,
        covariance.moment,
    )


def m_step(mixture, counts, sums, moments, rho, least):
    """Return the next mixture, how far it moved in nats, and what was heard.

    Parameters
    ----------
    mixture : Mixture
        The one under which the moments were released.
    counts, sums, moments : Release
        Of the whitened residuals.
    rho : float
        Their clip radius.
    least : float
        Variances below are not resolved by the grid.

    Returns
    -------
    mixture : Mixture
    moved : float
    heard : ndarray of bool of shape (k,)
        Components whose count stands out of its noise.
    """
    d = mixture.means.shape[1]
    covariance, whiteners = mixture.covariance, mixture.whiteners()
    n = np.maximum(counts.value, max(float(counts.sd), 1.0))
    # Components whose count is in the noise keep what they were.
    heard = counts.value > max(3.0 * float(counts.sd), 1e-3)
    gain = mean_gain(d, rho**2)
    shifts = james_stein(sums.value / n[:, None], sums.sd / n[:, None]) / gain
    shifts = cut_lengths(shifts, rho) * heard[:, None]
    weights = _weights(mixture, counts)
    white = Whitened(n, shifts * gain, moments.value, moments.sd, rho, heard)
    covariances, changes = covariance.refined(
        mixture.covariances, whiteners, white, least
    )
    means = mixture.means + covariance.unwhiten(shifts, whiteners)
    moved = float(weights @ (0.5 * np.sum(shifts**2, axis=1) + changes))
    moved += float(np.abs(weights - mixture.weights).sum()) ** 2
    mixture = replace(mixture, weights=weights, means=means, covariances=covariances)
    return mixture, moved, heard


def _weights(mixture, counts):
    weights = shrink_counts(counts.value, float(counts.sd))
    return weights / weights.sum()
