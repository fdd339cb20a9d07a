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

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.budget import soft_pass
from skdpgmm._algorithms.doubts import CLEAR
from skdpgmm._algorithms.outcome import quality_of, shapes, widths
from skdpgmm._estimates.clipped_normal import mean_gain
from skdpgmm._estimates.second_moment import smallest_variance
from skdpgmm._estimates.shrinkage import cut_lengths, james_stein, shrink_counts
from skdpgmm._models.covariance_type import Whitened
from skdpgmm._models.mixture import Mixture
from skdpgmm._queries.soft import SoftMoments

# Counts below are no counts, where there is no noise. Not argued.
_LEAST_COUNT = 1e-3


class Passes(NamedTuple):
    """What soft passes led to.

    Attributes
    ----------
    mixture : Mixture
    n_made : int
    converged : bool
        Whether tol was met.
    clear : ndarray of bool of shape (k,)
        Components whose count stood out of its noise in the last pass.
    """

    mixture: Mixture
    n_made: int
    converged: bool
    clear: np.ndarray


def refine(view, mixture, budget, n_passes, name="pass", tol=None):
    """Refine every component of a mixture in its own metric.

    Parameters
    ----------
    view : View
        Of known number.
    mixture : Mixture
        Public start, about the centre of the ball.
    budget : Budget
        Of all passes.
    n_passes : int
        Number of passes, at least 1.
    name : str
        Name in the ledger.
    tol : float, optional
        Stop when the parameters move by less, in nats. A function of releases,
        so it costs nothing; what is left of the budget is forfeited.

    Returns
    -------
    passes : Passes
    """
    k, d = mixture.means.shape
    ball, covariance = view.ball, mixture.covariance
    each = budget.each(n_passes)
    for i in range(n_passes):
        mixture = replace(mixture, means=ball.limit(mixture.means))
        rho = view.decide(choices.clip_radius(covariance, d, k, each.mu, view.n))
        budgets = each.parts(soft_pass(covariance, d, rho))
        query = _query(ball, mixture, rho)
        counts, sums, moments = view.release(f"{name} {i}", query, budgets)
        view = view.counted(max(float(counts.value.sum()), 1.0))
        least = smallest_variance(ball.radius)
        mixture, moved, clear = m_step(mixture, counts, sums, moments, rho, least)
        converged = tol is not None and moved < tol
        if converged:
            break
    sd = np.ravel(sums.sd) / _divisors(counts) / mean_gain(d, rho**2)
    kinds = {"mean": widths(sd, d), "shape": shapes(moments, covariance, k)}
    view.note(quality_of(mixture.classes, counts, **kinds))
    return Passes(mixture, i + 1, converged, clear)


def _query(ball, mixture, rho):
    covariance = mixture.covariance
    return SoftMoments(
        ball,
        ball.on_grid(mixture.means),
        covariance.each(mixture.whiteners(), len(mixture.weights)),
        mixture.log_weights(),
        rho,
        mixture.classes,
        covariance.moment,
    )


def m_step(mixture, counts, sums, moments, rho, least):
    """Return the next mixture, how far it moved in nats, and what was clear.

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
    clear : ndarray of bool of shape (k,)
        Components whose count stands out of its noise.
    """
    d = mixture.means.shape[1]
    covariance, whiteners = mixture.covariance, mixture.whiteners()
    n = _divisors(counts)
    # Components whose count is in the noise keep what they were.
    clear = counts.value > max(CLEAR * float(counts.sd), _LEAST_COUNT)
    gain = mean_gain(d, rho**2)
    shifts = james_stein(sums.value / n[:, None], sums.sd / n[:, None]) / gain
    shifts = cut_lengths(shifts, rho) * clear[:, None]
    weights = _weights(mixture, counts)
    white = Whitened(n, shifts * gain, moments.value, moments.sd, rho, clear)
    covariances, changes = covariance.refined(
        mixture.covariances, whiteners, white, least
    )
    means = mixture.means + covariance.unwhiten(shifts, whiteners)
    moved = float(weights @ (0.5 * np.sum(shifts**2, axis=1) + changes))
    moved += float(np.abs(weights - mixture.weights).sum()) ** 2
    mixture = replace(mixture, weights=weights, means=means, covariances=covariances)
    return mixture, moved, clear


def _divisors(counts):
    return np.maximum(counts.value, max(float(counts.sd), 1.0))


def _weights(mixture, counts):
    weights = shrink_counts(counts.value, float(counts.sd))
    return weights / weights.sum()
