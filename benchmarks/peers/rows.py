"""Peers that release labelled rows, and what rows could be without privacy.

All of `PEERS` take rows of norm 1, share the budget as one mu, add or remove one
record, and know the shares of the classes for free; all rows are scaled to norm 1, as
is known of the records.

`mean_embedding_rows` is of the kind of DP-MERF. `em_rows` is private EM for a mixture
of each class, after Park, Foulds, Choudhary and Welling (2017), "DP-EM: Differentially
private expectation maximization": each pass releases the sufficient statistics with
Gaussian noise. `prototype_rows` are private class means with noise about them.
"""

import numpy as np
from scipy.special import logsumexp

from skdpgmm.privacy import mu_from_epsilon

# The bandwidth of the kernel: rows of norm 1 are at most 2 apart.
MEAN_EMBEDDING_GRID = [(0.6,), (1.2,)]
# Components of a class, "diag" or "full", and passes.
EM_GRID = [(1, "diag", 1), (4, "diag", 4), (1, "full", 1)]
# The spread about a class mean, in units of the one that was released.
PROTOTYPE_GRID = [(0.3,), (0.6,), (1.0,)]
N_FEATURES, N_STEPS = 2_000, 1_000


def unit_rows(E):
    return (E / np.linalg.norm(E, axis=1, keepdims=True)).astype(np.float32)


def drawn_labels(y, n_rows, rng):
    """Return labels, drawn with the shares that they have in `y`."""
    return rng.choice(y, n_rows).astype(np.int64)


def mean_embedding_rows(X, y, epsilon, delta, n_rows, seed, setting):
    """Rows of a generator that matches noisy sums of random features."""
    import torch
    from torch import nn

    from benchmarks.peers.mean_embeddings import (
        Generator,
        RandomFeatures,
        match,
        private_means,
    )

    torch.manual_seed(seed)
    d, k, n_noise = X.shape[1], int(y.max()) + 1, 32
    features = RandomFeatures(d, N_FEATURES, *setting)
    x, labels = torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))
    means = private_means(features, x, labels, mu_from_epsilon(epsilon, delta))

    class Sphere(nn.Module):
        def forward(self, rows):
            return nn.functional.normalize(rows)

    layers = nn.Sequential(
        nn.Linear(n_noise + k, 256),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Linear(256, 256),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Linear(256, d),
        Sphere(),
    )
    model = match(Generator(k, n_noise, layers), features, means, N_STEPS)
    labels = drawn_labels(y, n_rows, np.random.default_rng(seed))
    return model.draw(labels), labels


# --- DP-EM --------------------------------------------------------------------------
def _log_densities(x, means, covariances):
    """Log density of each row under each Gaussian, up to one constant."""
    columns = []
    for mean, covariance in zip(means, covariances, strict=True):
        gap = x - mean
        if covariance.ndim == 1:
            squares = gap**2 @ (1.0 / covariance)
            log_det = np.log(covariance).sum()
        else:
            root = np.linalg.cholesky(covariance)
            squares = (np.linalg.solve(root, gap.T) ** 2).sum(axis=0)
            log_det = 2.0 * np.log(np.diag(root)).sum()
        columns.append(-0.5 * (squares + log_det))
    return np.stack(columns, axis=1)


def _legal(covariance):
    """Return the nearest covariance that is one: of positive variances."""
    least = 1e-2 / len(covariance)
    if covariance.ndim == 1:
        return np.maximum(covariance, least)
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.maximum(values, least)) @ vectors.T


def _spread(z, covariance):
    """Return standard normal rows with a covariance."""
    if covariance.ndim == 1:
        return z * np.sqrt(covariance)
    return z @ np.linalg.cholesky(covariance).T


def _private_mixture(x, kind, n_components, n_passes, noise, rng):
    """Weights, means and covariances of a class by EM, each pass with noise.

    A row of norm 1 moves counts, sums and second moments of all components by at most
    sqrt(3), its responsibilities being of norm 1 at most.
    """
    d = x.shape[1]
    scale = noise * np.sqrt(3.0 * n_passes)
    shares = np.ones((len(x), 1))
    for i in range(n_passes):
        counts = shares.sum(axis=0) + scale * rng.standard_normal(shares.shape[1])
        counts = np.maximum(counts, 1.0)
        sums = shares.T @ x + scale * rng.standard_normal((len(counts), d))
        weights, means, covariances = counts / counts.sum(), [], []
        for share, count, total in zip(shares.T, counts, sums, strict=True):
            mean = total / count
            if kind == "diag":
                second = share @ x**2 + scale * rng.standard_normal(d)
                covariance = second / count - mean**2
            else:
                half = np.triu(rng.standard_normal((d, d)))
                second = (x * share[:, None]).T @ x
                second += scale * (half + np.triu(half, 1).T)
                covariance = second / count - np.outer(mean, mean)
            means.append(mean)
            covariances.append(_legal(covariance))
        if i == n_passes - 1:
            break
        if i == 0:
            # The first pass is of one Gaussian, and the components start within it.
            z = rng.standard_normal((n_components, d))
            means = list(means[0] + _spread(z, covariances[0]))
            covariances = covariances * n_components
            weights = np.full(n_components, 1.0 / n_components)
        joint = _log_densities(x, means, covariances) + np.log(weights)
        shares = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    return weights, means, covariances


def em_rows(X, y, epsilon, delta, n_rows, seed, setting):
    """Rows of a mixture for each class, by private EM."""
    n_components, kind, n_passes = setting
    rng = np.random.default_rng(seed)
    noise = 1.0 / mu_from_epsilon(epsilon, delta)
    labels = drawn_labels(y, n_rows, rng)
    E = np.empty((n_rows, X.shape[1]))
    for label in np.unique(labels):
        wanted = np.flatnonzero(labels == label)
        x = X[y == label].astype(float)
        mixture = _private_mixture(x, kind, n_components, n_passes, noise, rng)
        parts = rng.choice(n_components, len(wanted), p=mixture[0])
        for part in np.unique(parts):
            rows = wanted[parts == part]
            mean, covariance = mixture[1][part], mixture[2][part]
            z = rng.standard_normal((len(rows), X.shape[1]))
            E[rows] = mean + _spread(z, covariance)
    return unit_rows(E), labels


# --- prototypes ---------------------------------------------------------------------
def prototype_rows(X, y, epsilon, delta, n_rows, seed, setting):
    """Rows about private class means, the spread as released with them.

    Rows have norm 1, so that the norm of a mean tells their variance about it.
    """
    rng = np.random.default_rng(seed)
    noise = 1.0 / mu_from_epsilon(epsilon, delta)
    d, labels = X.shape[1], drawn_labels(y, n_rows, rng)
    counts = np.bincount(y)
    sums = np.stack([X[y == label].sum(axis=0) for label in range(len(counts))])
    means = (sums + noise * rng.standard_normal(sums.shape)) / counts[:, None]
    squares = (means**2).sum(axis=1) - d * (noise / counts) ** 2
    spread = setting[0] * np.sqrt(np.clip(1.0 - squares, 0.0, 1.0) / d)
    z = rng.standard_normal((n_rows, d))
    return unit_rows(means[labels] + spread[labels, None] * z), labels


PEERS = {
    "mean embeddings": (MEAN_EMBEDDING_GRID, mean_embedding_rows),
    "DP-EM": (EM_GRID, em_rows),
    "prototypes": (PROTOTYPE_GRID, prototype_rows),
}
