"""A private codebook: cells are split until there are more of them than clusters.

Each level assigns all records to the nearest of the current centres and releases
count, sum and energy of every cell at once: cells are disjoint, so they share one
budget. Every centre moves to its noisy mean, and the cells that hold most of the
loss are split in two, as far as their means stand out of the noise [1]_. A scatter
would tell the best direction of a cut, but costs more than the level that mends a
random one.

References
----------
.. [1] Y. Linde, A. Buzo, R. M. Gray, "An algorithm for vector quantizer design",
   IEEE Transactions on Communications 28(1), 1980.
"""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from skdpgmm._algorithms.budget import CODEBOOK_LEVEL, codebook_levels
from skdpgmm._estimates.shrinkage import cut_lengths, james_stein
from skdpgmm._queries.cells import CellMoments, NearestCell

# A cell is not split when the noise in its mean is larger than this share of its
# root mean square radius: its halves could not be told apart.
_MAX_NOISE = 0.8
# Half the distance of the halves of a cell, in standard deviations along one direction:
# those of the halves of a Gaussian that is cut through its middle.
_HALF_STEP = 0.8
# Standard deviations of the noise in a count. A cell with fewer records is not split,
# and has little weight. Not argued.
_SPLIT_CLEAR, _TRUSTED = 4.0, 2.0
# Weight that a codeword has whatever its count, so that none is lost to rounding.
_LEAST_TRUST = 1e-6
# Clip radii in root mean square radii: at least and at most, and what the ratio of the
# radius to the noise is multiplied by between them. Not argued.
_TIGHTEST, _WIDEST, _PER_NOISE = 1.1, 4.0, 0.2
# The same for a cluster about a centre that was merged. Not argued.
_MERGED = 1.5
# Smallest clip radius in radii of the ball. Not argued; finer than any noise.
_LEAST_RADIUS = 1e-6
# Beyond, the pairs of codewords would not fit into memory.
_MAX_WARD = 4096


class Codebook(NamedTuple):
    """Noisy summaries of disjoint cells, about the centre of the ball.

    Attributes
    ----------
    centers : ndarray of shape (m, p)
    weights : ndarray of shape (m,)
        Positive; counts, less those that the noise may have made.
    traces : ndarray of shape (m,)
        Mean squared distances to the centres.
    classes : ndarray of shape (m,)
    """

    centers: np.ndarray
    weights: np.ndarray
    traces: np.ndarray
    classes: np.ndarray


def grow_codebook(view, n_classes, size, budget):
    """Grow a codebook of at most `size` codewords for every class."""
    ball, p = view.ball, view.n_features
    # Doubling reaches the size; one more level serves the cells that lagged.
    n_levels = math.ceil(math.log2(size)) + 2
    levels = budget.parts(codebook_levels(n_levels))
    centers, classes = np.zeros((n_classes, p)), np.arange(n_classes)
    radii = np.full(n_classes, ball.radius)
    for level in range(n_levels):
        centers = ball.limit(centers)
        grid = ball.on_grid(centers)
        parts = tuple(CODEBOOK_LEVEL)
        query = CellMoments(ball, NearestCell(grid, classes), grid, radii, parts)
        budgets = levels[level].parts(CODEBOOK_LEVEL)
        release = view.release(f"codebook {level}", query, budgets)
        shift, n, traces, noise = summarise_cells(*release, radii=radii)
        centers = centers + shift
        if level < n_levels - 1:
            split = _cells_to_split(release[0], n, traces, noise, classes, size)
            radii = tight_radii(traces, noise, ball.radius)
            step = view.public_rng.standard_normal((len(split), p))
            lengths = _HALF_STEP * np.sqrt(traces[split] / p)
            step *= (lengths / np.linalg.norm(step, axis=1))[:, None]
            centers[split] -= step
            centers = np.concatenate([centers, centers[split] + 2.0 * step])
            radii = np.concatenate([radii, radii[split]])
            classes = np.concatenate([classes, classes[split]])
    counts, sd = release[0].value, float(release[0].sd)
    # A cell that the noise alone may have made is no reason for a cluster.
    trust = np.maximum(counts, 0.0) ** 2
    doubtful = (_TRUSTED * sd) ** 2
    trust = trust / np.maximum(trust + doubtful, 1e-300)
    weights = n * np.maximum(trust, _LEAST_TRUST)
    return Codebook(centers, weights, traces, classes)


def summarise_cells(counts, sums, energies=None, *, radii):
    """Return shift, count, mean square and noise of each cell.

    Parameters
    ----------
    counts, sums, energies : Release
        About the centres; without energies the mean squares are unknown.
    radii : ndarray of shape (m,)
        Clip radii.

    Returns
    -------
    shift : ndarray of shape (m, p)
        From the centre to the mean, shrunk and at most the radius.
    n : ndarray of shape (m,)
        Counts, at least one and at least one standard deviation of their noise.
    traces : ndarray of shape (m,)
        Mean squared distances to the mean, at most those of the radii.
    noise : ndarray of shape (m,)
        Root mean square length of the noise in the shift.
    """
    n = np.maximum(counts.value, max(float(counts.sd), 1.0))
    sd = sums.sd / n[:, None]
    shift = cut_lengths(james_stein(sums.value / n[:, None], sd), radii)
    traces = radii**2
    if energies is not None:
        traces = np.maximum(
            energies.value / n - np.sum(shift**2, axis=1), energies.sd / n
        )
        traces = np.clip(traces, 0.0, radii**2)
    return shift, n, traces, sd[:, 0] * math.sqrt(shift.shape[1])


