"""A start for a mixture of few features: many small Gaussians, reduced to few.

A codebook cuts the data into cells; one release measures each cell; what stands out
of the noise is reduced to three times the components where it is more, refined by
soft passes, and reduced. Each reduction draws from a released mixture, which is free.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms.codebook import grow_codebook
from skdpgmm._algorithms.soft_passes import soft_passes
from skdpgmm._estimates.shrinkage import cut_lengths, james_stein, shrink_counts
from skdpgmm._estimates.spectrum import spiked_covariance
from skdpgmm._models.mixture import Mixture
from skdpgmm._models.reduction import reduce_mixture
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._rows.blocks import one_blas_thread
from skdpgmm.privacy.accounting import split_mu

# With more features the scatter of a cell is mostly noise.
MAX_OVERFIT_FEATURES = 32
# With more components, the pairs of three times as many would take too long.
MAX_OVERFIT_COMPONENTS = 400
# The passes at many components only have to find the shapes that a reduction needs.
_N_PASSES = 2
_MIN_CELLS = 16
# Counts below this many standard deviations of their noise may be noise.
_CLEAR = 3.0


class Cells(NamedTuple):
    """Noisy counts, means and covariances of disjoint cells.

    Attributes
    ----------
    counts : ndarray of shape (m,)
        Positive.
    means : ndarray of shape (m, p)
    covariances : ndarray of shape (m, p, p)
        Positive definite.
    """

    counts: np.ndarray
    means: np.ndarray
    covariances: np.ndarray


def over_fit_and_reduce(
    records, ball, n_components, covariance, mu, public_rng, n_init=1, tol=None
):
    """Fit a larger mixture and reduce it to the components asked for.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid.
    n_components : int
        Components wanted.
    covariance : Covariance
        Type of the covariances.
    mu : float
        Budget.
    public_rng : numpy.random.Generator
        Public randomness.
    n_init : int
        Restarts of the reductions.
    tol : float, optional
        Passed to the soft passes.

    Returns
    -------
    mixture : Mixture
    """
    k = n_components
    mus = split_mu(mu, {"codebook": 0.25, "cells": 0.17, "passes": 0.58})
    size = max(_MIN_CELLS, 3 * k)
    codebook = grow_codebook(records, ball, 1, size, mus["codebook"], public_rng)
    cells = measure_cells(records, ball, codebook, mus["cells"])
    many = _mixture_of(cells, 3 * k, covariance, n_init, public_rng)
    passes = soft_passes(
        records,
        ball,
        many,
        mus["passes"],
        _N_PASSES,
        "over-fit pass",
        float(cells.counts.sum()),
        tol,
    )
    # A component that no record is heard from is where the noise has put it; a
    # reduction would spend a component on it.
    heard = passes.heard if passes.heard.any() else np.ones_like(passes.heard)
    many = passes.mixture
    with one_blas_thread():
        return reduce_mixture(
            many.weights[heard],
            many.means[heard],
            many.full_covariances()[heard],
            k,
            covariance,
            n_init,
            public_rng,
        )


def _mixture_of(cells, largest, covariance, n_init, public_rng):
    """Return a mixture of the cells, reduced when there are more than `largest`."""
    weights, means, covariances = cells
    weights = weights / weights.sum()
    covariance = covariance.of_pieces()
    if len(weights) > largest:
        with one_blas_thread():
            return reduce_mixture(
                weights, means, covariances, largest, covariance, n_init, public_rng
            )
    classes = np.zeros(len(weights), dtype=np.intp)
    covariances = covariance.of_full(covariances)
    return Mixture(weights, means, covariances, covariance, classes)


def measure_cells(records, ball, codebook, mu):
    """Release the moments of the cells of a codebook, and keep those that are clear.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid.
    codebook : Codebook
        Cells of a single class.
    mu : float
        Budget.

    Returns
    -------
    cells : Cells
    """
    centers = ball.limit(codebook.centers)
    grid = ball.place(centers)
    largest, smallest = ball.radius, ball.radius * 1e-6
    radii = np.clip(1.8 * np.sqrt(codebook.traces), smallest, largest)
    partition = NearestCell(grid, codebook.classes)
    query = CellMoments(ball, partition, grid, radii, ("count", "sum", "full"))
    shares = {"count": 0.20, "sum": 0.35, "full": 0.45}
    counts, sums, scatters = records.release(
        "cells", query, list(split_mu(mu, shares).values())
    )
    n = shrink_counts(counts.value, float(counts.sd))
    shifts = james_stein(sums.value / n[:, None], sums.sd / n[:, None])
    shifts = cut_lengths(shifts, radii)
    clear = np.flatnonzero(counts.value > _CLEAR * float(counts.sd))
    if not clear.size:
        clear = np.arange(len(n))
    covariances = []
    for j in clear:
        sd = float(scatters.sd[j, 0, 0]) / n[j]
        # A variance that the noise has hidden is not known to be small.
        floor = max(smallest**2, min(0.5 * sd, radii[j] ** 2 / 4.0))
        second = scatters.value[j] / n[j] - np.outer(shifts[j], shifts[j])
        covariances.append(spiked_covariance(second, sd, floor).matrix())
    means = centers[clear] + shifts[clear]
    return Cells(n[clear], means, np.stack(covariances))
