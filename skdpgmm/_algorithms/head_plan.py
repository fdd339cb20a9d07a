"""How long, wide and fast the steps of a head are: public arithmetic.

The noise that has gathered in a weight after steps of total length H is ``H c / (mu
n)``, whatever their number, c being the clip norm of the errors: so that H is set by
the noise that a score can bear. As if it were a prior, it shrinks weights; where there
is no noise, a prior on scores does. And along an eigenvector of the second moment of
the features, lambda its eigenvalue, no step is longer than the curvature allows, which
half of the second moment bounds [1]_.

Where directions are few and records many, the curvature limits the steps long before
the noise does. There is room to clip less then, which costs noise but has less bias,
and for momentum [2]_, which goes farther in directions of small curvature: all this is
one number, the freedom of a plan, from 0 to 1.

References
----------
.. [1] D. Boehning, "Multinomial logistic regression algorithm", Annals of the
   Institute of Statistical Mathematics 44, 1992.
.. [2] Y. Nesterov, "A method for solving the convex programming problem with
   convergence rate O(1/k^2)", 1983.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from skdpgmm._queries.softmax import CONSTANT

# Standard deviation of the noise in a score.
_SCORE_NOISE = 1.0
# Standard deviation of a score before the records are seen, where these are few for
# each number that is learnt from them. Not argued.
_SCORE_SPREAD = 3.0
_FEW_RECORDS = 5.0
# Standard deviation of what any one direction adds to a score, before the records are
# seen: without it, classes that a plane separates have no finite head. Not argued.
DIRECTION_SPREAD = 2.0
# Clip norm of the errors of a record, of at most sqrt(2). Not argued.
_TIGHT_CLIP, _WIDE_CLIP = 0.5, math.sqrt(2.0)
# Fewest and most steps. Not argued; time grows with them.
_FEWEST_STEPS, _MOST_STEPS = 20, 60
# Curvature of the loss over the second moment of the features, at most.
_MOST_CURVATURE = 0.5
# Sum over the classes of the variances of a label, typically. Not argued.
_DOUBT = 0.25
# Fourth moment over the squared second moment of a feature, as of a Gaussian.
_KURTOSIS = 3.0
# Smallest eigenvalue in squared radii of the steps, so that none is zero.
_LEAST_EIGENVALUE = 2.0**-40


def spectrum(second, radius):
    """Return the eigenvalues of `Spikes` in squared radii, and how many each has."""
    n_features, n_spikes = second.vectors.shape
    values = np.append(second.values, second.bulk) / radius**2
    return values, np.append(np.ones(n_spikes), n_features - n_spikes)


def learnt(length, values, k):
    """Return how much steps tell of a direction of each eigenvalue, from 0 to 1.

    What a prior leaves of a weight, along a curvature a, is ``a H / (1 + a H)``.
    """
    return 1.0 - 1.0 / (1.0 + length * values * (_DOUBT / k))


class HeadPlan(NamedTuple):
    """The steps of a head.

    Attributes
    ----------
    freedom : float
        From 0, as little noise as can be, to 1, as little bias.
    clip : float
        Clip norm of the errors.
    radius : float
        Of the steps, in the smallest one.
    n_steps : int
    length : float
        Of all steps together where the curvature does not limit them.
    steps : ndarray of shape (k, r + 1)
        Lengths of a step of each class along the eigenvectors, and elsewhere.
    constant_steps : ndarray of shape (k,)
        Lengths of a step of the constants.
    noise : float
        Noise variance of a score in the end, about; the largest.
    """

    freedom: float
    clip: float
    radius: float
    n_steps: int
    length: float
    steps: np.ndarray
    constant_steps: np.ndarray
    noise: float

    def momentum(self, i):
        """Return the share of a move that is made again after step `i`."""
        return self.freedom * i / (i + 3.0)


def plan_head(freedom, counts, mu, values, widths, widest):
    """Return the plan of a given freedom.

    Parameters
    ----------
    freedom : float
    counts : ndarray of shape (k,)
        Estimated numbers of records of the classes.
    mu : float
        Budget of all steps.
    values : ndarray of shape (r + 1,)
        Eigenvalues of the second moment in squared smallest radii, descending.
    widths : ndarray of shape (r + 1,)
        How many directions have each.
    widest : float
        Largest radius of the steps, in the smallest one.
    """
    n = counts.sum()
    clip = _TIGHT_CLIP * (_WIDE_CLIP / _TIGHT_CLIP) ** freedom
    radius = widest**freedom
    values = np.maximum(values / radius**2, _LEAST_EIGENVALUE)
    square = float(values @ widths) + CONSTANT**2  # of a record with its constant
    per_record = clip * math.sqrt(square) / (mu * _SCORE_NOISE)
    length = 1.0 / (per_record / n + 1.0 / _most_length(counts, values, widths, square))
    # So many that the curvature limits none, as far as time allows.
    n_steps = int(np.clip(length * values[0] / 4.0, _FEWEST_STEPS, _MOST_STEPS))
    plan = HeadPlan(freedom, clip, radius, n_steps, length, values, counts, 0.0)
    free = length / _reach(plan)
    # Momentum needs steps of half the length to be stable.
    limits = (2.0 - freedom) / _curvatures(freedom, counts / n)
    steps = np.minimum(free, limits[:, None] / values)
    constant_steps = np.minimum(free, limits / CONSTANT**2)
    # Of the class with the longest steps.
    longest = steps[limits.argmax()]
    gathered = _gathered(plan, longest, values * _DOUBT / len(counts))
    per_step = clip * math.sqrt(n_steps) / (mu * n)
    noise = float((widths * values) @ gathered) * per_step**2
    return plan._replace(steps=steps, constant_steps=constant_steps, noise=noise)


def score_noise(plan, values, widths, sd):
    """Return the mean and the standard deviation of what noise adds to scores.

    Parameters
    ----------
    plan : HeadPlan
    values : ndarray of shape (r + 1,)
        Eigenvalues of the second moment in squared radii of the steps, descending.
    widths : ndarray of shape (r + 1,)
        How many directions have each.
    sd : float
        Noise in one entry of the gradient of a mean record, in a step.

    Returns
    -------
    noise : ndarray of shape (k,)
        Mean of the variance that noise alone gives to the scores of each class.
    spread : ndarray of shape (k,)
        Its standard deviation.
    """
    curvatures = values * _DOUBT / len(plan.steps)
    variances = values * sd**2 * _gathered(plan, plan.steps, curvatures)
    return variances @ widths, np.sqrt(2.0 * variances**2 @ widths)


def _most_length(counts, values, widths, square):
    """Return the length of steps that are limited by what records can tell.

    After steps of length H, ``sum_i a_i H / (1 + a_i H)`` numbers are learnt of each
    class but one, a_i being the curvatures.
    """
    n, k = counts.sum(), len(counts)
    most, least = n / _FEW_RECORDS / (k - 1), _SCORE_SPREAD**2 * n / square
    if widths.sum() <= most:
        return DIRECTION_SPREAD**2 * n / values.min()
    low, high = 0.0, 200.0  # powers of 2
    for _ in range(40):
        power = (low + high) / 2.0
        shares = learnt(2.0**power, values, k)
        low, high = (power, high) if widths @ shares <= most else (low, power)
    return max(least, 2.0**low)


def _curvatures(freedom, shares):
    """Return bounds of the curvature of each class over the second moment.

    The Hessian in the scores, ``diag(p) - p p^T``, is at most ``2 diag(p (1 - p))``,
    which is diagonally dominant. By Cauchy and Schwarz ``E[p (1 - p) x**2]`` is at most
    ``(E[p (1 - p)] / 4)**(1/2) E[x**4]**(1/2)``, and ``E[p (1 - p)] <= q (1 - q)`` for
    a class of share q. A rare class may go farther, which a tight plan does not use.
    """
    curvatures = np.sqrt(_KURTOSIS * shares * (1.0 - shares))
    curvatures = np.minimum(curvatures, _MOST_CURVATURE)
    return _MOST_CURVATURE ** (1.0 - freedom) * curvatures**freedom


def _reach(plan):
    """Return how far all steps lead under a slope of 1, in lengths of one of them."""
    place = ahead = 0.0
    for i in range(plan.n_steps):
        before, place = place, ahead + 1.0
        ahead = place + plan.momentum(i) * (place - before)
    return place


def _gathered(plan, steps, curvatures):
    """Return the variance of a weight in the end, of unit noise in every step.

    That of the weight, of where the next step starts, and their covariance follow from
    those before.
    """
    # Steps of a rare class are too long for the usual curvature, which is not its own.
    kept = np.maximum(1.0 - steps * curvatures, 0.0)
    weight = start = both = np.zeros_like(steps)
    for i in range(plan.n_steps):
        m = plan.momentum(i)
        last, across = weight, kept * both
        weight = kept**2 * start + steps**2
        start = (1.0 + m) ** 2 * weight + m**2 * last - 2.0 * m * (1.0 + m) * across
        both = (1.0 + m) * weight - m * across
    return weight
