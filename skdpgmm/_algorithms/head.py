"""A private softmax head without anything to tune.

Gradient descent with the whole data in every step, from constants that are the
logarithms of the shares of the classes, as `head_plan` says; and last looks at how
sure the head should be.
"""

from __future__ import annotations

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.budget import HEAD, HEAD_STEP
from skdpgmm._algorithms.calibration import calibrate
from skdpgmm._algorithms.doubts import (
    doubt_classes,
    doubt_signal,
    words_of,
)
from skdpgmm._algorithms.head_plan import DIRECTION_SPREAD, score_noise, spectrum
from skdpgmm._algorithms.outcome import quality_of
from skdpgmm._models.scores import Head
from skdpgmm._queries.softmax import CONSTANT, SoftmaxErrors
from skdpgmm.privacy.grid import GRID_BITS

# Norms of coarse grid points, and of those for the steps that are made of them: float32
# adds some hundred records exactly, with errors of 12 bits that tell rare classes.
_OUTER_BITS, _STEP_BITS = 14, 11
# Standard deviation of the records in any direction, in steps of a coarse grid, at
# least: rounding adds 1 part in 200 to their variance. Not argued.
_CLEAR_STEPS = 4.0


def fit_head(view, radius, counts, second, budget, widest=None):
    """Train a softmax head by noisy gradients, and calibrate it.

    Parameters
    ----------
    view : View
        Through a ball, or one with features, that holds nearly all records.
    radius : float
        Smallest of the steps. Smaller radii need less noise but clip more.
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    second : Spikes
        Second moment of what the ball makes of the records.
    budget : Budget
    widest : float, optional
        Radius to which records were clipped for the second moment; None is that of
        the ball. Steps are no wider.

    Returns
    -------
    head : Head
        Its softmax are probabilities of the classes.
    n_steps : int
    """
    ball = view.ball
    budgets = budget.split(HEAD)
    doubt_classes(view.n / len(counts), budget.mu)
    values, widths = spectrum(second, radius)
    widest = max((widest or ball.radius) / radius, 1.0)
    plan, decision = choices.head_plan(
        counts, budgets["steps"].mu, values, widths, widest
    )
    view.decide(decision)
    radius *= plan.radius
    inner = ball.inside(radius, _STEP_BITS if ball.bits == _OUTER_BITS else GRID_BITS)
    weights, sd = _descend(view.through(inner), counts, second, plan, budgets["steps"])
    signal, noise, spread = score_evidence(
        weights[:, :-1], second, radius, plan, sd / view.n
    )
    doubt_signal(signal, noise, spread, "The weights of the head")
    shares = counts / counts.sum()
    # A score that differs by D between the records of a class, of share q, and the
    # others has variance ``q (1 - q) D**2`` among all.
    between = shares * (1.0 - shares)
    words = words_of(signal / between, noise, spread / between)
    view.note(quality_of(np.arange(len(counts)), weights=words))
    # Rescale from `inner` to the ball: clipped records have larger scores.
    weights[:, :-1] *= ball.radius / radius
    coef, intercept = calibrate(
        view, weights, second, counts, budgets, 1.0 - plan.freedom
    )
    return Head(coef / ball.radius, intercept), plan.n_steps


def grid_for(ball, second):
    """Return the ball of a head with as coarse a grid as its records bear.

    Steps of a coarse one are twice as fast. Rounding moves a record by a twelfth of a
    squared step in each direction, which has to be little beside its variance in any,
    by their `second` moment.
    """
    least = min(second.bulk, second.values.min(initial=np.inf))
    coarse = least >= (_CLEAR_STEPS * 2.0**-_STEP_BITS * ball.radius) ** 2
    return ball.rounded(_OUTER_BITS) if coarse else ball


def _descend(view, counts, second, plan, budget):
    """Return weights after the last step, in radii of the ball, and noise of a step."""
    n, each = view.n, budget.each(plan.n_steps).parts(HEAD_STEP)
    weights = np.zeros((len(counts), view.n_features + 1))
    weights[:, -1] = np.log(counts / counts.mean()) / CONSTANT
    # Most directions are alike: the bulk, and those where the curvature does not bind.
    common = plan.steps[:, -1:]
    bound = np.any(plan.steps < common, axis=0)
    top = second.vectors[:, bound[:-1]]
    more = plan.steps[:, bound] - common
    above = second.values - second.bulk
    ahead = weights
    with view.held():
        for i in range(plan.n_steps):
            query = SoftmaxErrors(view.ball, ahead, plan.clip, ("sum", "count"))
            gradient, errors = view.release(f"head step {i}", query, each)
            # The prior of each direction, as there may be no noise.
            pull = ahead[:, :-1] * second.bulk
            pull += ((ahead[:, :-1] @ second.vectors) * above) @ second.vectors.T
            pull /= (DIRECTION_SPREAD * view.ball.radius) ** 2
            slopes = (gradient.value + pull) / n
            move = common * slopes + ((slopes @ top) * more) @ top.T
            constant = plan.constant_steps * CONSTANT * errors.value / n
            before, weights = weights, ahead - np.column_stack([move, constant])
            ahead = weights + plan.momentum(i) * (weights - before)
    return weights, float(np.ravel(gradient.sd)[0])


def score_evidence(weights, second, radius, plan, sd):
    """Return the variance of the scores of each class, beside that of their noise.

    Parameters
    ----------
    weights : ndarray of shape (k, p)
        After the last step, in radii of the steps.
    second : Spikes
        Second moment of what the ball makes of the records.
    radius : float
        Of the steps.
    plan : HeadPlan
    sd : float
        Noise in one entry of the gradient of a mean record.

    Returns
    -------
    signal, noise, spread : ndarray of shape (k,)
        As for `words_of`.
    """
    values, widths = spectrum(second, radius)
    variances = values[-1] * np.sum(weights**2, axis=1)
    variances += (weights @ second.vectors) ** 2 @ (values[:-1] - values[-1])
    noise, spread = score_noise(plan, values, widths, sd)
    return variances - noise, noise, spread
