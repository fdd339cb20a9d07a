"""From many Gaussians to few, by what is known of the many: free post-processing."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdpgmm._estimates.spectrum import fixed_signs, sound
from skdpgmm._models.mixture import Mixture, log_joint

# Points in place of the many, and most of them: beyond, the merge is what is left. Five
# times as many gained nothing on settings of benchmarks/mixture.py. The latter is not
# argued.
N_POINTS, _MOST_POINTS = 1_000, 20_000
# Passes of EM, and nats of a pass that is the last: on the half circles of
# benchmarks/mixture.py, rows were less likely by .005 with ten times as many.
_MOST_PASSES, _TOL = 100, 1e-4
# Least weight in equal shares, so that no component is lost before a record is seen.
# Not argued.
_LEAST_WEIGHT = 1e-3
# Share of the covariances of its pieces that a component has at least: it does not
# shrink to a point. Not argued; the passes over records undo it.
_OF_PIECES = 1e-3
# Mean log densities that are alike.
_ALIKE = 1e-9
# Half the distance of the halves of a component, in standard deviations: those of a
# Gaussian that is cut through its middle.
_HALF_STEP = 0.8
_ROUGH: ContextVar[bool] = ContextVar("rough", default=False)


class Gaussians(NamedTuple):
    """Weighted Gaussians with full covariances.

    Attributes
    ----------
    weights : ndarray of shape (m,)
    means : ndarray of shape (m, d)
    covariances : ndarray of shape (m, d, d)
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray


@contextmanager
def rough_reductions():
    """Make reductions quick, where nobody looks at what they lead to."""
    token = _ROUGH.set(True)
    try:
        yield
    finally:
        _ROUGH.reset(token)


def runnalls(weights, means, covariances, k):
    """Merge the pair of components that costs least until `k` are left.

    The cost is Runnalls' upper bound on the Kullback-Leibler divergence,
    ``((w_i + w_j) log|S_ij| - w_i log|S_i| - w_j log|S_j|) / 2``.

    References
    ----------
    .. [1] A. R. Runnalls, "Kullback-Leibler approach to Gaussian mixture
       reduction", IEEE Transactions on Aerospace and Electronic Systems 43(3),
       2007.
    """
    w, m, S = np.array(weights), np.array(means), np.array(covariances)
    logdet = np.linalg.slogdet(S)[1]

    def merged(i, j):
        """Return weight, mean and covariance of i with each of j."""
        total = w[i] + w[j]
        a = w[i] / total
        gap = m[i] - m[j]
        across = (a * (1.0 - a))[:, None, None] * gap[:, :, None] * gap[:, None, :]
        a = a[:, None]
        mean = a * m[i] + (1.0 - a) * m[j]
        return total, mean, a[:, None] * S[i] + (1.0 - a[:, None]) * S[j] + across

    def costs(i, j):
        total, _, cov = merged(i, j)
        log = np.linalg.slogdet(cov)[1]
        return 0.5 * (total * log - w[i] * logdet[i] - w[j] * logdet[j])

    n = len(w)
    left = np.arange(n)
    cost = np.full((n, n), np.inf)  # of pairs above the diagonal
    for i in range(n - 1):
        cost[i, i + 1 :] = costs(i, left[i + 1 :])
    for _ in range(n - k):
        i, j = divmod(int(cost.argmin()), n)
        (w[i],), (m[i],), (S[i],) = merged(i, np.array([j]))
        logdet[i] = np.linalg.slogdet(S[i])[1]
        left = left[left != j]
        cost[j] = cost[:, j] = np.inf
        before, after = left[left < i], left[left > i]
        cost[before, i] = costs(i, before)
        cost[i, after] = costs(i, after)
    return w[left], m[left], S[left]


def split_largest(weights, means, covariances, k):
    """Cut the largest component in two, where it is widest, until `k` are there.

    The halves have the weight, the mean and the covariance of the whole.
    """
    w, m, S = list(weights), list(means), list(covariances)
    while len(w) < k:
        i = int(np.argmax(w))
        values, vectors = np.linalg.eigh(S[i])
        step = _HALF_STEP * np.sqrt(values[-1]) * fixed_signs(vectors)[:, -1]
        w[i] /= 2.0
        S[i] = S[i] - np.outer(step, step)
        w.append(w[i])
        S.append(S[i])
        m.append(m[i] + step)
        m[i] = m[i] - step
    return np.array(w), np.array(m), np.array(S)


