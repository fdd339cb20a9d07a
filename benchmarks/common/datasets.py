"""Data sets of the benchmarks: drawn, shipped with scikit-learn, or read from files.

A data set that needs a file which is not there is left out, with a line that says so.
"""

from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import special_ortho_group, wishart
from sklearn.datasets import load_digits, make_blobs
from sklearn.mixture import GaussianMixture


def blobs(n, d, k, seed, spread=1.0):
    """Round clusters of one size, centres uniform in a cube."""
    return make_blobs(n, d, centers=k, cluster_std=spread, random_state=seed)[0]


def unbalanced(n, d, k, seed):
    """Clusters whose sizes fall from 100 to 1."""
    weights = np.geomspace(100, 1, k)
    sizes = np.floor(n * weights / weights.sum()).astype(int)
    return make_blobs(sizes, d, random_state=seed)[0]


def elongated(n, d, k, seed):
    """Clusters stretched ten to one, each in a direction of its own."""
    rng = np.random.default_rng(seed)
    centers = rng.uniform(-10, 10, (k, d))
    scales = np.geomspace(3.0, 0.3, d)
    rows = [
        c
        + (rng.standard_normal((n // k, d)) * scales)
        @ special_ortho_group.rvs(d, random_state=rng)
        for c in centers
    ]
    return np.concatenate(rows)


def heavy_tails(n, d, k, seed):
    """Clusters of multivariate t with 3 degrees of freedom."""
    rng = np.random.default_rng(seed)
    centers = rng.uniform(-10, 10, (k, d))
    z = rng.standard_normal((n, d)) / np.sqrt(rng.chisquare(3, (n, 1)) / 3)
    return centers[np.arange(n) % k] + z


def birch_grid(n, k, seed):
    """A square grid of round clusters in the plane, one apart in units of 4 sd."""
    rng = np.random.default_rng(seed)
    side = round(np.sqrt(k))
    centers = 4.0 * np.stack(np.divmod(np.arange(side**2), side), axis=1)
    return centers[rng.integers(side**2, size=n)] + rng.standard_normal((n, 2))


def birch_sine(n, k, seed):
    """Clusters along a sine curve in the plane."""
    rng = np.random.default_rng(seed)
    t = np.arange(k)
    centers = np.stack([4.0 * t, 4.0 * k / 8 * np.sin(2 * np.pi * t / k * 4)], axis=1)
    return centers[rng.integers(k, size=n)] + rng.standard_normal((n, 2))


def random_mixture(n_features, n_components, seed, covariance_type="full"):
    """A GaussianMixture with random parameters, ready to sample from and to score."""
    rng = np.random.default_rng(seed)
    d, k = n_features, n_components
    weights = rng.dirichlet(np.full(k, 5.0))
    means = 4.0 * rng.standard_normal((k, d))

    def matrix():
        return np.atleast_2d(wishart(d + 2, np.eye(d) / (d + 2)).rvs(random_state=rng))

    covariances = {
        "full": lambda: np.stack([matrix() for _ in range(k)]),
        "tied": matrix,
        "diag": lambda: rng.uniform(0.1, 2.0, (k, d)),
        "spherical": lambda: rng.uniform(0.1, 2.0, k),
    }[covariance_type]()
    mixture = GaussianMixture(k, covariance_type=covariance_type, random_state=seed)
    mixture.weights_, mixture.means_, mixture.covariances_ = weights, means, covariances
    mixture.precisions_cholesky_ = _precisions_cholesky(covariances, covariance_type)
    mixture.n_features_in_ = d
    return mixture


def _precisions_cholesky(covariances, covariance_type):
    if covariance_type in ("full", "tied"):
        return np.swapaxes(np.linalg.inv(np.linalg.cholesky(covariances)), -1, -2)
    return 1.0 / np.sqrt(covariances)


def clustering_sets():
    """Drawn sets of 20,000 rows by name: the number of clusters, and what draws."""
    n = 20_000
    sets = {
        f"blobs-d{d}-k{k}": (k, partial(blobs, n, d, k))
        for d, k in ((10, 10), (16, 64), (64, 64), (16, 100))
    }
    sets["birch-grid-k100"] = 100, partial(birch_grid, n, 100)
    sets["birch-sine-k100"] = 100, partial(birch_sine, n, 100)
    sets["unbalanced-d5-k8"] = 8, partial(unbalanced, n, 5, 8)
    sets["elongated-d8-k8"] = 8, partial(elongated, n, 8, 8)
    sets["heavy-tails-d5-k10"] = 10, partial(heavy_tails, n, 5, 10)
    for d, k in ((5, 5), (10, 8)):
        sets[f"mixture-d{d}-k{k}"] = k, partial(mixture_rows, n, d, k)
    return sets


def mixture_rows(n, d, k, seed):
    """Rows of a random mixture, which depends on the seed too."""
    return random_mixture(d, k, seed).sample(n)[0]


def project(X, n_components, seed):
    """Multiply by random directions: public, and the same for every run."""
    rng = np.random.default_rng(seed)
    return X @ np.linalg.qr(rng.standard_normal((X.shape[1], n_components)))[0]


def digits():
    return load_digits().data


def mlbench(name, folder):
    """One data set of R's mlbench, without its classes, standardised."""
    import pyreadr

    path = Path(folder) / f"{name}.rda"
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not in the folder of mlbench")
    frame = next(iter(pyreadr.read_r(path).values()))
    X = frame.select_dtypes("number").to_numpy(dtype=float)
    X = X[:, X.std(axis=0) > 0]
    return (X - X.mean(axis=0)) / X.std(axis=0)


def bank_questions(path):
    """Sentence embeddings of norm 1, from int8 with a scale for each row."""
    archive = np.load(path)
    arrays = []
    for part in ("train", "test"):
        X = archive[f"X_{part}"] * archive[f"scale_{part}"][:, None].astype(np.float32)
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        arrays += [X.astype(np.float32), archive[f"y_{part}"].astype(np.intp)]
    return tuple(arrays)
