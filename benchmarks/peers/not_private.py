"""What rows could be without privacy: the ceilings of what a mixture can reach."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from benchmarks.peers.rows import drawn_labels, unit_rows

# Directions that a mixture is fitted in, its components of a class, and the least
# number of records of each.
N_DIRECTIONS, N_COMPONENTS, LEAST_RECORDS = 32, 8, 60


def real_rows(X, y, n_rows, seed):
    """The records themselves."""
    rows = np.random.default_rng(seed).permutation(len(X))[:n_rows]
    return X[rows], y[rows]


def _gaussian(x, n_rows, rng):
    """Rows with exactly the mean and the covariance of other rows, as expectations."""
    mean = x.mean(axis=0)
    z = rng.standard_normal((n_rows, len(x))).astype(x.dtype)
    return mean + z @ ((x - mean) / np.sqrt(len(x)))


def gaussian_rows(X, y, n_rows, seed):
    """Each class as one Gaussian, with its own mean and covariance."""
    rng = np.random.default_rng(seed)
    labels = drawn_labels(y, n_rows, rng)
    E = np.empty((n_rows, X.shape[1]), dtype=X.dtype)
    for label in np.unique(labels):
        wanted = labels == label
        E[wanted] = _gaussian(X[y == label], wanted.sum(), rng)
    return unit_rows(E), labels


def mixture_rows(X, y, n_rows, seed):
    """Each class as a full mixture in the leading directions, and a Gaussian rest."""
    rng = np.random.default_rng(seed)
    labels = drawn_labels(y, n_rows, rng)
    pca = PCA(N_DIRECTIONS, random_state=seed).fit(X)
    Z = pca.transform(X)
    rest = X - pca.inverse_transform(Z)
    E = np.empty((n_rows, X.shape[1]), dtype=X.dtype)
    for label in np.unique(labels):
        wanted, own = labels == label, y == label
        n_components = np.clip(own.sum() // LEAST_RECORDS, 1, N_COMPONENTS)
        mixture = GaussianMixture(n_components, reg_covar=1e-6, random_state=seed)
        z = mixture.fit(Z[own]).sample(wanted.sum())[0]
        E[wanted] = pca.inverse_transform(z) + _gaussian(rest[own], wanted.sum(), rng)
    return unit_rows(E), labels


NOT_PRIVATE = {
    "real rows": real_rows,
    "one Gaussian a class": gaussian_rows,
    "a mixture a class": mixture_rows,
}
