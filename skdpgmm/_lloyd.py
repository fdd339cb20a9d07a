"""Private k-means: a start from the leaves of a tree, then Lloyd passes."""

from __future__ import annotations

import math

import numpy as np
from sklearn.cluster import KMeans

from skdpgmm._postprocess import james_stein
from skdpgmm._tree import grow_tree
from skdpgmm.privacy.accounting import split_mu
from skdpgmm.privacy.sums import CellMoments, NearestCell

# Above this many features the tree works in a random projection: directions cost
# noise, and far fewer of them are enough to tell clusters apart.
PROJECTED_FEATURES = 16
_PARTS = {"count": 0.15, "sum": 0.75, "energy": 0.10}
# The last pass has no successor whose radius it would have to set.
_LAST_PARTS = {"count": 0.15, "sum": 0.85}


def random_basis(n_features, n_components, public_rng):
    """Return a random matrix with orthonormal columns."""
    return np.linalg.qr(public_rng.standard_normal((n_features, n_components)))[0]


def tight_radius(values):
    """Radius 1.1 root mean squared distances: a tight clip costs less than noise."""
    return 1.1 * math.sqrt(values.sum())


def cluster_leaves(leaves, n_clusters, public_rng):
    """Cluster the leaf means of each class; returns centres and their classes."""
    centers, classes = [], []
    for c in np.unique(leaves.classes):
        of_class = leaves.classes == c
        points, weights = leaves.means[of_class], leaves.counts[of_class]
        seed = int(public_rng.integers(2**31))
        if len(points) > n_clusters:
            kmeans = KMeans(n_clusters, n_init=20, random_state=seed)
            found = kmeans.fit(points, sample_weight=weights).cluster_centers_
        else:
            found = _spread(leaves, of_class, n_clusters, public_rng)
        centers.append(found)
        classes.append(np.full(n_clusters, c))
    return np.concatenate(centers), np.concatenate(classes)


def _spread(leaves, of_class, n_clusters, public_rng):
    """Draw further centres from the leaves when there are fewer than clusters."""
    weights = leaves.counts[of_class]
    extra = public_rng.choice(
        np.flatnonzero(of_class),
        n_clusters - of_class.sum(),
        p=weights / weights.sum(),
    )
    drawn = [
        public_rng.multivariate_normal(
            leaves.means[i], leaves.covariances[i], method="cholesky"
        )
        for i in extra
    ]
    return np.concatenate(
        [leaves.means[of_class], np.reshape(drawn, (-1, leaves.means.shape[1]))]
    )


def private_kmeans(
    records, ball, n_clusters, n_classes, mu, n_passes, public_rng, tree_share=0.5
):
    """Return private k-means centres of every class, and the noise in them.

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
    tree_share : float
        Share of the budget for the tree.

    Returns
    -------
    centers : ndarray of shape (n_classes * n_clusters, d)
        About the centre of the ball.
    classes : ndarray of shape (n_classes * n_clusters,)
    counts : Release
        Noisy counts, shape (n_classes * n_clusters,).
    sd : ndarray of shape (n_classes * n_clusters,)
        Noise in one coordinate of each centre.
    """
    d = ball.n_features
    radii = np.full(n_clusters * n_classes, ball.radius)
    mus = {"tree": 0.0, "passes": mu}
    if n_clusters == 1:
        centers, classes = np.zeros((n_classes, d)), np.arange(n_classes)
    else:
        mus = split_mu(mu, {"tree": tree_share, "passes": 1.0 - tree_share})
        seen, basis = ball, None
        if d > PROJECTED_FEATURES:
            basis = random_basis(d, PROJECTED_FEATURES, public_rng)
            seen = ball.project(basis)
        leaves = grow_tree(
            records,
            seen,
            n_classes,
            mus["tree"],
            n_levels=math.ceil(math.log2(max(32, 4 * n_clusters))),
            growth=1.3,
            radius_rule=tight_radius,
        )
        centers, classes = cluster_leaves(leaves, n_clusters, public_rng)
        if basis is not None:
            # Lifted centres lack what is outside the plane: only the ball is wide
            # enough for the first residuals.
            centers = centers @ basis.T
        else:
            radii = _first_radii(leaves, centers, classes, ball.radius)
    each = split_mu(mus["passes"], {"pass": 1.0 / n_passes})["pass"]
    for i in range(n_passes):
        parts = _PARTS if i < n_passes - 1 else _LAST_PARTS
        centers, radii, counts, sd = _lloyd_pass(
            records, ball, centers, radii, classes, each, parts, f"lloyd pass {i}"
        )
    return centers, classes, counts, sd


def _first_radii(leaves, centers, classes, largest):
    """Radii from the leaves that each centre stands for."""
    distances = ((leaves.means[:, None, :] - centers[None]) ** 2).sum(axis=2)
    distances[leaves.classes[:, None] != classes[None, :]] = np.inf
    owner = distances.argmin(axis=1)
    spread = np.trace(leaves.covariances, axis1=1, axis2=2) + distances.min(axis=1)
    mass = np.bincount(owner, leaves.counts, minlength=len(centers))
    total = np.bincount(owner, leaves.counts * spread, minlength=len(centers))
    radii = 1.5 * np.sqrt(total / np.maximum(mass, 1e-300))
    return np.where(mass > 0, np.clip(radii, largest * 1e-6, largest), largest)


def _lloyd_pass(records, ball, centers, radii, classes, mu, parts, name):
    """One assignment to public centres, one release, one shrunken step.

    Returns the next centres, their next clip radii, the noisy counts, and the noise
    in one coordinate of each centre.
    """
    d = ball.n_features
    centers = ball.limit(centers)
    grid_centers = ball.place(centers)
    query = CellMoments(
        ball, NearestCell(grid_centers, classes), grid_centers, radii, tuple(parts)
    )
    mus = split_mu(mu, parts)
    counts, sums, *energies = records.release(name, query, list(mus.values()))
    n = np.maximum(counts.value, max(float(counts.sd), 1.0))
    sd = sums.sd / n[:, None]
    step = james_stein(sums.value / n[:, None], sd)
    length = np.linalg.norm(step, axis=1)
    moved = np.minimum(length, radii)
    step *= (moved / np.maximum(length, 1e-300))[:, None]
    if energies:
        traces = energies[0].value / n - moved**2
        traces = np.clip(np.maximum(traces, energies[0].sd / n), 0.0, radii**2)
        # The clip widens as the signal in a step, r / sd, clears its noise: a wide
        # clip has no bias on heavy tails, and then its noise no longer matters.
        signal = radii / np.maximum(sd[:, 0] * math.sqrt(d), 1e-300)
        widen = np.clip(1.1 * np.sqrt(signal / 16.0), 1.1, 4.0)
        radii = np.clip(widen * np.sqrt(traces), 1e-6 * ball.radius, ball.radius)
    return centers + step, radii, counts, sd[:, 0]
