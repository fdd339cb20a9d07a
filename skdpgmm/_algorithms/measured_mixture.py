"""Clusters, then one release of the second moments about their centres."""

from __future__ import annotations

import math

import numpy as np

from skdpgmm._algorithms.doubts import doubt, doubt_counts, doubt_differences
from skdpgmm._algorithms.kmeans import private_kmeans
from skdpgmm._algorithms.overlap import match_overlap
from skdpgmm._estimates.quantile import noisy_quantile
from skdpgmm._estimates.second_moment import NoisyMoment
from skdpgmm._estimates.shrinkage import shrink_between, shrink_counts
from skdpgmm._models.mixture import COVARIANCES, Mixture
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.histograms import DistanceHistogram
from skdpgmm.privacy.accounting import split_mu


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
