"""Private k-means: a start from a codebook, then Lloyd passes."""

from __future__ import annotations

import math
from contextlib import nullcontext

import numpy as np

from skdpgmm._algorithms.codebook import (
    grow_codebook,
    merge_codebook,
    summarise_cells,
    tight_radii,
)
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.lifts import projected
from skdpgmm.privacy.accounting import split_mu

# Above this many features the codebook lives in a random projection: directions cost
# noise, and far fewer of them are enough to tell clusters apart.
PROJECTED_FEATURES = 16
# Clusters that are not round are made of several codewords.
_MIN_CODEWORDS = 32
_PARTS = {"count": 0.15, "sum": 0.75, "energy": 0.10}
# The last pass has no successor whose radius it would have to set.
_LAST_PARTS = {"count": 0.15, "sum": 0.85}


def random_basis(n_features, n_components, public_rng):
    """Return a random matrix with orthonormal columns."""
    return np.linalg.qr(public_rng.standard_normal((n_features, n_components)))[0]


def private_kmeans(
    records, ball, n_clusters, n_classes, mu, n_passes, public_rng, codebook_share=0.5
):
    """Return private k-means centres of every class.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid.
    n_clusters : int
        Clusters of each class.
    n_classes : int
        Number of classes, public.
    mu : float
        Budget.
    n_passes : int
        Lloyd passes, at least 1.
    public_rng : numpy.random.Generator
        Public randomness: projection and restarts.
    codebook_share : float
        Share of the budget for the start.

    Returns
    -------
    centers : ndarray of shape (n_classes * n_clusters, d)
        About the centre of the ball.
    classes : ndarray of shape (n_classes * n_clusters,)
    counts : Release
        Noisy counts, shape (n_classes * n_clusters,).
    noisy : ndarray of shape (n_classes * n_clusters, d)
        The centres before the last shrinkage.
    sd : ndarray of shape (n_classes * n_clusters,)
        Noise in one coordinate of each of `noisy`.
    """
    d = ball.n_features
    radii = np.full(n_clusters * n_classes, ball.radius)
    mus = {"codebook": 0.0, "passes": mu}
    if n_clusters == 1:
        centers, classes = np.zeros((n_classes, d)), np.arange(n_classes)
    else:
        mus = split_mu(mu, {"codebook": codebook_share, "passes": 1.0 - codebook_share})
        seen, basis = ball, None
        if d > PROJECTED_FEATURES:
            basis = random_basis(d, PROJECTED_FEATURES, public_rng)
            seen = projected(ball, basis)
        size = max(_MIN_CODEWORDS, 3 * n_clusters)
        # Of few features, which take little memory.
        with nullcontext() if basis is None else records.holding(seen):
            codebook = grow_codebook(
                records, seen, n_classes, size, mus["codebook"], public_rng
            )
        centers, radii, classes = merge_codebook(
            codebook, n_clusters, ball.radius, public_rng
        )
        if basis is not None:
            # Lifted centres lack what is outside the plane: only the ball is wide
            # enough for the first residuals.
            centers = centers @ basis.T
            radii = np.full(len(centers), ball.radius)
    each = split_mu(mus["passes"], {"pass": 1.0 / n_passes})["pass"]
    for i in range(n_passes):
        parts = _PARTS if i < n_passes - 1 else _LAST_PARTS
        centers, radii, counts, noisy, sd = _lloyd_pass(
            records, ball, centers, radii, classes, each, parts, f"lloyd pass {i}"
        )
    return centers, classes, counts, noisy, sd


def _lloyd_pass(records, ball, centers, radii, classes, mu, parts, name):
    """One assignment to public centres, one release, one shrunken step.

    Returns the next centres, their next clip radii, the noisy counts, the centres
    before they were shrunk, and the noise in one coordinate of these.
    """
    centers = ball.limit(centers)
    grid_centers = ball.place(centers)
    query = CellMoments(
        ball, NearestCell(grid_centers, classes), grid_centers, radii, tuple(parts)
    )
    mus = split_mu(mu, parts)
    counts, sums, *energies = records.release(name, query, list(mus.values()))
    shift, n, traces, noise = summarise_cells(counts, sums, *energies, radii=radii)
    if energies:
        radii = tight_radii(traces, noise, ball.radius)
    noisy = centers + sums.value / n[:, None]
    return centers + shift, radii, counts, noisy, noise / math.sqrt(ball.n_features)
