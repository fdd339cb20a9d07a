"""Components of each class, about where a head places it and where its records lie.

A head knows where classes differ, but not where each of them lies, nor that it is no
single cloud. In the few directions in which records spread most, means of classes and
of clusters within them stand out of their noise long before those of all features do.
"""

from __future__ import annotations

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.kmeans import private_kmeans
from skdpgmm._estimates.shrinkage import james_stein, shrink_counts
from skdpgmm._queries.lifts import projected

# How far a class moves from where a head places it to where its records lie. At 0
# neighbours and forests learn little from rows, at 1 networks need more rows to learn
# as much. Measured on Fashion-MNIST, tweets and questions to a bank, at 0, .5 and 1.
_MOVE = 0.5
# After the codebook; on Fashion-MNIST two gained nothing.
_N_PASSES = 1


def spread_components(view, placed, weights, second, k, budget):
    """Return means, weights and classes of the components of classes.

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
    means : ndarray of shape (m, d)
    weights : ndarray of shape (m,)
    classes : ndarray of shape (m,)
    """
    width = view.decide(choices.codebook_features(view.n_features))
    basis = np.linalg.eigh(second)[1][:, -width:]
    plane = view.through(projected(view.ball, basis))
    with plane.held():
        found = private_kmeans(plane, k, len(placed), budget, _N_PASSES)
    counts = shrink_counts(found.counts.value, float(found.counts.sd))
    shares = counts / np.bincount(found.classes, counts)[found.classes]
    moves = _moves(placed @ basis, found, shares) @ basis.T
    return placed[found.classes] + moves, weights[found.classes] * shares, found.classes


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
