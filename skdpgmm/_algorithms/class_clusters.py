"""Components of each class, about where a head places it and where its records lie.

A head knows where classes differ, but not where each of them lies, nor that it is no
single cloud. In the few directions in which records spread most, means of classes and
of clusters within them stand out of their noise long before those of all features do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.doubts import CLEAR, doubt_clusters
from skdpgmm._algorithms.kmeans import private_kmeans
from skdpgmm._algorithms.outcome import distances, lengths, quality_of
from skdpgmm._estimates.scatter import shape_factors
from skdpgmm._estimates.shrinkage import james_stein, low_rank, shrink_counts
from skdpgmm._estimates.spectrum import fixed_signs, told_apart
from skdpgmm._models.class_shapes import ClassShapes
from skdpgmm._queries.cells import CellMoments, ClassMoments, NearestCell
from skdpgmm._queries.lifts import projected

# How far a class moves from where a head places it to where its records lie. At 0
# neighbours and forests learn little from rows, at 1 networks need more rows to learn
# as much. Measured on Fashion-MNIST, tweets and questions to a bank, at 0, .5 and 1.
_MOVE = 0.5
# The same where a class has a mean of its own and no clusters. Measured on 20,000
# records of Fashion-MNIST and CIFAR-10, at epsilon .5 and 1: from rows of half the way,
# forests learn more, by up to .03, than from those of a quarter, and networks less, by
# up to .007.
_MOVE_OF_MEANS = 1.0 / 3.0
# After the codebook; on Fashion-MNIST two gained nothing.
_N_PASSES = 1
# Clip radius of the residuals of a class, in roots of their mean square, which is not
# believed to be below the last share of that of the records: not argued. Of
# Fashion-MNIST, tweets and questions to a bank, .03 to .04 of the records are cut.
_CLIP, _LEAST_WITHIN = 1.3, 0.05


class ClassClusters(NamedTuple):
    """Components of the classes, and where their records lie.

    Attributes
    ----------
    means : ndarray of shape (m, d)
    weights : ndarray of shape (m,)
    classes : ndarray of shape (m,)
    centers : ndarray of shape (m, d)
        Of clusters of records, in few directions.
    """

    means: np.ndarray
    weights: np.ndarray
    classes: np.ndarray
    centers: np.ndarray


def spread_components(view, placed, weights, second, k, budget):
    """Return the components of classes.

    Parameters
    ----------
    view : View
        Through a ball that holds nearly all records.
    placed : ndarray of shape (n_classes, d)
        Where a head places the classes, about the centre of the ball.
    weights : ndarray of shape (n_classes,)
        Of the classes, of sum 1.
    second : ndarray of shape (d, d)
        Second moment about the centre; released.
    k : int
        Components of each class, at most.
    budget : Budget

    Returns
    -------
    clusters : ClassClusters
    """
    basis = _leading(second, view.decide(choices.codebook_features(view.n_features)))
    plane = view.through(projected(view.ball, basis))
    with plane.held():
        found = private_kmeans(plane, k, len(placed), budget, _N_PASSES)
    _note_clusters(view, found, k)
    counts = shrink_counts(found.counts.value, float(found.counts.sd))
    shares = counts / np.bincount(found.classes, counts)[found.classes]
    moves = _moves(placed @ basis, found, shares) @ basis.T
    means, weights = placed[found.classes] + moves, weights[found.classes] * shares
    return ClassClusters(means, weights, found.classes, found.centers @ basis.T)


def release_class_means(view, radius, counts, square, budget):
    """Return how the means of classes differ, as far as that is no noise.

    Parameters
    ----------
    view : View
        Through a ball that holds nearly all records.
    radius : float
        To which records are clipped; the smaller, the less noise.
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    square : float
        Mean square of the distance of a record from the centre; released.
    budget : Budget

    Returns
    -------
    gaps : ndarray of shape (n_classes, d)
        Of weighted sum 0.
    """
    k, d = len(counts), view.n_features
    center = view.ball.on_grid(np.zeros((k, d)))
    partition = NearestCell(center, np.arange(k))
    radii = np.full(k, min(radius, view.ball.radius))
    query = CellMoments(view.ball, partition, center, radii, ("sum",))
    (sums,) = view.release("class means", query, [budget])
    means = sums.value / counts[:, None]
    noise = sums.sd.reshape(-1) / counts
    view.note(quality_of(np.arange(k), mean=distances(means, noise)))
    sampling = square / d / counts
    return low_rank(means, counts / counts.sum(), np.sqrt(noise**2 + sampling))


def moved_toward(placed, gaps):
    """Return means between where a head places classes and where records lie.

    They move in the span of the released `gaps`: elsewhere these are noise.
    """
    _, lengths, axes = np.linalg.svd(gaps, full_matrices=False)
    axes = axes[lengths > 1e-9 * max(lengths.max(), 1e-300)]
    return placed + _MOVE_OF_MEANS * (gaps - (placed @ axes.T) @ axes)


def release_class_shapes(view, clusters, counts, second, within, width, budget):
    """Return how records of each class lie about its clusters.

    Parameters
    ----------
    view : View
        Through a ball that holds nearly all records.
    clusters : ClassClusters
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    second, within : ndarray of shape (d, d)
        Second moment about the centre, and what is left of it about the means of the
        clusters; released.
    width : int
        Number of directions.
    budget : Budget

    Returns
    -------
    shapes : ClassShapes
        Relative to `within`.
    """
    basis = _leading(second, width)
    plane = view.through(projected(view.ball, basis))
    centers = clusters.centers @ basis
    total = np.sum(basis * (second @ basis))
    between = clusters.weights @ np.sum(centers**2, axis=1)
    radius = _CLIP * np.sqrt(max(total - between, _LEAST_WITHIN * total))
    grid_centers = plane.ball.on_grid(centers)
    partition = NearestCell(grid_centers, clusters.classes)
    radii = np.full(len(counts), min(radius, 2.0 * view.ball.radius))
    query = ClassMoments(plane.ball, partition, grid_centers, radii)
    (scatters,) = plane.release("shapes", query, [budget])
    kinds = lengths(scatters.value, scatters.sd.reshape(-1), width * (width + 1) / 2)
    view.note(quality_of(np.arange(len(counts)), shape=kinds))
    shared = basis.T @ within @ basis
    sd = scatters.sd.reshape(-1)
    return ClassShapes(basis, shape_factors(scatters.value, sd, counts, shared))


def _note_clusters(view, found, k):
    """Note how many clusters of each class are clear, and doubt what is mostly noise.

    A cluster is beside the others of its class.
    """
    n_classes, n_lost = len(found.classes) // k, 0
    sd, clear = float(found.counts.sd), []
    for code in range(n_classes):
        own = np.flatnonzero(found.classes == code)
        seen = found.counts.value[own] >= CLEAR * sd
        words = distances(found.noisy[own], found.sd[own]) or ["clear"]
        n_clear = np.count_nonzero(seen & (np.array(words) == "clear"))
        clear.append(f"{n_clear} of {k} clear")
        n_lost += bool(np.count_nonzero(seen) < k / 2)
    view.note(quality_of(np.arange(n_classes), clusters=clear))
    if n_lost:
        doubt_clusters(n_lost, n_classes, sd)


def _leading(second, width):
    """Return directions in which a second moment is largest."""
    told = told_apart(second, np.trace(second) / len(second))
    return fixed_signs(np.linalg.eigh(told)[1][:, -width:])


def _moves(placed, found, shares):
    """Return the way of each component from the place of its class.

    The move of a class is shrunk by its own noise.
    """
    of_class = np.zeros((len(placed), len(shares)))
    of_class[found.classes, np.arange(len(shares))] = shares
    own = of_class @ found.centers
    sd = np.sqrt(of_class**2 @ found.sd**2)
    moved = _MOVE * james_stein(own - placed, sd[:, None])
    return (moved - own)[found.classes] + found.centers
