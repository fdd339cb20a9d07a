"""Many made-up records of one fit, and guesses which of them are in it.

A release is the sum of what is known, of the canaries that are in, and of noise. So the
coins of all canaries are the coefficients of one linear regression along the releases,
and the best linear guess at each takes away what the others say.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from scipy.linalg import eigh

from skdpgmm._audit.neighbours import Dataset, Unit, alone, labels_of
from skdpgmm._audit.paths import regression_of, with_transcript
from skdpgmm._audit.runs import fitted

# In lengths of the longest record: where every clip is reached.
_LENGTH = 1e3
# Variance of a fair coin, over which that of the noise is 1.
_COIN = 0.25
# Directions of less of the largest energy are rounding errors.
_RANK = 1e-9


class Guessed(NamedTuple):
    """Canaries of one fit.

    Attributes
    ----------
    inside : ndarray of bool of shape (n_canaries,)
    scores : ndarray of shape (n_canaries,)
        Positive where one seems to be inside, and the larger the surer.
    distances : ndarray of shape (n_canaries,)
        How far each moves the releases, in standard deviations of the noise.
    noise : ndarray of shape (n_directions,)
        Of the releases, along all directions that canaries move them to, in the same
        units.
    """

    inside: np.ndarray
    scores: np.ndarray
    distances: np.ndarray
    noise: np.ndarray


def made(data, n_canaries, rng):
    """Return canaries, far out, of which as many as can be are orthogonal."""
    n_features = data.X.shape[1]
    n_bases = -(-n_canaries // n_features)
    drawn = rng.standard_normal((n_bases, n_features, n_features))
    directions = np.linalg.qr(drawn)[0].reshape(-1, n_features)[:n_canaries]
    center = data.X.mean(axis=0)
    longest = np.linalg.norm(data.X - center, axis=1).max() or 1.0
    X = center + _LENGTH * longest * directions
    y = None if data.y is None else rng.choice(labels_of(data, rng), size=n_canaries)
    return Dataset(X, y, None)


def guesses(estimator, data, n_canaries, seeds, n_runs, n_jobs, verbose):
    """Return what is guessed of the canaries of each run."""

    def one(canaries, inside, random_state):
        y = None if data.y is None else np.append(data.y, canaries.y[inside])
        X = np.vstack([data.X, canaries.X[inside]])
        told = with_transcript(fitted(estimator, Dataset(X, y, None), random_state))
        labels = [None] * n_canaries if canaries.y is None else canaries.y
        every = [alone(unit) for unit in map(Unit, canaries.X, labels)]
        return guessed(inside, *regression_of(told, data, every))

    tasks = (
        delayed(one)(
            made(data, n_canaries, seeds.rng),
            seeds.rng.random(n_canaries) < 0.5,
            seeds.next(),
        )
        for _ in range(n_runs)
    )
    return Parallel(n_jobs=n_jobs, verbose=verbose)(tasks)


def guessed(inside, products, along) -> Guessed:
    """Return guesses by the best linear estimates of coins.

    Parameters
    ----------
    inside : ndarray of bool of shape (n_canaries,)
    products : ndarray of shape (n_canaries, n_canaries)
        Inner products of what canaries add.
    along : ndarray of shape (n_canaries,)
        Inner products with what was released, less all that is no canary.
    """
    values, vectors = eigh(products)
    centred = vectors.T @ (along - 0.5 * products.sum(axis=1))
    scores = vectors @ (centred / (np.maximum(values, 0.0) + 1.0 / _COIN))
    kept = values > _RANK * values[-1]
    left = vectors[:, kept].T @ (along - products @ inside)
    distances = np.sqrt(np.diag(products))
    return Guessed(inside, scores, distances, left / np.sqrt(values[kept]))
