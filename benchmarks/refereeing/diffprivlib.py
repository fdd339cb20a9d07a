"""Mechanisms of diffprivlib, for referees: purely epsilon-private."""

import math
from functools import partial

import numpy as np


def neighbours(replaced, other):
    """Return records in the unit ball, with one in the place of another."""
    X = np.random.default_rng(0).uniform(-0.5, 0.5, (60, 3))
    first, second = X.copy(), X.copy()
    first[-1], second[-1] = replaced, other
    return first, second


class Diffprivlib:
    """An estimator with neighbours that differ in what one record is."""

    def __init__(self, make, published, pair, epsilon, labelled=False):
        self.claim = {"epsilon": epsilon, "delta": 0.0}
        self.make, self.published, self.pair = make, published, pair
        self.y = np.arange(60) % 3 if labelled else None
        self.epsilon = epsilon

    def fit(self, data, seed):
        """Return the fitted estimator."""
        from diffprivlib import BudgetAccountant

        estimator = self.make(
            epsilon=self.epsilon, random_state=seed, accountant=BudgetAccountant()
        )
        return estimator.fit(data.copy(), self.y)

    def sample(self, data, seed):
        """Return the numbers that a fit publishes."""
        fitted = self.fit(data, seed)
        return np.concatenate([np.ravel(getattr(fitted, p)) for p in self.published])

    def hook(self, watched, inner):
        """Have each mechanism that has a sensitivity and a value watched."""
        import diffprivlib.mechanisms as own

        classes = {
            one
            for one in vars(own).values()
            if isinstance(one, type) and "randomise" in vars(one)
        }
        for one in classes:
            _watch(one, watched, inner)


def _watch(mechanism, watched, inner):
    original = mechanism.randomise

    def randomise(self, value):
        if inner() or not hasattr(self, "sensitivity"):
            return original(self, value)
        return watched(
            type(self).__name__,
            lambda value: original(self, value),
            value,
            spectral,
            self.sensitivity,
            self.epsilon,
        )

    mechanism.randomise = randomise


def spectral(one, other):
    """Return the distance of numbers, or of matrices by their largest eigenvalue."""
    moved = np.asarray(one, float) - np.asarray(other, float)
    return float(np.linalg.norm(moved, 2)) if moved.ndim == 2 else float(abs(moved[0]))


def _pca(**given):
    from diffprivlib.models import PCA

    return PCA(2, data_norm=1.0, centered=True, **given)


def _kmeans(**given):
    from diffprivlib.models import KMeans

    return KMeans(2, bounds=(-1.0, 1.0), **given)


def _bayes(**given):
    from diffprivlib.models import GaussianNB

    return GaussianNB(bounds=(-1.0, 1.0), **given)


AXES = neighbours(np.eye(3)[0], np.eye(3)[1])
CORNERS = neighbours(
    np.full(3, 1.0 / math.sqrt(3.0)), np.full(3, -1.0 / math.sqrt(3.0))
)
APART = tuple(np.vstack([X[:-1] / 4.0 - 0.5, X[-1:]]) for X in CORNERS)
PCA = partial(Diffprivlib, _pca, ("components_", "explained_variance_"), AXES)
KMEANS = partial(Diffprivlib, _kmeans, ("cluster_centers_",), APART)
BAYES = partial(Diffprivlib, _bayes, ("theta_", "var_"), CORNERS, labelled=True)
MECHANISMS = {
    "PCA": partial(PCA, 4.0),
    "KMeans": partial(KMEANS, 4.0),
    "GaussianNB": partial(BAYES, 4.0),
    "PCA, epsilon 1": partial(PCA, 1.0),
    "KMeans, epsilon 1": partial(KMEANS, 1.0),
    "GaussianNB, epsilon 1": partial(BAYES, 1.0),
}
