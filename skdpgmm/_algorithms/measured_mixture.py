"""Clusters, then one release of the second moments about their centres."""

from __future__ import annotations

import math

import numpy as np

from skdpgmm._algorithms.doubts import doubt, doubt_counts, doubt_differences
from skdpgmm._algorithms.kmeans import private_kmeans
from skdpgmm._algorithms.overlap import match_overlap
from skdpgmm._estimates.quantile import noisy_quantile
from skdpgmm._estimates.shrinkage import shrink_counts
from skdpgmm._models.covariance_type import Released
from skdpgmm._models.mixture import Mixture
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.histograms import DistanceHistogram
from skdpgmm.privacy.accounting import split_mu


def cluster_and_measure(
    records,
    ball,
    n_components,
    n_classes,
    covariance,
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
    covariance : Covariance
        Type of the covariances.
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
    agreement = 0.02 if n_classes > 1 and covariance.one_matrix else 0.0
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
        covariance,
        mus,
        mu,
        prior,
        (uncertain, sd**2),
    )
    if covariance.one_matrix and n_classes > 1:
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
    covariance,
    mus,
    mu_total,
    prior=None,
    uncertain=None,
):
    """Return the mixture of public means and the covariances about them.

    `uncertain` is as for `Covariance.estimate`.
    """
    radius = _residual_radius(
        records, ball, means, classes, counts, mus["radius"], mu_total
    )
    centers = ball.place(means)
    query = CellMoments(
        ball,
        NearestCell(centers, classes),
        centers,
        np.full(len(means), radius),
        (covariance.moment,),
    )
    (release,) = records.release("residuals", query, [mus["moments"]])
    sd = float(np.ravel(release.sd)[0])
    released = Released(release.value, sd, radius, counts, prior)
    means, covariances = covariance.estimate(released, means, uncertain)
    return Mixture(counts / counts.sum(), means, covariances, covariance, classes)


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
