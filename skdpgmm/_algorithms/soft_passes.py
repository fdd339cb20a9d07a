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

from skdpgmm._estimates.clipped_normal import (
    clipped_variance,
    mean_gain,
    solve_scale,
    variance_gain,
)
from skdpgmm._estimates.shrinkage import cut_lengths, james_stein, shrink_counts
from skdpgmm._models.mixture import COVARIANCES, Mixture
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


def part_costs(covariance_type, d, rho):
    """Expected divergence, in nats, that unit noise in counts, sums, moments costs.

    That is for one component with a unit count: noise of standard deviation
    ``sigma`` in part i of ``n`` records costs ``a_i (sigma / n)**2``.
    """
    n_numbers = COVARIANCES[covariance_type].n_numbers(d)
    return np.array([0.5, d * rho**2 / 2.0, n_numbers * rho**4 / 4.0])


def part_shares(covariance_type, d, rho):
    """Shares of counts, sums and moments in the budget of a pass.

    With a share s_i of the budget, part i has noise proportional to
    ``s_i**-0.5``: the shares that minimise the sum of costs are proportional to
    the square roots of a_i.
    """
    a = np.sqrt(part_costs(covariance_type, d, rho))
    shares = np.maximum(a / a.sum(), _MIN_SHARE)
    return dict(zip(("counts", "sums", "moments"), shares / shares.sum(), strict=True))


def pass_cost(covariance_type, d, k, rho, mu, noisy_n):
    """Expected divergence that the noise of one pass costs, for k equal components."""
    a = part_costs(covariance_type, d, rho)
    return float((np.sqrt(a).sum() * k / (mu * noisy_n)) ** 2)


def clip_radius(covariance_type, d, k, mu, noisy_n):
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
        if pass_cost(covariance_type, d, k, rho, mu, noisy_n) <= _AFFORDABLE:
            return float(rho)
    return tight


def auto_passes(covariance_type, d, k, mu, noisy_n):
    """Number of passes that are worth their noise; 0 when not even one is.

    Passes share the budget, so the last one costs in proportion to their number.
    """
    if np.isinf(mu):
        return _PASSES_WITHOUT_NOISE
    tight = clip_radius(covariance_type, d, k, mu, None)
    cost = pass_cost(covariance_type, d, k, tight, mu, noisy_n)
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
    kind = mixture.covariance_type
    passes = split_mu(mu, {str(i): 1.0 / n_passes for i in range(n_passes)})
    for i in range(n_passes):
        mixture = replace(mixture, means=ball.limit(mixture.means))
        rho = clip_radius(kind, d, k, passes[str(i)], noisy_n)
        query = _query(ball, mixture, rho)
        mus = split_mu(passes[str(i)], part_shares(kind, d, rho))
        counts, sums, moments = records.release(
            f"{name} {i}", query, list(mus.values())
        )
        noisy_n = max(float(counts.value.sum()), 1.0)
        mixture, moved, heard = m_step(
            mixture, counts, sums, moments, rho, _smallest_variance(ball)
        )
        if tol is not None and moved < tol:
            return Passes(mixture, i + 1, True, heard)
    return Passes(mixture, n_passes, False, heard)


def _smallest_variance(ball):
    return (ball.radius * 2.0**-20) ** 2


def _query(ball, mixture, rho):
    k = len(mixture.weights)
    whiteners = mixture.precisions_cholesky()
    if mixture.covariance_type == "tied":
        whiteners = np.broadcast_to(whiteners, (k, *whiteners.shape))
    return SoftMoments(
        ball,
        ball.place(mixture.means),
        whiteners,
        mixture.log_weights(),
        rho,
        mixture.classes,
        COVARIANCES[mixture.covariance_type].moment,
    )


