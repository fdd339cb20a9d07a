"""Components placed by a linear head: from a second moment and scores to a mixture.

A head knows in which direction each class lies, where class means of their own are
mostly noise; the second moment tells how far records spread. With both, component j
lies in the direction ``S**(1/2) w_j``, w_j the weights of its class, and one covariance
makes up the second moment that was released. How far is the one free number left: so
far that the head is as sure of draws as it is right about records.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from skdpgmm._estimates.spectrum import fixed_signs, lower_root
from skdpgmm._models.covariances import Tied
from skdpgmm._models.mixture import Mixture
from skdpgmm._models.slices import row_slices

# Share of the rows whose likeliest class should be that of their component, at least:
# a head can be sure of rows of components that coincide. Not argued.
_AGREEMENT = 0.75
# Share of the second moment in one direction that may lie between components. Not
# argued; below 1, so that what is left has a Cholesky factor.
_MOST_BETWEEN = 0.95
# Draws of the mixture: how sure a head is of them on average is known to 0.5 %.
_N_DRAWS = 4_000
# Scales between which the right one is looked for, and halvings of their ratio: to a
# hundred-thousandth. Not argued.
_SCALES, _N_HALVINGS = (1e-3, 30.0), 20
# Scores that are held at a time.
_N_SCORES = 2**22
# Draws of scores before any are taken. Not argued; time grows with them.
_MAX_TRIES = 200
# Fewest and most draws of each component that tell which labels are within its reach.
# Not argued; rare labels need many, and time grows with them.
_PILOTS = 32, 2**14


def placed_means(head, weights, second, sureness, public_rng):
    """Return a mean for each class of a head.

    Parameters
    ----------
    head : Head
        Scores of rows about the centre of the ball; public.
    weights : ndarray of shape (k,)
        Of sum 1, positive.
    second : ndarray of shape (p, p)
        Second moment about the centre, positive definite; public.
    sureness : float
        Mean probability of the most likely class that draws of the mixture should
        have.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    means : ndarray of shape (k, p)
        About the centre of the ball.
    """
    values, vectors = np.linalg.eigh(second)
    # In whitened principal coordinates the second moment is the identity.
    coef = (head.coef @ vectors) * np.sqrt(values)
    gaps = head.coef @ vectors
    gaps = np.sqrt(weights)[:, None] * (gaps - weights @ gaps)
    left, lengths, right = np.linalg.svd(gaps, full_matrices=False)
    lengths = lengths / max(lengths.max(), 1e-300)
    draws = _Draws(weights, min(coef.shape), public_rng)
    limit = np.sqrt(_MOST_BETWEEN)

    def between(scale):
        return np.minimum(scale * lengths, limit)

    def far_enough(scale):
        b = between(scale)
        means = (left * b) @ (right @ coef.T) / np.sqrt(weights)[:, None]
        within = coef - (coef @ right.T * (1.0 - np.sqrt(1.0 - b**2))) @ right
        sure, agree = draws.show(means + head.intercept, lower_root(within))
        return sure >= sureness and agree >= _AGREEMENT

    low, high = _SCALES
    for _ in range(_N_HALVINGS):
        scale = np.sqrt(low * high)
        if far_enough(scale):
            high = scale
        else:
            low = scale
    root = np.sqrt(values)[:, None] * vectors.T
    return ((left * between(high)) @ right / np.sqrt(weights)[:, None]) @ root


def tied_mixture(means, weights, classes, second):
    """Return the mixture of one covariance that has these means and second moment.

    Where the means ask for more than the second moment has in a direction, they are
    moved together there.

    Parameters
    ----------
    means : ndarray of shape (k, p)
        About the centre of the ball.
    weights : ndarray of shape (k,)
        Of sum 1, positive.
    classes : ndarray of shape (k,)
    second : ndarray of shape (p, p)
        Second moment about the centre, positive definite; public.

    Returns
    -------
    mixture : Mixture
        About the centre of the ball.
    """
    values, vectors = np.linalg.eigh(second)
    white = np.sqrt(weights)[:, None] * (means @ vectors) / np.sqrt(values)
    left, lengths, right = np.linalg.svd(white, full_matrices=False)
    lengths = np.minimum(lengths, np.sqrt(_MOST_BETWEEN))
    root = np.sqrt(values)[:, None] * vectors.T
    means = ((left * lengths) @ right / np.sqrt(weights)[:, None]) @ root
    # As a square it is positive definite, however badly conditioned.
    within = root - (right.T * (1.0 - np.sqrt(1.0 - lengths**2))) @ (right @ root)
    return Mixture(weights, means, within.T @ within, Tied(), classes)


class _Draws:
    """The same draws for every scale, so that what they show hardly wavers."""

    def __init__(self, weights, rank, public_rng):
        self.components = public_rng.choice(len(weights), size=_N_DRAWS, p=weights)
        self.noise = public_rng.standard_normal((_N_DRAWS, rank))

    def show(self, mean_scores, root):
        """Mean probability of the likeliest class, and share that has its component.

        `root` is one of the covariance of the scores, of shape (k, rank).
        """
        sure = agree = 0.0
        for rows in _rows(_N_DRAWS, len(mean_scores)):
            own = self.components[rows]
            scores = mean_scores[own] + self.noise[rows] @ root.T
            sure += float(softmax(scores, axis=1).max(axis=1).sum())
            agree += float(np.count_nonzero(scores.argmax(axis=1) == own))
        return sure / _N_DRAWS, agree / _N_DRAWS


def _rows(n_rows, n_scores):
    """Slices of rows whose scores of all classes take little memory."""
    return row_slices(n_rows, max(1, _N_SCORES // n_scores))


class ScoreSampler(NamedTuple):
    """Draws rows of a mixture that may well get a label, by their linear scores.

    Linear scores have few coordinates, so that drawing them again until a label is
    within reach is cheap; a row is drawn once and moved to its scores.

    Attributes
    ----------
    weights : ndarray of shape (k,)
        Of the components.
    mean_scores : ndarray of shape (k, n_classes)
        Linear scores of the mean of each component.
    groups : ndarray of shape (k,)
        Which of the following is that of a component.
    roots : ndarray of shape (g, n_classes, rank)
        Roots of the covariances of the linear scores about them.
    lifts : ndarray of shape (g, p, n_classes)
        Regressions of rows on linear scores.
    slack : float
        How far the linear score of a label may be from the largest.
    reach : ndarray of shape (k, n_classes)
        Share of the draws of each component within reach of each label, about.
    """

    weights: np.ndarray
    mean_scores: np.ndarray
    groups: np.ndarray
    roots: np.ndarray
    lifts: np.ndarray
    slack: float
    reach: np.ndarray

    def draw(self, codes, label_noise, rng):
        """Return a component, linear scores, and noise of these, for each label.

        Of a label that is hardly ever in reach, they are the last ones tried.

        Parameters
        ----------
        codes : ndarray of shape (n,)
            Labels.
        label_noise : callable
            ``label_noise(n_rows, rng)`` is what is added to scores before the largest
            gives a row its label.
        rng : numpy.random.Generator
        """
        components = self._components(codes, rng)
        scores = np.empty((len(codes), self.roots.shape[1]))
        noise = np.empty_like(scores)
        missing = np.arange(len(codes))
        for _ in range(_MAX_TRIES):
            found = self._scores(components[missing], rng)
            scores[missing] = found
            noise[missing] = label_noise(len(missing), rng)
            near = self._within_reach(found + noise[missing])
            missing = missing[~near[np.arange(len(missing)), codes[missing]]]
            if not len(missing):
                break
        return components, scores, noise

    def _components(self, codes, rng):
        """Draw a component for each label, given that the label is within reach."""
        components = np.empty(len(codes), dtype=np.intp)
        for code in np.unique(codes):
            rows = np.flatnonzero(codes == code)
            p = self.weights * self.reach[:, code]
            p = p / p.sum() if p.any() else self.weights
            components[rows] = rng.choice(len(p), size=len(rows), p=p)
        return components

    def _scores(self, components, rng):
        scores = self.mean_scores[components]
        spread = rng.standard_normal((len(components), self.roots.shape[2]))
        for group, rows in self._grouped(components):
            scores[rows] += spread[rows] @ self.roots[group].T
        return scores

    def _grouped(self, components):
        """Yield each group, and where its components are."""
        groups = self.groups[components]
        for group in range(len(self.roots)):
            yield group, np.flatnonzero(groups == group)

    def _within_reach(self, scores):
        return scores >= scores.max(axis=1, keepdims=True) - self.slack

    def measured(self, label_noise, rng):
        """Return the sampler with the reach of its components, from draws of each."""
        k, n_classes = self.mean_scores.shape
        reach = np.empty((k, n_classes))
        n_draws = int(np.clip(_N_SCORES // (k * n_classes), *_PILOTS))
        for some in row_slices(k, max(1, _N_SCORES // (n_draws * n_classes))):
            components = np.repeat(np.arange(k)[some], n_draws)
            scores = self._scores(components, rng) + label_noise(len(components), rng)
            near = self._within_reach(scores).reshape(-1, n_draws, n_classes)
            reach[some] = near.mean(axis=1)
        return self._replace(reach=reach)

    def move(self, rows, gaps, components):
        """Move rows, in place, so that their linear scores change by `gaps`.

        A row of the mixture that is moved to scores of the mixture is again one, with
        these scores [1]_.

        References
        ----------
        .. [1] Y. Hoffman, E. Ribak, "Constrained realizations of Gaussian fields",
           Astrophysical Journal 380, 1991.
        """
        for group, some in self._grouped(components):
            rows[some] += gaps[some] @ self.lifts[group].T
        return rows


def score_sampler(mixture, linear, slack, label_noise, rng):
    """Return the `ScoreSampler` of a tied mixture.

    Parameters
    ----------
    mixture : Mixture
        About the centre of the ball; with one covariance.
    linear : Head
        Likewise; scores of the same classes.
    slack : float
        How far the linear score of the label of a row may be from the largest.
    label_noise : callable
        As of `ScoreSampler.draw`.
    rng : numpy.random.Generator

    Returns
    -------
    sampler : ScoreSampler
    """
    factors, groups = mixture.covariance.distinct_roots(
        mixture.covariances, len(mixture.weights)
    )
    scored = [_scored(linear.coef, factor) for factor in factors]
    sampler = ScoreSampler(
        mixture.weights,
        linear.scores(mixture.means),
        groups,
        np.stack([root for root, _ in scored]),
        np.stack([lift for _, lift in scored]),
        slack,
        np.empty(0),
    )
    return sampler.measured(label_noise, rng)


def _scored(coef, factor):
    """Return a root of the covariance of scores, and the regression on them."""
    axes, lengths, right = np.linalg.svd(coef @ factor, full_matrices=False)
    # Scores that all rise together change no label: that direction may be empty.
    lengths = np.where(lengths**2 > 1e-9 * lengths.max() ** 2, lengths, 0.0)
    inverse = np.divide(1.0, lengths, where=lengths > 0.0, out=np.zeros_like(lengths))
    return fixed_signs(axes) * lengths, factor @ (right.T * inverse) @ axes.T
