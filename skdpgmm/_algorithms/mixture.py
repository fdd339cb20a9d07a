"""Fitting a mixture to private records, from a ball to the last pass.

With few features the start is an over-fit that is reduced. `cluster_and_measure`
is for many features, and for the plain method: private k-means, then one release
of the second moments about its centres.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms.doubts import doubt
from skdpgmm._algorithms.measured_mixture import cluster_and_measure, measure_mixture
from skdpgmm._algorithms.over_fit import (
    MAX_OVERFIT_COMPONENTS,
    MAX_OVERFIT_FEATURES,
    over_fit_and_reduce,
)
from skdpgmm._algorithms.soft_passes import auto_passes, soft_passes
from skdpgmm._estimates.shrinkage import shrink_counts
from skdpgmm._models.mixture import Mixture
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm.privacy.accounting import split_mu


class PublicStart(NamedTuple):
    """Parameters that are known before the fit, or None where they are not.

    Attributes
    ----------
    weights : ndarray of shape (k,) or None
    means : ndarray of shape (k, d) or None
    covariances : ndarray or None
    """

    weights: np.ndarray | None = None
    means: np.ndarray | None = None
    covariances: np.ndarray | None = None


UNKNOWN = PublicStart()


def fit_mixture(
    records,
    ball,
    n_components,
    covariance,
    mu,
    noisy_n,
    n_passes,
    public_rng,
    *,
    start=UNKNOWN,
    n_init=1,
    tol=None,
):
    """Fit an unlabelled mixture; returns it, the passes made, and convergence.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid.
    n_components : int
        Components.
    covariance : Covariance
        Type of the covariances.
    mu : float
        Budget.
    noisy_n : float
        Noisy number of records.
    n_passes : int or "auto"
        Passes at `n_components`; 0 is the plain method.
    public_rng : numpy.random.Generator
        Public randomness.
    start : PublicStart
        What is known.
    n_init : int
        Restarts of the reductions.
    tol : float, optional
        Stop the passes when the parameters move by less, in nats.

    Returns
    -------
    mixture : Mixture
        About the centre of the ball.
    n_made : int
    converged : bool
    """
    if n_passes == "auto":
        d, known = ball.n_features, any(part is not None for part in start)
        n_passes = auto_passes(covariance, d, n_components, mu, noisy_n)
        # A public start alone would tell nothing about the records.
        n_passes = max(n_passes, int(known))
    start_share = _start_share(n_components, ball.n_features, n_passes, start)
    mus = split_mu(mu, {"start": start_share, "passes": 1.0 - start_share})
    mixture = _find_start(
        records,
        ball,
        n_components,
        covariance,
        mus["start"],
        public_rng,
        start,
        over_fit=n_passes > 0,
        n_init=n_init,
        tol=tol,
    )
    if start.covariances is not None:
        mixture = replace(mixture, covariances=start.covariances)
    if start.weights is not None:
        mixture = replace(mixture, weights=np.asarray(start.weights, dtype=float))
    n_made, converged = 0, False
    if n_passes:
        mixture, n_made, converged, heard = soft_passes(
            records, ball, mixture, mus["passes"], n_passes, "pass", noisy_n, tol
        )
        if np.count_nonzero(~heard) > 0.5 * n_components:
            doubt(
                f"{np.count_nonzero(~heard)} of {n_components} components have counts "
                "that cannot be told from noise: they are what the start has made of "
                "them. Ask for fewer, for a larger epsilon, or give more records."
            )
    return mixture, n_made, converged


def _start_share(n_components, n_features, n_passes, start):
    """Share of the budget for what the passes start from."""
    if start.means is not None and start.covariances is not None:
        return 0.0
    if n_passes == 0:
        return 1.0
    if start.means is not None:
        return 0.25
    return 0.6 if over_fits(n_components, n_features) else 0.5


def over_fits(n_components, n_features):
    """Whether the start is an over-fit, with passes to follow."""
    few = 1 < n_components <= MAX_OVERFIT_COMPONENTS
    return few and n_features <= MAX_OVERFIT_FEATURES


def _find_start(
    records, ball, k, covariance, mu, public_rng, start, over_fit, n_init, tol
):
    """Return a mixture to start the passes from, spending `mu` on what is unknown."""
    classes = np.zeros(k, dtype=np.intp)
    if start.means is None:
        if over_fit and over_fits(k, ball.n_features):
            return over_fit_and_reduce(
                records, ball, k, covariance, mu, public_rng, n_init, tol
            )
        return cluster_and_measure(records, ball, k, 1, covariance, mu, public_rng)[0]
    means = start.means - ball.center
    if start.covariances is not None:
        weights = np.full(k, 1.0 / k)
        return Mixture(weights, means, start.covariances, covariance, classes)
    mus = split_mu(mu, {"counts": 0.1, "radius": 0.05, "moments": 0.85})
    centers = ball.place(means)
    query = CellMoments(
        ball, NearestCell(centers, classes), centers, np.ones(k), ("count",)
    )
    (release,) = records.release("start", query, [mus["counts"]])
    counts = shrink_counts(release.value, float(release.sd))
    return measure_mixture(records, ball, means, classes, counts, covariance, mus, mu)
