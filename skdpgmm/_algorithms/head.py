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

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.budget import HEAD, HEAD_STEP
from skdpgmm._algorithms.doubts import doubt_classes
from skdpgmm._models.scores import Head
from skdpgmm._queries.softmax import CONSTANT, SoftmaxErrors

# Smallest eigenvalue in squared radii of the steps, so that none is zero.
_LEAST_CURVATURE = 2.0**-40
# Smallest ratio of predicted and estimated counts of a class. Not argued.
_LEAST_RATIO = 1e-3


def fit_head(view, inner, counts, second, budget):
    """Train a softmax head by noisy gradients.

    Parameters
    ----------
    view : View
        Through a ball, or one with features, that holds nearly all records.
    inner : Ball
        The same with the radius of the steps. Smaller radii need less noise but clip
        more.
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    second : Spikes
        Second moment of what the ball makes of the records.
    budget : Budget

    Returns
    -------
    head : Head
    n_steps : int
    """
    ball, n, mu = view.ball, view.n, budget.mu
    curvatures = np.append(second.values, second.bulk) / inner.radius**2
    curvatures = np.maximum(curvatures, _LEAST_CURVATURE)
    doubt_classes(n / len(counts), mu)
    length = choices.head_length(n, mu, second.trace / inner.radius**2)
    n_steps = view.decide(choices.head_steps(length, curvatures.max()))
    steps = np.minimum(length / n_steps, 4.0 / curvatures)
    constant_step = min(length / n_steps, 4.0 / CONSTANT**2)
    budgets = budget.split(HEAD)
    each = budgets["steps"].each(n_steps).parts(HEAD_STEP)
    weights = np.zeros((len(counts), ball.n_features + 1))
    weights[:, -1] = np.log(counts / counts.mean()) / CONSTANT
    # Where the curvature does not bind, all steps have one length.
    free_step = steps.max()
    bound = steps < free_step
    top, top_steps = second.vectors[:, bound[:-1]], steps[bound]
    near = view.through(inner)
    with near.held():
        for i in range(n_steps):
            query = SoftmaxErrors(inner, weights, choices.HEAD_CLIP, ("sum", "count"))
            gradient, errors = near.release(f"head step {i}", query, each)
            slopes = gradient.value / n
            move = free_step * slopes
            move += ((slopes @ top) * (top_steps - free_step)) @ top.T
            constant = constant_step * CONSTANT * errors.value / n
            weights = weights - np.column_stack([move, constant])
    # Rescale from `inner` to the ball: clipped records have larger scores.
    weights[:, :-1] *= ball.radius / inner.radius
    query = SoftmaxErrors(ball, weights)
    (release,) = view.release("head balance", query, [budgets["balance"]])
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
    # Noise can make the estimate negative; floor it at one standard deviation.
    least = np.minimum(sd / counts, 1.0) + _LEAST_RATIO
    return np.log(np.maximum(1.0 + gaps, least))
