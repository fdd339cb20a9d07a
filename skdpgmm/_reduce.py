"""From many Gaussians to few, on samples of the many: free post-processing."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from skdpgmm._gaussian import Mixture

N_DRAWS = 5_000


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
    w, m, S = list(weights), list(means), list(covariances)
    logdet = [np.linalg.slogdet(s)[1] for s in S]

    def merged(i, j):
        total = w[i] + w[j]
        a, b = w[i] / total, w[j] / total
        gap = m[i] - m[j]
        cov = a * S[i] + b * S[j] + a * b * np.outer(gap, gap)
        log = np.linalg.slogdet(cov)[1]
        cost = 0.5 * (total * log - w[i] * logdet[i] - w[j] * logdet[j])
        return cost, total, a * m[i] + b * m[j], cov, log

    n = len(w)
    cost = np.full((n, n), np.inf)
    for i in range(n):
        for j in range(i):
            cost[i, j] = merged(i, j)[0]
    for left in range(n, k, -1):
        i, j = divmod(int(cost.argmin()), left)
        _, w[i], m[i], S[i], logdet[i] = merged(i, j)
        last = left - 1
        w[j], m[j], S[j], logdet[j] = w[last], m[last], S[last], logdet[last]
        del w[last], m[last], S[last], logdet[last]
        cost = cost[:last, :last].copy()
        for t in {i, j} - {last}:
            for s in range(last):
                if s != t:
                    cost[max(s, t), min(s, t)] = merged(s, t)[0]
    return np.array(w), np.array(m), np.array(S)


def reduce_mixture(weights, means, covariances, k, covariance_type, n_init, public_rng):
    """Fit `k` components to draws from a mixture, from two kinds of start.

    Parameters
    ----------
    weights, means, covariances : ndarray
        Full covariances, shape (m, p, p).
    k : int
        Components wanted.
    covariance_type : str
        As in scikit-learn.
    n_init : int
        Restarts from k-means; at least 3 are made.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    mixture : Mixture
    """
    scale = np.sqrt(
        np.mean(np.diagonal(covariances, axis1=1, axis2=2)) + means.var(axis=0).mean()
    )
    draws = draw(weights, means / scale, covariances / scale**2, N_DRAWS, public_rng)
    seed = int(public_rng.integers(2**31))
    common = {"covariance_type": covariance_type, "max_iter": 50, "reg_covar": 1e-9}
    starts = [{"n_init": max(3, n_init), "random_state": seed}]
    if len(weights) >= k:
        _, start_means, start_covariances = runnalls(weights, means, covariances, k)
        starts.append({"means_init": start_means / scale, "random_state": seed})
        if covariance_type == "full":
            precisions = np.linalg.inv(start_covariances / scale**2)
            precisions = (precisions + precisions.transpose(0, 2, 1)) / 2.0
            starts[-1]["precisions_init"] = precisions
    fits = []
    # The matrices are small: waking a second BLAS thread takes longer than the work.
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        for start in starts:
            fits.append(GaussianMixture(k, **common, **start).fit(draws))
    best = max(fits, key=lambda fit: fit.lower_bound_)
    weights = np.maximum(best.weights_, 1e-3 / k)
    return Mixture(
        weights / weights.sum(),
        best.means_ * scale,
        best.covariances_ * scale**2,
        covariance_type,
        np.zeros(k, dtype=np.intp),
    )


def draw(weights, means, covariances, n, public_rng):
    """Draw rows from a mixture of full Gaussians."""
    counts = public_rng.multinomial(n, weights / weights.sum())
    rows = [
        m + public_rng.standard_normal((c, len(m))) @ np.linalg.cholesky(S).T
        for m, S, c in zip(means, covariances, counts, strict=True)
    ]
    return np.concatenate(rows)
