"""Private k-means: a start from a codebook, then Lloyd passes."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.budget import CLUSTERS, LAST_LLOYD_PASS, LLOYD_PASS
from skdpgmm._algorithms.codebook import (
    grow_codebook,
    merge_codebook,
    summarise_cells,
    tight_radii,
)
from skdpgmm._algorithms.view import Release
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.lifts import projected


class Clusters(NamedTuple):
    """Private k-means centres, about the centre of the ball.

    Attributes
    ----------
    centers : ndarray of shape (m, d)
    classes : ndarray of shape (m,)
    counts : Release
        Noisy counts, shape (m,).
    noisy : ndarray of shape (m, d)
        The centres before the last shrinkage.
    sd : ndarray of shape (m,)
        Noise in one coordinate of each of `noisy`.
    """

    centers: np.ndarray
    classes: np.ndarray
    counts: Release
    noisy: np.ndarray
    sd: np.ndarray


def random_basis(n_features, n_components, public_rng):
    """Return a random matrix with orthonormal columns."""
    return np.linalg.qr(public_rng.standard_normal((n_features, n_components)))[0]


def private_kmeans(view, n_clusters, n_classes, budget, n_passes):
    """Return private k-means clusters of every class."""
    ball = view.ball
    if n_clusters == 1:
        centers, classes = np.zeros((n_classes, ball.n_features)), np.arange(n_classes)
        radii = np.full(n_classes, ball.radius)
    else:
        budgets = budget.split(CLUSTERS)
        budget = budgets["passes"]
        centers, radii, classes = _start(
            view, n_clusters, n_classes, budgets["codebook"]
        )
    each = budget.each(n_passes)
    for i in range(n_passes):
        last = i == n_passes - 1
        budgets = each.split(LAST_LLOYD_PASS if last else LLOYD_PASS)
        name = f"lloyd pass {i}"
        found, radii = _lloyd_pass(view, centers, radii, classes, budgets, name)
        centers = found.centers
    return found


def _start(view, n_clusters, n_classes, budget):
    """Return centres, clip radii and classes of a codebook that was merged."""
    seen, basis, public_rng = view, None, view.public_rng
    choice = choices.codebook_features(view.n_features)
    if choice.value < view.n_features:
        basis = random_basis(view.n_features, view.decide(choice), public_rng)
        seen = view.through(projected(view.ball, basis))
    size = choices.n_codewords(n_clusters)
    # Of few features, which take little memory.
    with nullcontext() if basis is None else seen.held():
        codebook = grow_codebook(seen, n_classes, size, budget)
    largest = view.ball.radius
    centers, radii, classes = merge_codebook(codebook, n_clusters, largest, public_rng)
    if basis is not None:
        # Lifted centres lack what is outside the plane: only the ball is wide
        # enough for the first residuals.
        centers = centers @ basis.T
        radii = np.full(len(centers), largest)
    return centers, radii, classes


def _lloyd_pass(view, centers, radii, classes, budgets, name):
    """One assignment to public centres, one release, one shrunken step.

    Returns the clusters, and the clip radii of the next pass.
    """
    ball = view.ball
    centers = ball.limit(centers)
    grid_centers = ball.on_grid(centers)
    partition = NearestCell(grid_centers, classes)
    query = CellMoments(ball, partition, grid_centers, radii, tuple(budgets))
    counts, sums, *energies = view.release(name, query, [*budgets.values()])
    shift, n, traces, noise = summarise_cells(counts, sums, *energies, radii=radii)
    if energies:
        radii = tight_radii(traces, noise, ball.radius)
    noisy = centers + sums.value / n[:, None]
    sd = noise / math.sqrt(ball.n_features)
    return Clusters(centers + shift, classes, counts, noisy, sd), radii
