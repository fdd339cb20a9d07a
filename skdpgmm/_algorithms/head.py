"""A private softmax head without anything to tune.

Gradient descent with the whole data in every step, from constants that are the
logarithms of the shares of the classes, and a last look at these constants. Two rules
take the place of a search for step sizes. The noise that has gathered in a weight after
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

import numpy as np

from skdpgmm._algorithms.doubts import doubt_classes
from skdpgmm._models.scores import Head
from skdpgmm._queries.softmax import CONSTANT, SoftmaxErrors
from skdpgmm.privacy.accounting import split_mu

# Standard deviation of the noise in a score.
_SCORE_NOISE = 1.0
# Clip norm of the errors of a record, which are at most sqrt(2).
_CLIP = 0.5
_FEWEST, _MOST = 20, 60
_SHARES = {"steps": 0.99, "balance": 0.01}
# In proportion to the squared lengths of the grid point and the constant feature: the
# noise is that of one release of both.
_PARTS = {
    "gradient": 1.0 / (1.0 + CONSTANT**2),
    "errors": CONSTANT**2 / (1.0 + CONSTANT**2),
}
# Beyond this budget, noise is no reason to stop.
_LARGEST_MU = 100.0


def fit_head(records, ball, inner, counts, second, noisy_n, mu):
    """Train a softmax head by noisy gradients.

    Parameters
    ----------
    records : PrivateRecords
        The private rows, with their classes.
    ball : Ball
        Clipping and grid; holds nearly all records.
    inner : Ball
        The same with the radius of the steps: the smaller it is, the larger the share
        of noise that it saves, until it cuts too much.
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    second : Spikes
        Second moment of what `ball` makes of the records.
    noisy_n : float
        Noisy number of records.
    mu : float
        Budget.

    Returns
    -------
    head : Head
    n_steps : int
    """
    values = np.append(second.values, second.bulk) / inner.radius**2
    values = np.maximum(values, 2.0**-40)
    doubt_classes(noisy_n / len(counts), mu)
    length = _SCORE_NOISE * min(mu, _LARGEST_MU) * noisy_n
    length /= _CLIP * math.sqrt(second.trace / inner.radius**2 + CONSTANT**2)
    # So many that the curvature binds in no direction, as far as time allows.
    n_steps = int(np.clip(length * values.max() / 4.0, _FEWEST, _MOST))
    steps = np.minimum(length / n_steps, 4.0 / values)
    constant_step = min(length / n_steps, 4.0 / CONSTANT**2)
    mus = split_mu(mu, _SHARES)
    step = split_mu(mus["steps"], {"step": 1.0 / n_steps})["step"]
    each = list(split_mu(step, _PARTS).values())
    weights = np.zeros((len(counts), ball.n_features + 1))
    weights[:, -1] = np.log(counts / counts.mean()) / CONSTANT
    # Where the curvature does not bind, all steps have one length.
    free_step = steps.max()
    bound = steps < free_step
    top, top_steps = second.vectors[:, bound[:-1]], steps[bound]
    with records.holding(inner):
        for i in range(n_steps):
            query = SoftmaxErrors(inner, weights, _CLIP, ("sum", "count"))
            gradient, errors = records.release(f"head step {i}", query, each)
            slopes = gradient.value / noisy_n
            move = free_step * slopes
            move += ((slopes @ top) * (top_steps - free_step)) @ top.T
            constant = constant_step * CONSTANT * errors.value / noisy_n
            weights = weights - np.column_stack([move, constant])
    # Of records as they are: those that the steps clip have scores farther out.
    weights[:, :-1] *= ball.radius / inner.radius
    (release,) = records.release(
        "head balance", SoftmaxErrors(ball, weights), [mus["balance"]]
    )
    excess = balance(release.value, float(release.sd), counts)
    intercept = CONSTANT * weights[:, -1] - excess
    return Head(weights[:, :-1] / ball.radius, intercept), n_steps


def balance(errors, sd, counts):
    """Return what to take from the constants, so that shares of labels come out right.

    At the maximum of the likelihood the errors of a class add up to zero. Clipped
    gradients do not lead there: hard records, as are those of a rare class, are cut
    most. Errors relative to the counts share one prior, whose variance they show.

    Parameters
    ----------
    errors : ndarray of shape (n_classes,)
        Noisy sums of the probabilities less the one-hot classes.
    sd : float
        Noise of one of them.
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes, positive.

    Returns
    -------
    excess : ndarray of shape (n_classes,)
        Logarithms of predicted over estimated shares.
    """
    gaps, noise = errors / counts, (sd / counts) ** 2
    variance = max(float(np.mean(gaps**2 - noise)), 0.0)
    gaps *= variance / np.maximum(variance + noise, 1e-300)
    # A class that seems to be predicted less than never is predicted by noise.
    return np.log(np.maximum(1.0 + gaps, np.minimum(sd / counts, 1.0) + 1e-3))
