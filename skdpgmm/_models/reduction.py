"""From many Gaussians to few, on samples of the many: free post-processing."""

from __future__ import annotations

import warnings
from contextlib import contextmanager, suppress
from contextvars import ContextVar

import numpy as np
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

from skdpgmm._estimates.spectrum import sound
from skdpgmm._models.mixture import Mixture

# Draws from the many. Not argued; a reduction takes time in proportion.
N_DRAWS = 5_000
# Passes of EM, and fewest restarts of it. Not argued.
_MOST_PASSES, _FEWEST_STARTS = 50, 3
# Least weight in equal shares, so that no component is lost before a record is seen.
# Not argued.
_LEAST_WEIGHT = 1e-3
# Of variances of about one. Rounding alone never makes a component ill-defined
# with the last.
_REGULARISATIONS = (1e-9, 1e-6, 1e-3)
# Mean log densities that are alike.
_ALIKE = 1e-9
# Draws for each component where only their number matters.
_FEWEST_DRAWS = 4
_ROUGH: ContextVar[bool] = ContextVar("rough", default=False)


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


def reduce_mixture(weights, means, covariances, k, covariance, n_init, public_rng):
    """Fit `k` components to draws from a mixture, from two kinds of start.

    Parameters
    ----------
    weights, means, covariances : ndarray
        Full covariances, shape (m, p, p).
    k : int
        Components wanted.
    covariance : Covariance
        Type of the covariances wanted.
    n_init : int
        Restarts from k-means; at least 3 are made.
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
    means = means / scale
    covariances = np.stack([sound(C) for C in covariances / scale**2])
    rough = _ROUGH.get()
    n_draws = _FEWEST_DRAWS * max(k, len(means[0])) if rough else N_DRAWS
    draws = draw(weights, means, covariances, n_draws, public_rng)
    seed = int(public_rng.integers(2**31))
    common = {"max_iter": 1 if rough else _MOST_PASSES}
    n_starts = 1 if rough else max(_FEWEST_STARTS, n_init)
    starts = [{"random_state": seed + i} for i in range(n_starts)]
    if len(weights) >= k and not rough:
        _, start_means, start_covariances = runnalls(weights, means, covariances, k)
        start = covariance.em_start(start_covariances)
        starts.append({"means_init": start_means, "random_state": seed, **start})
    # The draws are of numpy, wherever the records are.
    here = config_context(array_api_dispatch=False)
    with warnings.catch_warnings(), here:
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [_fit(covariance, k, draws, **common, **start) for start in starts]
    # Two starts may lead to the same mixture, in another order: the first is taken,
    # and not the one whose last bit is larger.
    most = max(fit.lower_bound_ for fit in fits)
    best = next(fit for fit in fits if fit.lower_bound_ >= most - _ALIKE)
    weights = np.maximum(best.weights_, _LEAST_WEIGHT / k)
    return Mixture(
        weights / weights.sum(),
        mean + best.means_ * scale,
        covariance.of_em(best) * scale**2,
        covariance,
        np.zeros(k, dtype=np.intp),
    )


def _fit(covariance, k, draws, **params):
    """Fit a mixture, with as little regularisation as will do."""
    *small, largest = _REGULARISATIONS
    for reg_covar in small:
        with suppress(ValueError):  # a component has shrunk to a point
            return covariance.em(k, reg_covar=reg_covar, **params).fit(draws)
    return covariance.em(k, reg_covar=largest, **params).fit(draws)


def draw(weights, means, covariances, n, public_rng):
    """Draw rows from a mixture of full Gaussians."""
    counts = public_rng.multinomial(n, weights / weights.sum())
    rows = [
        m + public_rng.standard_normal((c, len(m))) @ np.linalg.cholesky(S).T
        for m, S, c in zip(means, covariances, counts, strict=True)
    ]
    return np.concatenate(rows)