def reduce_mixture(weights, means, covariances, k, covariance, n_init, public_rng):
    """Find the `k` components that are likeliest for a mixture, from greedy merges.

    Parameters
    ----------
    weights, means, covariances : ndarray
        Full covariances, shape (m, p, p).
    k : int
        Components wanted.
    covariance : Covariance
        Type of the covariances wanted.
    n_init : int
        Starts: one from the merge, others from merges of components whose weights are
        changed at random.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    mixture : Mixture
    """
    # About the mean: squares of what is far from the origin would cancel.
    mean = weights @ means / weights.sum()
    means = means - mean
    scale = np.sqrt(
        np.mean(np.diagonal(covariances, axis1=1, axis2=2)) + means.var(axis=0).mean()
    )
    covariances = np.stack([sound(C) for C in covariances / scale**2])
    many = Gaussians(weights / weights.sum(), means / scale, covariances)
    if _ROUGH.get():
        best = _heaviest(many, k, covariance)
    else:
        best = _likeliest(many, k, covariance, n_init, public_rng)
    weights = np.maximum(best.weights, _LEAST_WEIGHT / k)
    return Mixture(
        weights / weights.sum(),
        mean + best.means * scale,
        best.covariances * scale**2,
        covariance,
        np.zeros(k, dtype=np.intp),
    )


def _heaviest(many, k, covariance):
    some = np.argsort(-many.weights, kind="stable")[:k]
    weights, means, covariances = (a[some] for a in many)
    return _mixture(split_largest(weights, means, covariances, k), covariance)


def _likeliest(many, k, covariance, n_init, public_rng):
    m, d = many.means.shape
    changes = [np.ones(m)]
    changes += [public_rng.standard_exponential(m) for _ in range(n_init - 1)]
    reduced = runnalls if m > k else split_largest
    starts = [
        _mixture(reduced(many.weights * c, many.means, many.covariances, k), covariance)
        for c in changes
    ]
    each = max(N_POINTS // (2 * m), d)
    if 2 * m * each > _MOST_POINTS:
        return starts[0]
    points = points_of(many, each, public_rng)
    fits = [em(points, many, start) for start in starts]
    # Two starts may lead to the same mixture, in another order: the first is taken,
    # and not the one whose last bit is larger.
    most = max(bound for _, bound in fits)
    return next(fit for fit, bound in fits if bound >= most - _ALIKE)


def _mixture(few, covariance):
    weights, means, covariances = few
    weights = weights / weights.sum()
    covariances = covariance.of_full(covariances, weights)
    return Mixture(
        weights, means, covariances, covariance, np.zeros(len(weights), dtype=np.intp)
    )


def points_of(many, n_pairs, public_rng):
    """Return points with the very means and covariances of Gaussians.

    Parameters
    ----------
    many : Gaussians
    n_pairs : int
        Pairs of opposite points of each, at least as many as features.
    public_rng : numpy.random.Generator

    Returns
    -------
    points : ndarray of shape (m, 2 * n_pairs, d)
    """
    Z = public_rng.standard_normal((n_pairs, many.means.shape[1]))
    # Of opposite points, the mean is zero and the covariance this one.
    Z = np.linalg.solve(np.linalg.cholesky(Z.T @ Z / n_pairs), Z.T).T
    Z = np.concatenate([Z, -Z])
    roots = np.linalg.cholesky(many.covariances)
    return many.means[:, None, :] + Z @ roots.transpose(0, 2, 1)


def em(points, many, mixture):
    """Fit a mixture to points that stand for Gaussians, by EM.

    Parameters
    ----------
    points : ndarray of shape (m, c, d)
        Of each of the many.
    many : Gaussians
    mixture : Mixture
        Where it starts.

    Returns
    -------
    mixture : Mixture
    bound : float
        Mean log density of the points, before the last pass.
    """
    m, c, d = points.shape
    X, shares = points.reshape(m * c, d), np.repeat(many.weights / c, c)[:, None]
    bound = -np.inf
    for _ in range(_MOST_PASSES):
        before = bound
        joint = log_joint(
            X,
            mixture.weights,
            mixture.means,
            mixture.whiteners(),
            mixture.covariance,
        )
        density = logsumexp(joint, axis=1, keepdims=True)
        bound = float(np.sum(shares * density))
        mixture = _m_step(X, shares * np.exp(joint - density), many, mixture)
        if bound - before < _TOL:
            break
    return mixture, bound


def _m_step(X, e, many, mixture):
    weights = np.maximum(e.sum(axis=0), 1e-300)
    means = e.T @ X / weights[:, None]
    of_pieces = e.reshape(len(many.weights), -1, len(weights)).sum(axis=1).T
    covariances = _OF_PIECES * np.tensordot(of_pieces, many.covariances, 1)
    for j, mean in enumerate(means):
        gaps = X - mean
        covariances[j] += (gaps.T * e[:, j]) @ gaps
    return _mixture(
        (weights, means, covariances / weights[:, None, None]), mixture.covariance
    )