def _cells_to_split(counts, n, traces, noise, classes, size):
    """Return the indices of the cells with most of the loss of their class."""
    clear = counts.value > _SPLIT_CLEAR * float(counts.sd)
    clear &= noise < _MAX_NOISE * np.sqrt(traces)
    own = np.flatnonzero(clear)
    own = own[np.argsort(-(n * traces)[own], kind="stable")]
    own = own[np.argsort(classes[own], kind="stable")]  # by class, the worst first
    of = classes[own]
    rank = np.arange(len(of)) - np.searchsorted(of, of)
    return own[rank < size - np.bincount(classes)[of]]


def tight_radii(traces, noise, largest):
    """Clip radii: tight where noise is large, wide where it does not matter."""
    spread = np.sqrt(traces)
    with np.errstate(over="ignore"):  # without noise
        widen = np.sqrt(_PER_NOISE * spread / np.maximum(noise, 1e-300))
    radii = np.clip(_TIGHTEST * widen, _TIGHTEST, _WIDEST) * spread
    return np.clip(radii, _LEAST_RADIUS * largest, largest)


def merge_codebook(codebook, n_clusters, largest, public_rng):
    """Merge the codewords of each class into clusters.

    Parameters
    ----------
    codebook : Codebook
        Noisy cells.
    n_clusters : int
        Clusters of each class. Where there are fewer codewords, further centres
        are drawn around them.
    largest : float
        Largest radius.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    centers : ndarray of shape (n_classes * n_clusters, p)
    radii : ndarray of shape (n_classes * n_clusters,)
        Clip radii for records about these centres.
    classes : ndarray of shape (n_classes * n_clusters,)
    """
    centers, radii = [], []
    order = np.argsort(codebook.classes, kind="stable")
    labels, starts = np.unique(codebook.classes[order], return_index=True)
    for own in np.split(order, starts[1:]):
        points, weights = codebook.centers[own], codebook.weights[own]
        traces = codebook.traces[own]
        seed = int(public_rng.integers(2**31))
        if len(points) > n_clusters:
            init = "k-means++"
            if len(points) <= _MAX_WARD:
                init = ward(points, weights, n_clusters)
            kmeans = KMeans(n_clusters, init=init, n_init=1, random_state=seed)
            with warnings.catch_warnings():
                # Codewords of identical records are one point.
                warnings.simplefilter("ignore", ConvergenceWarning)
                owner = kmeans.fit(points, sample_weight=weights).labels_
            found = kmeans.cluster_centers_
        else:
            extra = public_rng.choice(
                len(points), n_clusters - len(points), p=weights / weights.sum()
            )
            owner = np.concatenate([np.arange(len(points)), extra])
            drawn = public_rng.standard_normal((len(extra), points.shape[1]))
            drawn *= np.sqrt(traces[extra] / points.shape[1])[:, None]
            found = np.concatenate([points, points[extra] + drawn])
            points, weights, traces = points[owner], weights[owner], traces[owner]
            owner = np.arange(n_clusters)
        spread = traces + np.sum((points - found[owner]) ** 2, axis=1)
        mass = np.bincount(owner, weights, minlength=n_clusters)
        total = np.bincount(owner, weights * spread, minlength=n_clusters)
        spread = np.where(mass > 0, total / np.maximum(mass, 1e-300), largest**2)
        centers.append(found)
        radii.append(
            np.clip(_MERGED * np.sqrt(spread), _LEAST_RADIUS * largest, largest)
        )
    return (
        np.concatenate(centers),
        np.concatenate(radii),
        np.repeat(labels, n_clusters),
    )


def ward(points, weights, k):
    """Merge weighted points, the cheapest pair first, until `k` are left.

    The cost of a pair is what its merger adds to the k-means loss,
    ``w_i w_j / (w_i + w_j) ||x_i - x_j||**2`` [1]_.

    References
    ----------
    .. [1] J. H. Ward, "Hierarchical grouping to optimize an objective function",
       Journal of the American Statistical Association 58(301), 1963.
    """
    x, w = points.copy(), weights.copy()
    alive = np.ones(len(w), dtype=bool)

    def costs(i):
        row = np.sum((x - x[i]) ** 2, axis=1) * (w * w[i] / (w + w[i]))
        row[~alive] = np.inf
        row[i] = np.inf
        return row

    cost = np.stack([costs(i) for i in range(len(w))])
    nearest = cost.argmin(axis=1)
    for _ in range(len(w) - k):
        i = int(cost[np.arange(len(w)), nearest].argmin())
        j = int(nearest[i])
        x[i] = (w[i] * x[i] + w[j] * x[j]) / (w[i] + w[j])
        w[i] += w[j]
        alive[j] = False
        cost[j] = cost[:, j] = np.inf
        cost[i] = cost[:, i] = costs(i)
        stale = np.isin(nearest, (i, j)) & alive
        stale[i] = True
        nearest[stale] = cost[stale].argmin(axis=1)
        closer = cost[:, i] < cost[np.arange(len(w)), nearest]
        nearest[closer] = i
    return x[alive]
