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

import numpy as np

from skdpgmm._gaussian import Mixture

# Share of the rows whose label should be that of their component.
_AGREEMENT = 0.75
# Share of the second moment in one direction that may lie between components.
_MOST_BETWEEN = 0.95
_N_DRAWS = 4_000


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


def components_of_labels(mixture, head, public_rng):
    """Estimate how often each component is behind each label of the head.

    Parameters
    ----------
    mixture : Mixture
        About the centre of the ball; covariance type "tied".
    head : Head
        Of the same classes.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    table : ndarray of shape (k, k)
        Row c: probabilities of the components, given label c. A component is always
        among those of its own class.
    """
    k = len(mixture.weights)
    n_each = max(200, _N_DRAWS // k)
    squares, axes = np.linalg.eigh(head.coef @ mixture.covariances @ head.coef.T)
    root = axes * np.sqrt(np.maximum(squares, 0.0))
    mean_scores = head.scores(mixture.means)
    table = np.empty((k, k))
    for j in range(k):
        noise = public_rng.standard_normal((n_each, k)) @ root.T
        labels = (mean_scores[j] + noise).argmax(axis=1)
        table[:, j] = np.bincount(labels, minlength=k) * mixture.weights[j] / n_each
    table += np.diag(1e-3 * mixture.weights)
    return table / table.sum(axis=1, keepdims=True)
