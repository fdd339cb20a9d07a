"""Components placed by a linear head: from a second moment and scores to a mixture.

Class means of their own would cost budget, and where classes are many, their noise
would put synthetic rows where few labels win. A head knows in which direction each
class lies; the second moment tells how far records spread. With both, a mixture of
one covariance has the second moment that was released, and component j lies in the
direction ``S**(1/2) w_j``, w_j the weights of its class. How far is the one free number
left: too near, and labels have nothing to do with components; too far, and no row is
ever near a boundary.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdpgmm._gaussian import Mixture

# Share of the rows whose label should be that of their component.
_AGREEMENT = 0.75
# Share of the second moment in one direction that may lie between components.
_MOST_BETWEEN = 0.95
_N_DRAWS = 4_000
# Draws of scores before those with another label are taken.
_MAX_TRIES = 100


def place_components(head, weights, second, public_rng):
    """Return a tied mixture with a component for each class of a head.

    Parameters
    ----------
    head : Head
        Scores of rows about the centre of the ball; public.
    weights : ndarray of shape (k,)
        Of sum 1, positive.
    second : ndarray of shape (p, p)
        Second moment about the centre, positive definite; public.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    mixture : Mixture
        About the centre of the ball; covariance type "tied".
    """
    values, vectors = np.linalg.eigh(second)
    # In whitened principal coordinates the second moment is the identity.
    coef = (head.coef @ vectors) * np.sqrt(values)
    gaps = head.coef @ vectors
    gaps = np.sqrt(weights)[:, None] * (gaps - weights @ gaps)
    left, lengths, right = np.linalg.svd(gaps, full_matrices=False)
    lengths = lengths / max(lengths.max(), 1e-300)
    draws = _Draws(weights, public_rng)
    limit = np.sqrt(_MOST_BETWEEN)

    def between(scale):
        return np.minimum(scale * lengths, limit)

    def agreement(scale):
        b = between(scale)
        means = (left * b) @ (right @ coef.T) / np.sqrt(weights)[:, None]
        within = coef - (coef @ right.T * (1.0 - np.sqrt(1.0 - b**2))) @ right
        return draws.agreement(means + head.intercept, within @ within.T)

    low, high = 1e-3, 30.0
    for _ in range(20):
        middle = np.sqrt(low * high)
        if agreement(middle) < _AGREEMENT:
            low = middle
        else:
            high = middle
    b = between(high)
    root = np.sqrt(values)[:, None] * vectors.T
    means = ((left * b) @ right / np.sqrt(weights)[:, None]) @ root
    # As a square it is positive definite, however badly conditioned.
    within = root - (right.T * (1.0 - np.sqrt(1.0 - b**2))) @ (right @ root)
    covariance = within.T @ within
    classes = np.arange(len(weights))
    return Mixture(weights, means, covariance, "tied", classes)


class _Draws:
    """The same draws for every scale, so that agreement hardly wavers."""

    def __init__(self, weights, public_rng):
        k = len(weights)
        self.components = public_rng.choice(k, size=_N_DRAWS, p=weights)
        self.noise = public_rng.standard_normal((_N_DRAWS, k))

    def agreement(self, mean_scores, covariance):
        """Share of draws that score highest for their own component."""
        squares, axes = np.linalg.eigh(covariance)
        root = axes * np.sqrt(np.maximum(squares, 0.0))
        scores = mean_scores[self.components] + self.noise @ root.T
        return np.mean(scores.argmax(axis=1) == self.components)


class ScoreSampler(NamedTuple):
    """Draws components and scores of rows of a mixture, given the labels of a head.

    Scores have few coordinates, so that drawing them again until they give the
    label is cheap; a row is drawn once and moved to its scores.

    Attributes
    ----------
    table : ndarray of shape (k, k)
        Row c: probabilities of the components, given label c. A component is always
        among those of its own class.
    mean_scores : ndarray of shape (k, k)
        Scores of the mean of each component.
    root : ndarray of shape (k, k)
        Root of the covariance of the scores about them.
    lift : ndarray of shape (p, k)
        Regression of rows on scores.
    """

    table: np.ndarray
    mean_scores: np.ndarray
    root: np.ndarray
    lift: np.ndarray

    def scores(self, components, rng):
        """Draw scores of rows of the components."""
        noise = rng.standard_normal((len(components), len(self.root)))
        return self.mean_scores[components] + noise @ self.root.T

    def draw(self, codes, rng):
        """Return a component and scores for each label.

        Scores of a label that is hardly ever given are the last ones tried.
        """
        components = np.empty(len(codes), dtype=np.intp)
        scores = np.empty((len(codes), len(self.root)))
        missing = np.arange(len(codes))
        cumulated = np.cumsum(self.table, axis=1)
        for _ in range(_MAX_TRIES):
            labels = codes[missing]
            u = rng.random(len(missing)) * cumulated[labels, -1]
            components[missing] = np.sum(cumulated[labels] <= u[:, None], axis=1)
            scores[missing] = self.scores(components[missing], rng)
            missing = missing[scores[missing].argmax(axis=1) != labels]
            if not len(missing):
                break
        return components, scores

    def move(self, rows, gaps):
        """Move rows so that their scores change by `gaps`.

        A row of the mixture that is moved to scores of the mixture is again one, with
        these scores [1]_.

        References
        ----------
        .. [1] Y. Hoffman, E. Ribak, "Constrained realizations of Gaussian fields",
           Astrophysical Journal 380, 1991.
        """
        return rows + gaps @ self.lift.T


def score_sampler(mixture, head, public_rng):
    """Return the `ScoreSampler` of a tied mixture and a head of the same classes.

    Parameters
    ----------
    mixture : Mixture
        About the centre of the ball; covariance type "tied".
    head : Head
        Likewise.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    sampler : ScoreSampler
    """
    k = len(mixture.weights)
    n_each = max(200, _N_DRAWS // k)
    spread = mixture.covariances @ head.coef.T  # (p, k)
    squares, axes = np.linalg.eigh(head.coef @ spread)
    # Scores that all rise together change no label: that direction may be empty.
    squares = np.where(squares > 1e-9 * squares.max(), squares, 0.0)
    inverse = np.divide(1.0, squares, where=squares > 0.0, out=np.zeros(k))
    sampler = ScoreSampler(
        np.empty((k, k)),
        head.scores(mixture.means),
        axes * np.sqrt(squares),
        spread @ (axes * inverse) @ axes.T,
    )
    for j in range(k):
        labels = sampler.scores(np.full(n_each, j), public_rng).argmax(axis=1)
        share = np.bincount(labels, minlength=k) / n_each
        sampler.table[:, j] = share * mixture.weights[j]
    sampler.table[:] += np.diag(1e-3 * mixture.weights)
    sampler.table[:] /= sampler.table.sum(axis=1, keepdims=True)
    return sampler
