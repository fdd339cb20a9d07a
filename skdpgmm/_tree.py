"""A private tree of principal directions: one release a level.

All nodes of a level are disjoint, so they share one budget; each releases its
count, its clipped mean and its clipped scatter about a public centre, and is cut
at its noisy mean across its noisy first principal direction as long as its count
stands out of the noise in its mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdpgmm._postprocess import james_stein, spiked_covariance
from skdpgmm.privacy.accounting import split_mu
from skdpgmm.privacy.sums import CellMoments, TreeCell

# Squared weights of count, mean and scatter in the budget of a level.
_PARTS = {"count": 0.25, "sum": 0.45, "full": 0.30}
_NORMAL_BITS = 20


@dataclass
class Leaves:
    """Noisy summaries of disjoint sets of records, about the centre of the ball.

    Attributes
    ----------
    counts : ndarray of shape (k,)
        Positive.
    means : ndarray of shape (k, p)
    covariances : ndarray of shape (k, p, p)
        Positive definite.
    classes : ndarray of shape (k,)
    """

    counts: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    classes: np.ndarray


@dataclass
class _Node:
    center: np.ndarray
    radius: float
    parent: tuple[int, int] | None  # index of the inner node, side
    klass: int


def _estimate(node, count, count_sd, total, total_sd, scatter, scatter_sd, floor):
    """Return count, mean and spectrum of one node from its noisy moments."""
    n = max(count, count_sd, 1.0)
    shift = james_stein(total / n, total_sd / n)
    # A mean of points in a ball lies in the ball.
    shift *= min(1.0, node.radius / max(np.linalg.norm(shift), 1e-300))
    second = scatter / n - np.outer(shift, shift)
    # A variance that the noise has hidden is not known to be small: were it taken
    # for small, the radius of the children would collapse for good.
    floor = max(floor, min(0.5 * scatter_sd / n, node.radius**2 / 4.0))
    values, vectors = spiked_covariance(second, scatter_sd / n, floor)
    return n, node.center + shift, values, vectors


def grow_tree(records, ball, n_classes, mu, n_levels, growth, radius_rule):
    """Grow the tree and return its leaves.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid, with the projection if there is one.
    n_classes : int
        One root for each.
    mu : float
        Budget of all levels.
    n_levels : int
        Number of cuts on the longest path; there is one release more.
    growth : float
        The budget (mu squared) of level l is proportional to ``growth**l``.
    radius_rule : callable
        Maps a spectrum to the clip radius of the residuals.

    Returns
    -------
    leaves : Leaves
    """
    p = ball.n_features
    floor = (ball.radius * 1e-6) ** 2 / p
    frontier = [_Node(np.zeros(p), ball.radius, None, c) for c in range(n_classes)]
    normals: list[np.ndarray] = []
    offsets: list[float] = []
    children: list[list[int]] = []
    roots = np.full(n_classes, TreeCell.NO_CELL)
    leaves: list[tuple] = []
    levels = split_mu(mu, _geometric(growth, n_levels + 1))

    for level in range(n_levels + 1):
        table = np.array(children, dtype=np.intp).reshape(-1, 2)
        for cell, node in enumerate(frontier):
            if node.parent is None:
                roots[node.klass] = -1 - cell
            else:
                table[node.parent] = -1 - cell
        partition = TreeCell(
            np.array(normals).reshape(-1, p), np.array(offsets), table, roots.copy()
        )
        centers = ball.place([node.center for node in frontier])
        radii = np.array([node.radius for node in frontier])
        query = CellMoments(ball, partition, centers, radii, tuple(_PARTS))
        mus = split_mu(levels[str(level)], _PARTS)
        counts, sums, scatters = records.release(
            f"tree level {level}", query, list(mus.values())
        )
        sum_sd = np.broadcast_to(sums.sd, (len(frontier), 1))[:, 0]
        scatter_sd = np.ravel(scatters.sd)
        next_frontier = []
        for j, node in enumerate(frontier):
            n, mean, values, vectors = _estimate(
                node,
                counts.value[j],
                counts.sd,
                sums.value[j],
                sum_sd[j],
                scatters.value[j],
                scatter_sd[j],
                floor,
            )
            # The noise in the mean, as a share of the radius, must leave the two
            # halves of the node apart; the count must clear its own noise.
            noise = sum_sd[j] * np.sqrt(p) / node.radius
            splits = level < n_levels and n > max(4.0 * noise, 8.0 * counts.sd, 2.0)
            if not splits:
                leaves.append((n, mean, (vectors * values) @ vectors.T, node.klass))
                if node.parent is None:
                    roots[node.klass] = TreeCell.NO_CELL
                else:
                    children[node.parent[0]][node.parent[1]] = TreeCell.NO_CELL
                continue
            inner = len(normals)
            normal = np.rint(vectors[:, 0] * 2.0**_NORMAL_BITS)
            normals.append(normal)
            offsets.append(float(np.rint(normal @ ball.place(mean))))
            children.append([TreeCell.NO_CELL, TreeCell.NO_CELL])
            if node.parent is None:
                roots[node.klass] = inner
            else:
                children[node.parent[0]][node.parent[1]] = inner
            step = 0.8 * np.sqrt(values[0]) * vectors[:, 0]
            radius = min(node.radius, radius_rule(values))
            for side, sign in enumerate((-1.0, 1.0)):
                next_frontier.append(
                    _Node(mean + sign * step, radius, (inner, side), node.klass)
                )
        frontier = next_frontier
        if not frontier:
            break
    n, means, covariances, classes = zip(*leaves, strict=True)
    return Leaves(
        np.array(n), np.array(means), np.array(covariances), np.array(classes)
    )


def _geometric(growth, n):
    weights = growth ** np.arange(n, dtype=float)
    return {str(i): w for i, w in enumerate(weights / weights.sum())}
