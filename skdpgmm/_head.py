"""A private softmax head without anything to tune.

Gradient descent from zero with the whole data in every step. Two rules take the
place of a search for step sizes. The noise that has gathered in a weight after
steps of total length H is ``H c / (mu n)``, whatever their number, so that H is
set by the noise that the scores can bear. And along an eigenvector of the second
moment of the features, lambda its eigenvalue, no step is longer than ``4 / lambda``:
half of the second moment bounds the curvature of the loss [1]_.

References
----------
.. [1] D. Boehning, "Multinomial logistic regression algorithm", Annals of the
   Institute of Statistical Mathematics 44, 1992.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from skdpgmm._moment import NoisyMoment
from skdpgmm.privacy.accounting import split_mu
from skdpgmm.privacy.gradients import CONSTANT, SoftmaxGradient
from skdpgmm.privacy.sums import CellMoments, NearestCell

# Standard deviation of the noise in a score.
_SCORE_NOISE = 1.0
# Clip norm of the errors of a record, which are at most sqrt(2).
_CLIP = 0.5
_FEWEST, _MOST = 20, 60
# Beyond this budget, noise is no reason to stop.
_LARGEST_MU = 100.0


class Head(NamedTuple):
    """Linear scores ``coef @ (x - center) + intercept`` of the classes.

    Attributes
    ----------
    coef : ndarray of shape (k, p)
    intercept : ndarray of shape (k,)
    """

    coef: np.ndarray
    intercept: np.ndarray

    def scores(self, X):
        """Return the scores of rows about the centre of the ball."""
        return X @ self.coef.T + self.intercept

    def shifted(self, center):
        """Return the head for rows about the origin."""
        return Head(self.coef, self.intercept - self.coef @ center)


def release_second_moment(records, ball, noisy_n, mu, prior=None):
    """Release the second moment about the centre.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid.
    noisy_n : float
        Noisy number of records.
    mu : float
        Budget.
    prior : ndarray of shape (p, p), optional
        Second moment of public records, of any scale.

    Returns
    -------
    moment : NoisyMoment
    """
    zero = np.zeros((1, ball.n_features))
    partition = NearestCell(zero, np.zeros(1, dtype=np.intp))
    query = CellMoments(ball, partition, zero, np.array([ball.radius]), ("tied",))
    (release,) = records.release("second moment", query, [mu])
    floor = (ball.radius * 2.0**-20) ** 2
    sd = float(np.ravel(release.sd)[0])
    return NoisyMoment(release.value / noisy_n, sd / noisy_n, floor, prior)


def fit_head(records, ball, n_classes, moment, noisy_n, mu):
    """Train a softmax head by noisy gradients.

    Parameters
    ----------
    records : PrivateRecords
        The private rows, with their classes.
    ball : Ball
        Clipping and grid; the smaller it is, the larger the share of noise that
        the clipping saves, until it cuts too much.
    n_classes : int
        Number of classes, public.
    moment : NoisyMoment
        Second moment of the records about the centre.
    noisy_n : float
        Noisy number of records.
    mu : float
        Budget.

    Returns
    -------
    head : Head
    n_steps : int
    """
    values, vectors = moment.spectrum
    values = np.maximum(values / ball.radius**2, 2.0**-40)
    length = _SCORE_NOISE * min(mu, _LARGEST_MU) * noisy_n
    length /= _CLIP * math.sqrt(values.sum() + CONSTANT**2)
    # So many that the curvature binds in no direction, as far as time allows.
    n_steps = int(np.clip(length * values.max() / 4.0, _FEWEST, _MOST))
    steps = np.minimum(length / n_steps, 4.0 / values)
    constant_step = min(length / n_steps, 4.0 / CONSTANT**2)
    each = split_mu(mu, {"step": 1.0 / n_steps})["step"]
    weights = np.zeros((n_classes, ball.n_features + 1))
    with records.holding(ball):
        for i in range(n_steps):
            query = SoftmaxGradient(ball, weights, _CLIP)
            (release,) = records.release(f"head step {i}", query, [each])
            gradient = release.value / noisy_n
            move = ((gradient[:, :-1] @ vectors) * steps) @ vectors.T
            constant = constant_step * gradient[:, -1]
            weights = weights - np.column_stack([move, constant])
    head = Head(weights[:, :-1] / ball.radius, CONSTANT * weights[:, -1])
    return head, n_steps
