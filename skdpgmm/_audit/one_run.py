"""What right guesses at many canaries of one fit say of its privacy.

Each of m canaries is in the data by a fair coin, and r of the coins are guessed, of the
choice of whoever sees the fit. With ``p_t`` the chance that t guesses are right, take a
canary i and the event that its guess is right, and v at least are. With its coin turned
the same event says that its guess is wrong, and ``v - 1`` at least are right. So a fit
that is mu-GDP has, with ``B(x) = Phi(Phi^-1(x) + mu)``, which is concave, in the mean
over canaries and coins

    sum_{t >= v} t p_t / m  <=  B(sum_{t >= v - 1} (r - t) p_t / m)    for every v,

(Mahloujifar, Melis, Chaudhuri 2025). A chance of so many right guesses that leaves no
probabilities of sum 1 is refuted.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri
from scipy.stats import binom

_LARGEST = 60.0  # as in `bounds`
# Of all canaries, what may be guessed at: fewer guesses are surer.
_SHARES = (1.0, 0.5, 0.25, 0.125, 0.0625)


def is_refuted(mu, n_right, n_guesses, n_canaries, chance):
    """Whether no fit that is mu-GDP has so many guesses right with this chance.

    The least probability of ever fewer right guesses is computed that the inequalities
    leave: more at a number of guesses always costs more than it saves at smaller ones.
    """
    right, wrong = chance * n_right, chance * (n_guesses - n_right)
    for t in range(n_right - 1, -1, -1):
        needed = n_canaries * float(ndtr(ndtri(right / n_canaries) - mu))
        if needed <= wrong:
            return False
        right += t * (needed - wrong) / (n_guesses - t)
        wrong = needed
        if right + wrong > n_guesses:
            return True
    return False


def bound_of_guesses(n_right, n_guesses, n_canaries, confidence):
    """Return a bound that is above mu with a probability of at most 1 - `confidence`.

    How many are guessed at has to be fixed before.
    """
    counts = n_right, n_guesses, n_canaries, 1.0 - confidence
    low, high = 0.0, _LARGEST
    if not is_refuted(low, *counts):
        return low
    while high - low > 1e-6 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if is_refuted(middle, *counts) else (low, middle)
    return low


def p_value(n_right, n_guesses, n_canaries, epsilon, delta):
    """Return the largest chance of as many right guesses at an (epsilon, delta)-DP fit.

    Theorem 5.2 of Steinke, Nasr, Jagielski (2023).
    """
    rate = float(expit(epsilon))
    tail = float(binom.sf(n_right - 1, n_guesses, rate))
    fewer = np.arange(1, n_right + 1)
    more = binom.sf(n_right - fewer - 1, n_guesses, rate) - tail
    steepest = float(np.max(more / fewer, initial=0.0))
    return min(tail + 2.0 * n_canaries * delta * steepest, 1.0)


def ideal_right(mu, n_guesses, n_canaries):
    """Return how many guesses an attacker who attains mu has right, in the mean.

    His scores are normal with variance 1 and mean ``mu / 2`` or ``-mu / 2``, and he
    guesses where they are the largest.
    """
    share = n_guesses / n_canaries

    def beyond(edge):
        return float(ndtr(0.5 * mu - edge) + ndtr(-0.5 * mu - edge))

    edge = 0.0
    if share < 1.0:
        edge = float(brentq(lambda edge: beyond(edge) - share, 0.0, 40.0 + mu))
    return n_guesses * float(ndtr(0.5 * mu - edge)) / beyond(edge)


def limits_of_guesses(mu, n_canaries, confidence):
    """Return how many to guess at, and what so many guesses show at best.

    Returns
    -------
    n_guesses : int
        At which the smallest excess over `mu` is shown.
    ceiling : float
        The bound of an attacker who attains `mu`.
    smallest_shown : float
        The true mu that he would show to be above `mu`.
    """
    numbers = [max(round(share * n_canaries), 1) for share in _SHARES]
    shown = [_smallest_shown(mu, r, n_canaries, confidence) for r in numbers]
    n_guesses, smallest = min(
        zip(numbers, shown, strict=True), key=lambda pair: pair[1]
    )
    right = round(ideal_right(mu, n_guesses, n_canaries))
    ceiling = bound_of_guesses(right, n_guesses, n_canaries, confidence)
    return n_guesses, ceiling, smallest


def _smallest_shown(mu, n_guesses, n_canaries, confidence):
    low, high = 0, n_guesses + 1  # `high` right guesses refute mu, `low` do not
    while high - low > 1:
        middle = (low + high) // 2
        refuted = is_refuted(mu, middle, n_guesses, n_canaries, 1.0 - confidence)
        low, high = (low, middle) if refuted else (middle, high)
    if high > n_guesses:
        return math.inf

    def excess(true):  # rounded to `high` where it is 0
        return ideal_right(true, n_guesses, n_canaries) - (high - 0.5)

    return float(brentq(excess, mu, _LARGEST)) if excess(mu) < 0.0 else mu
