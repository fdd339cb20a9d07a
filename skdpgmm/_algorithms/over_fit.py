"""A start for a mixture of few features: many small Gaussians, reduced to few.

A codebook cuts the data into cells; one release measures each cell; what stands out
of the noise is reduced to three times the components where it is more, refined by
soft passes, and reduced. Reductions look at released mixtures only, and are free.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.budget import CELLS, OVER_FIT
from skdpgmm._algorithms.codebook import grow_codebook
from skdpgmm._algorithms.doubts import CLEAR, doubt
from skdpgmm._algorithms.soft_passes import refine
from skdpgmm._estimates.shrinkage import cut_lengths, james_stein, shrink_counts
from skdpgmm._estimates.spectrum import spiked_covariance
from skdpgmm._models.mixture import Mixture
from skdpgmm._models.reduction import reduce_mixture
from skdpgmm._queries.cells import CellMoments, NearestCell

# The passes at many components only have to find the shapes that a reduction needs.
_N_PASSES = 2
# Clip radius of a cell in its root mean square radii, and the smallest one in radii of
# the ball. Not argued.
_WIDTH, _LEAST_RADIUS = 1.8, 1e-6


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


def start_from_many(view, k, covariance, budget, n_init=1, tol=None):
    """Fit a larger mixture and reduce it to the components asked for.

    Parameters
    ----------
    view : View
    k : int
        Components wanted.
    covariance : Covariance
        Type of the covariances.
    budget : Budget
    n_init : int
        Starts of the reductions.
    tol : float, optional
        Passed to the soft passes.

    Returns
    -------
    mixture : Mixture
    """
    budgets, public_rng = budget.split(OVER_FIT), view.public_rng
    size, largest = choices.n_cells(k)
    codebook = grow_codebook(view, 1, size, budgets["codebook"])
    cells = measure_cells(view, codebook, budgets["cells"])
    many = _mixture_of(cells, largest, covariance, n_init, public_rng)
    passes = refine(
        view.counted(float(cells.counts.sum())),
        many,
        budgets["passes"],
        _N_PASSES,
        "over-fit pass",
        tol,
    )
    # A component without clear counts is placed by noise: drop it.
    clear = passes.clear if passes.clear.any() else np.ones_like(passes.clear)
    many = passes.mixture
    return reduce_mixture(
        many.weights[clear],
        many.means[clear],
        many.full_covariances()[clear],
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
        return reduce_mixture(
            weights, means, covariances, largest, covariance, n_init, public_rng
        )
    classes = np.zeros(len(weights), dtype=np.intp)
    covariances = covariance.of_full(covariances, weights)
    return Mixture(weights, means, covariances, covariance, classes)


def measure_cells(view, codebook, budget):
    """Release the moments of the cells of a codebook, and keep those that are clear."""
    ball = view.ball
    centers = ball.limit(codebook.centers)
    grid = ball.on_grid(centers)
    largest, smallest = ball.radius, ball.radius * _LEAST_RADIUS
    radii = np.clip(_WIDTH * np.sqrt(codebook.traces), smallest, largest)
    query = CellMoments(
        ball, NearestCell(grid, codebook.classes), grid, radii, tuple(CELLS)
    )
    counts, sums, scatters = view.release("cells", query, budget.parts(CELLS))
    n = shrink_counts(counts.value, float(counts.sd))
    shifts = james_stein(sums.value / n[:, None], sums.sd / n[:, None])
    shifts = cut_lengths(shifts, radii)
    clear = np.flatnonzero(counts.value > CLEAR * float(counts.sd))
    if not clear.size:
        doubt(
            "No cell that the components start from has a count that can be told from "
            f"noise of standard deviation {float(counts.sd):.3g}: where they start is "
            "noise. Ask for fewer components, for a larger epsilon, or give more "
            "records."
        )
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
