"""Clusters, then one release of the second moments about their centres."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.budget import MATCHED, MEASURED
from skdpgmm._algorithms.doubts import (
    CLEAR,
    doubt,
    doubt_counts,
    doubt_differences,
    doubt_rare,
)
from skdpgmm._algorithms.kmeans import private_kmeans
from skdpgmm._algorithms.outcome import distances, quality_of, shapes
from skdpgmm._algorithms.overlap import match_agreement
from skdpgmm._estimates.quantile import noisy_quantile
from skdpgmm._estimates.shrinkage import shrink_counts
from skdpgmm._models.covariance_type import Released
from skdpgmm._models.mixture import Mixture
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.histograms import DistanceHistogram

# Bins for each doubling of a residual norm, and halvings of the ball that they resolve.
# Not argued.
_PER_OCTAVE, _OCTAVES = 8, 20
# Share of the components whose counts may be noise before it is said: of as many as
# "auto" takes, some are lost where all is well. Not argued.
_MOST_WEAK = 0.5


class Centers(NamedTuple):
    """Public centres about that of the ball, and what is known of their records."""

    means: np.ndarray
    classes: np.ndarray
    counts: np.ndarray  # estimated, positive


def measure_clusters(view, k, n_classes, covariance, budget, prior=None):
    """Cluster each class, then release second moments about the centres.

    Parameters
    ----------
    view : View
    k : int
        Components of each class.
    n_classes : int
    covariance : Covariance
        Type of the covariances.
    budget : Budget
    prior : ndarray of shape (d, d), optional
        Second moment of public records, of any scale.

    Returns
    -------
    mixture : Mixture
        About the centre of the ball.
    """
    matched = covariance.one_matrix and n_classes > 1
    budgets = budget.split(MATCHED if matched else MEASURED)
    found = private_kmeans(
        view, k, n_classes, budgets["clusters"], choices.n_cluster_passes(k)
    )
    noisy, sd = found.counts.value, float(found.counts.sd)
    counts = shrink_counts(noisy, sd)
    means = distances(found.noisy, found.sd)
    view.note(quality_of(found.classes, found.counts, mean=means))
    if k > 1:
        doubt_counts(noisy, sd, "components", _MOST_WEAK)
    elif n_classes > 1:
        gaps = found.noisy - counts @ found.noisy / counts.sum()
        doubt_rare(noisy < CLEAR * sd, counts)
        n_free = (n_classes - 1) * view.n_features
        doubt_differences(gaps, found.sd[:, None], n_free, "The means of the classes")
    # One component per class: shrink direction by direction only, not also by
    # James-Stein.
    uncertain = found.noisy if k == 1 else found.centers
    centers = Centers(found.centers, found.classes, counts)
    q = choices.residual_quantile(view.n_features, budget.mu, counts.sum())
    radius = residual_radius(view, centers, q, budgets["radius"])
    mixture = measure_mixture(
        view,
        centers,
        radius,
        covariance,
        budgets["moments"],
        prior,
        (uncertain, found.sd**2),
    )
    if matched:
        sd_of_all = math.sqrt(len(counts)) * sd
        view = view.counted(counts.sum())
        mixture = match_agreement(view, mixture, sd_of_all, budgets["agreement"])
    return mixture


def measure_mixture(
    view, centers, radius, covariance, budget, prior=None, uncertain=None
):
    """Return the mixture of public means and the covariances about them.

    Residuals are clipped to `radius`; `uncertain` is as for `Covariance.estimate`.
    """
    means, classes, counts = centers
    grid = view.ball.on_grid(means)
    radii = np.full(len(means), radius)
    partition = NearestCell(grid, classes)
    query = CellMoments(view.ball, partition, grid, radii, (covariance.moment,))
    (release,) = view.release("residuals", query, [budget])
    view.note(quality_of(classes, shape=shapes(release, covariance, len(means))))
    sd = float(np.ravel(release.sd)[0])
    released = Released(release.value, sd, radius, counts, prior)
    means, covariances = covariance.estimate(released, means, uncertain)
    return Mixture(counts / counts.sum(), means, covariances, covariance, classes)


def residual_radius(view, centers, q, budget):
    """Return a radius that holds the share `q` of the residuals."""
    ball, (means, classes, _) = view.ball, centers
    grid = ball.on_grid(means)
    exponents = np.arange(-_PER_OCTAVE * _OCTAVES, 1) / _PER_OCTAVE
    edges = 2.0 * ball.radius * 2.0**exponents
    query = DistanceHistogram(ball, NearestCell(grid, classes), grid, edges)
    (release,) = view.release("residual norms", query, [budget])
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
