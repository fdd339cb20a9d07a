"""How sure a head should be: its slope and its constants, measured in the end.

Steps that clip errors, are stopped early or add noise find the boundary, but neither
how steep the scores are nor how frequent labels. Both are a few numbers, of which two
looks at all records tell with hardly any noise.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq, isotonic_regression

from skdpgmm._queries.softmax import CONSTANT, SoftmaxErrors, SoftmaxSlopes

# Inverse temperatures that are looked at, over the last one: first to find it, and then
# closely.
_LOOKS = 2.0 ** np.array([[-2.0, -1.0, 0.0, 1.0, 2.0], [-1.0, -0.5, 0.0, 0.5, 1.0]])
# Variance of the logarithm of the slope, before it is measured. Not argued.
_PRIOR = 0.25
# Longest derivative of a record, in standard deviations of a score. What is cut off is
# that of records which are surely wrong, so that the slope comes out too large: it is
# as long as the noise allows that a slope may have, in its logarithm. Not argued; tried
# on Fashion-MNIST, CIFAR-10 and bank questions.
_LONGEST, _MOST_LONGEST = 2.0, 16.0
_SLOPE_NOISE = 0.03
# Smallest ratio of predicted and estimated counts of a class. Not argued.
_LEAST_RATIO = 1e-3


def calibrate(view, weights, second, counts, budgets, doubt):
    """Return the weights and constants of a calibrated head.

    Scores are ``offset + slope * weights @ (g, B)``. The offsets are the logarithms of
    the shares of the classes at first, so that a slope of 0 is the best guess without
    features.

    Parameters
    ----------
    view : View
        Through the ball of the head, whose grid points are best held.
    weights : ndarray of shape (k, p + 1)
        In radii of the ball; the last column belongs to the constant feature.
    second : Spikes
        Second moment of what the ball makes of the records.
    counts : ndarray of shape (k,)
        Estimated numbers of records of the classes.
    budgets : dict of str to Budget
        Of "slope" and "balance".
    doubt : float
        From 0 to 1, how far the slope is not known before: that of steps that neither
        clip nor stop is right, and records that the weights have learnt by heart would
        ask for more.

    Returns
    -------
    coef : ndarray of shape (k, p)
    intercept : ndarray of shape (k,)
    """
    ball, slope = view.ball, 1.0
    offset = np.log(counts / counts.mean())
    evidence = weights - weights.mean(axis=0)
    evidence[:, -1] -= (offset - offset.mean()) / CONSTANT
    spread = math.sqrt(_LOOKS.shape[1]) * _spread(evidence, second, ball)
    each = {name: budget.each(len(_LOOKS)) for name, budget in budgets.items()}
    longest, variance = _LONGEST, _PRIOR * doubt**2
    for i, look in enumerate(_LOOKS):
        slopes = SoftmaxSlopes(ball, evidence, offset, slope * look, longest * spread)
        (release,) = view.release(f"head slope {i}", slopes, [each["slope"]])
        ratio, noise = slope_ratio(release.value, float(release.sd), look)
        slope *= ratio ** (variance / (variance + noise**2)) if variance else 1.0
        wider = _SLOPE_NOISE * longest / max(noise, 1e-300)
        longest = float(np.clip(wider, longest, _MOST_LONGEST))
        coef = slope * evidence
        coef[:, -1] += offset / CONSTANT
        errors = SoftmaxErrors(ball, coef)
        (release,) = view.release(f"head balance {i}", errors, [each["balance"]])
        offset = offset - excess(release.value, float(release.sd), counts)
    coef = slope * evidence
    return coef[:, :-1], CONSTANT * coef[:, -1] + offset


def _spread(evidence, second, ball):
    """Return the standard deviation of the score of a class, never 0."""
    W = evidence[:, :-1] / ball.radius
    squares = second.bulk * np.sum(W**2)
    squares += np.sum((W @ second.vectors) ** 2 @ (second.values - second.bulk))
    squares += CONSTANT**2 * np.sum(evidence[:, -1] ** 2)
    return math.sqrt(squares / len(W)) + 1e-6


def slope_ratio(slopes, sd, ratios):
    """Return where noisy derivatives of the loss are 0, and the noise of its logarithm.

    Parameters
    ----------
    slopes : ndarray of shape (m,)
        Noisy; without noise they grow.
    sd : float
        Noise of one of them.
    ratios : ndarray of shape (m,)
        Ascending.

    Returns
    -------
    ratio : float
        From the first to the last of the ratios.
    noise : float
        Standard deviation; infinite where the slopes tell nothing.
    """
    grown, logs = isotonic_regression(slopes).x, np.log(ratios)
    above = int(np.clip(np.searchsorted(grown, 0.0), 1, len(logs) - 1))
    low, high = logs[above - 1 : above + 1]
    rate = (grown[above] - grown[above - 1]) / (high - low)
    square = rate**2 - 2.0 * (sd / (high - low)) ** 2  # less that of the noise
    if square <= 0.0:
        return 1.0, math.inf
    if grown[above - 1] < 0.0 < grown[above]:
        # The derivatives bend much between two looks.
        root = brentq(PchipInterpolator(logs, grown), low, high)
    else:
        root = float(np.clip(high - grown[above] / rate, logs[0], logs[-1]))
    return math.exp(root), sd / math.sqrt(square)


def excess(errors, sd, counts):
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