def m_step(mixture, counts, sums, moments, rho, smallest_variance):
    """Return the next mixture, how far it moved in nats, and what was heard.

    Parameters
    ----------
    mixture : Mixture
        The one under which the moments were released.
    counts, sums, moments : Release
        Of the whitened residuals.
    rho : float
        Their clip radius.
    smallest_variance : float
        Variances below are not resolved by the grid.

    Returns
    -------
    mixture : Mixture
    moved : float
    heard : ndarray of bool of shape (k,)
        Components whose count stands out of its noise.
    """
    k, d = mixture.means.shape
    kind = COVARIANCES[mixture.covariance_type]
    n = np.maximum(counts.value, max(float(counts.sd), 1.0))
    # Components whose count is in the noise keep what they were.
    heard = counts.value > max(3.0 * float(counts.sd), 1e-3)
    gain = mean_gain(d, rho**2)
    shifts = james_stein(sums.value / n[:, None], sums.sd / n[:, None]) / gain
    shifts = cut_lengths(shifts, rho) * heard[:, None]
    weights = _weights(mixture, counts)

    whiteners = mixture.precisions_cholesky()
    tied = mixture.covariance_type == "tied"
    if tied:
        total = max(float(n.sum()), 1.0)
        spread = np.einsum("k,ki,kj->ij", n / total, shifts * gain, shifts * gain)
        covariances, change = _next_covariance(
            kind,
            mixture.covariances,
            whiteners,
            moments.value / total - spread,
            np.zeros(d),
            moments.sd / total,
            rho,
            smallest_variance,
        )
        changes = np.full(k, change)
    else:
        covariances, changes = mixture.covariances.copy(), np.zeros(k)
        for j in np.flatnonzero(heard):
            covariances[j], changes[j] = _next_covariance(
                kind,
                mixture.covariances[j],
                whiteners[j],
                moments.value[j] / n[j],
                shifts[j] * gain,
                moments.sd / n[j],
                rho,
                smallest_variance,
            )
    means = mixture.means + _unwhiten(shifts, whiteners, mixture.covariance_type)
    moved = float(weights @ (0.5 * np.sum(shifts**2, axis=1) + changes))
    moved += float(np.abs(weights - mixture.weights).sum()) ** 2
    mixture = replace(mixture, weights=weights, means=means, covariances=covariances)
    return mixture, moved, heard


def _weights(mixture, counts):
    weights = shrink_counts(counts.value, float(counts.sd))
    return weights / weights.sum()


def _unwhiten(shifts, whiteners, covariance_type):
    """Map shifts of the whitened space back: ``W^-T shift``."""
    if covariance_type == "full":
        return np.linalg.solve(whiteners.transpose(0, 2, 1), shifts[:, :, None])[..., 0]
    if covariance_type == "tied":
        return np.linalg.solve(whiteners.T, shifts.T).T
    return shifts / whiteners.reshape(len(shifts), -1)


def _next_covariance(
    kind, covariance, whitener, second, shift, sd, rho, smallest_variance
):
    """One covariance from its clipped second moment, with the bias of the clip undone.

    Returns the covariance and its divergence from the old one, in nats.
    """
    d, t = len(shift), rho**2
    iso, rest = kind.split(second, shift)
    # Shrink what the noise can explain toward the previous covariance, which is
    # the identity here.
    noise = sd**2 * kind.n_numbers(d) / d**2 if rest.ndim else (sd / d) ** 2
    before = clipped_variance(d, t)
    deviation = iso - before
    iso = before + deviation * (1.0 - noise / max(deviation**2, noise, 1e-300))
    s = solve_scale(d, t, iso)
    gain = variance_gain(d, t / s)
    energy = float(np.sum(rest**2))
    expected = sd**2 * kind.n_numbers(d)
    keep = 1.0 - expected / max(energy, expected, 1e-300)
    rest = rest * (keep / gain)
    edge = 2.0 * sd * np.sqrt(d / 2.0) / gain
    floor = float(np.clip(0.5 * edge, 1e-3 * s, 0.5 * s))
    new = kind.assemble(covariance, whitener, s, rest, floor)
    if rest.ndim < 2:
        new = np.maximum(new, smallest_variance)
    else:
        new = new + smallest_variance * np.eye(d)
    return new, 0.25 * (d * (s - 1.0) ** 2 + float(np.sum(rest**2)))
