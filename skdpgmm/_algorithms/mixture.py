"""Fitting a mixture to private records, from a ball to the last pass.

With few features the start is an over-fit that is reduced. `measure_clusters` is for
many features, and for the plain method: private k-means, then one release of the
second moments about its centres.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.budget import PUBLIC_MEANS, START, START_ONLY
from skdpgmm._algorithms.doubts import doubt
from skdpgmm._algorithms.measured_mixture import (
    Centers,
    measure_clusters,
    measure_mixture,
    residual_radius,
)
from skdpgmm._algorithms.over_fit import start_from_many
from skdpgmm._algorithms.soft_passes import refine
from skdpgmm._estimates.shrinkage import shrink_counts
from skdpgmm._models.covariance_type import Covariance
from skdpgmm._models.mixture import Mixture
from skdpgmm._queries.cells import CellMoments, NearestCell


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

    def in_units(self, units, covariance) -> PublicStart:
        """Return the same for rows in units."""
        means, covariances = self.means, self.covariances
        if means is not None:
            means = units.of_rows(means)
        if covariances is not None:
            covariances = covariance.rescaled(covariances, 1.0 / units.scale)
        return self._replace(means=means, covariances=covariances)


UNKNOWN = PublicStart()


class Wanted(NamedTuple):
    """What is asked of an unlabelled mixture.

    Attributes
    ----------
    k : int
        Components.
    covariance : Covariance
        Type of their covariances.
    n_passes : int or "auto"
        Passes at `k` components; 0 is the plain method.
    start : PublicStart
        What is known.
    n_init : int
        Starts of the reductions.
    tol : float or None
        Stop the passes when the parameters move by less, in nats.
    """

    k: int
    covariance: Covariance
    n_passes: int | str = "auto"
    start: PublicStart = UNKNOWN
    n_init: int = 1
    tol: float | None = None


def fit_mixture(view, wanted, budget):
    """Fit an unlabelled mixture.

    Parameters
    ----------
    view : View
        Of known number, unless `n_passes` is 0.
    wanted : Wanted
    budget : Budget

    Returns
    -------
    mixture : Mixture
        About the centre of the ball.
    n_made : int
    converged : bool
    """
    k, covariance, n_passes, start, _, tol = wanted
    d = view.n_features
    if n_passes == "auto":
        n_passes = view.decide(
            choices.n_passes(covariance, d, k, budget.mu, view.n, start)
        )
    kind = view.decide(choices.start(k, d, n_passes, start))
    budgets = budget.split(START[kind] if n_passes else START_ONLY)
    mixture = _find_start(view, wanted, kind, budgets["start"])
    if start.covariances is not None:
        mixture = replace(mixture, covariances=start.covariances)
    if start.weights is not None:
        mixture = replace(mixture, weights=np.asarray(start.weights, dtype=float))
    if not n_passes:
        return mixture, 0, False
    mixture, n_made, converged, clear = refine(
        view, mixture, budgets["passes"], n_passes, tol=tol
    )
    n_unclear = int(np.count_nonzero(~clear))
    if n_unclear:
        doubt(
            f"{n_unclear} of {k} components have counts that cannot be told from "
            "noise: they are what the start has made of them. Ask for fewer, for a "
            "larger epsilon, or give more records."
        )
    return mixture, n_made, converged


def _find_start(view, wanted, kind, budget):
    """Return a mixture to start the passes from, spending on what is unknown."""
    k, covariance, _, start, n_init, tol = wanted
    if kind == "over-fit":
        return start_from_many(view, k, covariance, budget, n_init, tol)
    if kind == "clusters":
        return measure_clusters(view, k, 1, covariance, budget)
    classes = np.zeros(k, dtype=np.intp)
    means = start.means - view.ball.center
    if kind == "known":
        weights = np.full(k, 1.0 / k)
        return Mixture(weights, means, start.covariances, covariance, classes)
    budgets = budget.split(PUBLIC_MEANS)
    grid = view.ball.on_grid(means)
    partition = NearestCell(grid, classes)
    query = CellMoments(view.ball, partition, grid, np.ones(k), ("count",))
    (release,) = view.release("start", query, [budgets["counts"]])
    counts = shrink_counts(release.value, float(release.sd))
    centers = Centers(means, classes, counts)
    q = choices.residual_quantile(view.n_features, budget.mu, counts.sum())
    radius = residual_radius(view, centers, q, budgets["radius"])
    return measure_mixture(view, centers, radius, covariance, budgets["moments"])
