"""Fitting a mixture to private records, from a ball to the last pass.

With few features the start is an over-fit that is reduced. `cluster_and_measure`
is for many features, and for the plain method: private k-means, then one release
of the second moments about its centres.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skdpgmm._doubts import doubt, doubt_counts, doubt_differences
from skdpgmm._em import auto_passes, soft_passes
from skdpgmm._gaussian import COVARIANCES, Mixture
from skdpgmm._lloyd import private_kmeans
from skdpgmm._moment import NoisyMoment
from skdpgmm._overfit import (
    MAX_OVERFIT_COMPONENTS,
    MAX_OVERFIT_FEATURES,
    over_fit_and_reduce,
)
from skdpgmm._overlap import match_overlap
from skdpgmm._postprocess import noisy_quantile, shrink_between, shrink_counts
from skdpgmm.privacy.accounting import split_mu
from skdpgmm.privacy.sums import CellMoments, DistanceHistogram, NearestCell


def cluster_and_measure(
    records,
    ball,
    n_components,
    n_classes,
    covariance_type,
    mu,
    public_rng,
    means_share=0.3,
    prior=None,
):
    """Cluster each class, then release second moments about the centres.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid.
    n_components : int
        Components of each class.
    n_classes : int
        Number of classes.
    covariance_type : str
        As in scikit-learn.
    mu : float
        Budget.
    public_rng : numpy.random.Generator
        Public randomness.
    means_share : float
        Share of the budget for the clustering.
    prior : ndarray of shape (d, d), optional
        Second moment of public records, of any scale.

    Returns
    -------
    mixture : Mixture
        About the centre of the ball.
    counts : ndarray of shape (n_classes * n_components,)
        Estimated counts, positive.
    """
    agreement = 0.02 if n_classes > 1 and covariance_type == "tied" else 0.0
    mus = split_mu(
        mu,
        {
            "clusters": means_share,
            "radius": 0.02,
            "moments": 0.98 - means_share - agreement,
            "agreement": agreement,
        },
    )
    n_passes = 1 if n_components == 1 else 5
    means, classes, noisy_counts, noisy, sd = private_kmeans(
        records, ball, n_components, n_classes, mus["clusters"], n_passes, public_rng
    )
    counts = shrink_counts(noisy_counts.value, float(noisy_counts.sd))
    if n_components > 1:
        doubt_counts(noisy_counts.value, float(noisy_counts.sd), "components", 0.5)
    elif n_classes > 1:
        gaps = noisy - counts @ noisy / counts.sum()
        n_free = (n_classes - 1) * ball.n_features
        doubt_differences(gaps, sd[:, None], n_free, "The means of the classes")
    # With one component in a class, every direction by its own noise, and not once
    # more by that of all.
    uncertain = noisy if n_components == 1 else means
    mixture = measure_mixture(
        records,
        ball,
        means,
        classes,
        counts,
        covariance_type,
        mus,
        mu,
        prior,
        (uncertain, sd**2),
    )
    if covariance_type == "tied" and n_classes > 1:
        mixture = match_overlap(
            records,
            ball,
            mixture,
            counts.sum(),
            math.sqrt(len(counts)) * float(noisy_counts.sd),
            mus["agreement"],
            public_rng,
        )
    return mixture, counts


def measure_mixture(
    records,
    ball,
    means,
    classes,
    counts,
    covariance_type,
    mus,
    mu_total,
    prior=None,
    uncertain=None,
):
    """Return the mixture of public means and the covariances about them.

    Means that are `uncertain`, given with the variance of their noise, are shrunk
    when the covariance is tied, and take the place of those that it is about.
    """
    radius = _residual_radius(
        records, ball, means, classes, counts, mus["radius"], mu_total
    )
    covariances = measure_covariances(
        records,
        ball,
        means,
        classes,
        counts,
        radius,
        covariance_type,
        mus["moments"],
        prior,
    )
    weights = counts / counts.sum()
    if covariance_type == "tied":
        if uncertain is not None:
            noisy, noise = uncertain
            means = shrink_between(noisy, weights, noise, counts, covariances)
        covariances = covariances.matrix()
    return Mixture(weights, means, covariances, covariance_type, classes)


def _residual_radius(records, ball, means, classes, counts, mu, mu_total):
    """Radius that clips about as large a share as the noise will blur."""
    centers = ball.place(means)
    edges = 2.0 * ball.radius * 2.0 ** (np.arange(-8 * 20, 1) / 8.0)
    query = DistanceHistogram(ball, NearestCell(centers, classes), centers, edges)
    (release,) = records.release("residual norms", query, [mu])
    blur = ball.n_features / (mu_total * counts.sum())
    q = 1.0 - float(np.clip(blur, 0.0, 0.1))
    radius = noisy_quantile(release.value, release.sd, edges, q)
    if radius is None:
        doubt(
            "The distances of the records to the centres cannot be told from noise of "
            f"standard deviation {float(release.sd):.3g} in each bin of their "
            "histogram, so that covariances are measured with the noise of the whole "
            "ball. A larger epsilon or more records are needed."
        )
        return ball.radius
    return radius


def measure_covariances(
    records, ball, means, classes, counts, radius, covariance_type, mu, prior=None
):
    """Release second moments about public centres, and shrink them by their noise.

    Returns covariances in scikit-learn's shape, one that is tied as `Spikes`.
    """
    k, d = means.shape
    centers = ball.place(means)
    moment = COVARIANCES[covariance_type].moment
    query = CellMoments(
        ball, NearestCell(centers, classes), centers, np.full(k, radius), (moment,)
    )
    (release,) = records.release("residuals", query, [mu])
    sd = float(np.ravel(release.sd)[0])
    floor = (radius * 2.0**-20) ** 2
    total = counts.sum()
    if covariance_type == "tied":
        second = NoisyMoment(release.value / total, sd / total, radius, prior)
        return second.along(means - means.mean(axis=0))
    if covariance_type == "full":
        moments = (
            NoisyMoment(release.value[j] / n, sd / n, radius, prior)
            for j, n in enumerate(counts)
        )
        return np.stack([moment.estimate.matrix() for moment in moments])
    if covariance_type == "diag":
        pooled = release.value.sum(axis=0) / total
        pooled_sd = sd * math.sqrt(k) / total
        pooled = _shrink_variances(pooled, pooled_sd, pooled.mean(), pooled_sd, floor)
        return np.stack(
            [
                _shrink_variances(v / n, sd / n, pooled, sd / n, floor)
                for v, n in zip(release.value, counts, strict=True)
            ]
        )
    pooled = max(release.value.sum() / total / d, floor)
    variances = release.value / counts / d
    noise = sd / counts / d
    return np.where(variances > 2.0 * noise, np.maximum(variances, floor), pooled)


def _shrink_variances(variances, sd, prior, noise_floor, floor):
    """Shrink noisy variances toward `prior` as far as noise explains the gap."""
    gap = variances - prior
    noise = len(variances) * sd**2
    keep = 1.0 - noise / max(float(np.sum(gap**2)), noise, 1e-300)
    positive = np.maximum(np.mean(variances), floor)
    least = max(floor, min(noise_floor, 0.1 * positive))
    return np.maximum(prior + keep * gap, least)


class PublicStart(NamedTuple):
    """Parameters that are known before the fit, or None where they are not.

    Attributes
    ----------
    weights : ndarray of shape (k,) or None
    means : ndarray of shape (k, d) or None
    precisions_cholesky : ndarray or None
        In scikit-learn's shape.
    """

    weights: np.ndarray | None = None
    means: np.ndarray | None = None
    precisions_cholesky: np.ndarray | None = None

    def covariances(self, covariance_type):
        """Return the covariances of `precisions_cholesky`, which must be known."""
        P = np.asarray(self.precisions_cholesky)
        if covariance_type in ("full", "tied"):
            root = np.linalg.inv(P)
            return np.swapaxes(root, -1, -2) @ root
        return P**-2.0


UNKNOWN = PublicStart()


def fit_mixture(
    records,
    ball,
    n_components,
    covariance_type,
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
    covariance_type : str
        As in scikit-learn.
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
        n_passes = auto_passes(covariance_type, d, n_components, mu, noisy_n)
        # A public start alone would tell nothing about the records.
        n_passes = max(n_passes, int(known))
    start_share = _start_share(n_components, ball.n_features, n_passes, start)
    mus = split_mu(mu, {"start": start_share, "passes": 1.0 - start_share})
    mixture = _find_start(
        records,
        ball,
        n_components,
        covariance_type,
        mus["start"],
        public_rng,
        start,
        over_fit=n_passes > 0,
        n_init=n_init,
        tol=tol,
    )
    if start.precisions_cholesky is not None:
        mixture = replace(mixture, covariances=start.covariances(covariance_type))
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
    if start.means is not None and start.precisions_cholesky is not None:
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
    records, ball, k, covariance_type, mu, public_rng, start, over_fit, n_init, tol
):
    """Return a mixture to start the passes from, spending `mu` on what is unknown."""
    classes = np.zeros(k, dtype=np.intp)
    if start.means is None:
        if over_fit and over_fits(k, ball.n_features):
            return over_fit_and_reduce(
                records, ball, k, covariance_type, mu, public_rng, n_init, tol
            )
        return cluster_and_measure(
            records, ball, k, 1, covariance_type, mu, public_rng
        )[0]
    means = start.means - ball.center
    if start.precisions_cholesky is not None:
        covariances = start.covariances(covariance_type)
        return Mixture(
            np.full(k, 1.0 / k), means, covariances, covariance_type, classes
        )
    mus = split_mu(mu, {"counts": 0.1, "radius": 0.05, "moments": 0.85})
    centers = ball.place(means)
    query = CellMoments(
        ball, NearestCell(centers, classes), centers, np.ones(k), ("count",)
    )
    (release,) = records.release("start", query, [mus["counts"]])
    counts = shrink_counts(release.value, float(release.sd))
    return measure_mixture(
        records, ball, means, classes, counts, covariance_type, mus, mu
    )
