"""From what an attacker got right to a lower bound on mu, and what no attacker can get.

A test of two neighbouring data sets with false alarms ``a`` and misses ``b`` shows that
mu is at least ``Phi^-1(1 - a) - Phi^-1(b)`` (Dong, Roth, Su 2022, definition of GDP).
Both are proportions of independent runs, so that intervals of Clopper and Pearson hold
for every number of runs, whatever the scores are distributed like.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import beta, chi2

# No number of runs that anybody makes tells larger ones apart.
_LARGEST = 60.0
# Of less noise nothing is said: some, on the integers, may well be 0.
_FEWEST = 10


def claimed_mu(epsilon, delta):
    """Return the mu that is (epsilon, delta)-DP, by the formula of Balle and Wang.

    As an auditor writes it down, and not as the package computes it: in logarithms of
    its two terms, right to 1e-6 of mu for epsilon from 1e-3.
    """

    def log_delta(mu):
        first = log_ndtr(0.5 * mu - epsilon / mu)
        second = epsilon + log_ndtr(-0.5 * mu - epsilon / mu)
        gap = second - first
        return first + np.log1p(-np.exp(gap)) if gap < 0.0 else -np.inf

    largest = float(np.sqrt(2.0 * epsilon)) + 40.0
    smallest = epsilon / 40.0
    return float(
        brentq(lambda mu: max(log_delta(mu), -1e9) - np.log(delta), smallest, largest)
    )


def upper_proportion(n_found, n, confidence):
    """Return the upper bound of a proportion, of Clopper and Pearson."""
    if n_found >= n:
        return 1.0
    return float(beta.ppf(confidence, n_found + 1.0, n - n_found))


def mu_of_errors(false_alarms, misses):
    """Return the mu at which the best test has these errors, at least 0."""
    return max(float(ndtri(1.0 - false_alarms) - ndtri(misses)), 0.0)


def lower_bound(n_alarms, n_out, n_missed, n_in, confidence):
    """Return a bound that is above mu with a probability of at most 1 - `confidence`.

    Of `n_out` runs without the record `n_alarms` were said to have it, and of `n_in`
    with it `n_missed` were not, by a test that was fixed before. Each bound of a
    proportion fails with half of the probability.
    """
    each = 0.5 + 0.5 * confidence
    alarms = upper_proportion(n_alarms, n_out, each)
    misses = upper_proportion(n_missed, n_in, each)
    return mu_of_errors(alarms, misses) if alarms < 1.0 and misses < 1.0 else 0.0


def ideal_bound(mu, n_out, n_in, confidence):
    """Return the bound of an attacker who attains mu, with the errors he expects."""
    error = float(ndtr(-0.5 * mu))  # of the test that minimises the sum of both
    # Not rounded to integers: the formula is that of the beta distribution.
    return lower_bound(error * n_out, n_out, error * n_in, n_in, confidence)


def smallest_shown(mu, n_out, n_in, confidence):
    """Return the smallest true mu that such runs would show to be above `mu`.

    It is infinite where the runs are too few to show any.
    """

    def excess(true):
        return ideal_bound(true, n_out, n_in, confidence) - mu

    if excess(_LARGEST) <= 0.0:
        return np.inf
    return float(brentq(excess, mu, _LARGEST, xtol=1e-6))


def gaussian_bound(distances, noise, confidence):
    """Return a lower bound on mu where noise is Gaussian.

    Parameters
    ----------
    distances : ndarray of shape (n_runs,)
        Of the exact sums of neighbours, in standard deviations that are claimed.
    noise : ndarray of shape (n_runs,)
        Noise along the same directions, in the same units: standard normal if the
        claim is right.
    confidence : float
        With which the variance of the noise is below its upper bound.
    """
    if len(noise) == 0:
        return 0.0
    energy, length = float(np.sum(noise**2)), float(np.sqrt(np.mean(distances**2)))
    if energy == 0.0:
        return np.inf if length else 0.0
    return length * float(np.sqrt(chi2.ppf(1.0 - confidence, len(noise)) / energy))


def inverse_variance(noise):
    """Return an unbiased estimate of one over the variance of Gaussian noise."""
    energy, n = float(np.sum(noise**2)), len(noise)
    if n < _FEWEST:
        return 1.0  # as claimed
    return (n - 2.0) / energy if energy else np.inf


def is_quiet(noise, confidence):
    """Whether Gaussian noise has a variance below 1, at this confidence."""
    if len(noise) < _FEWEST:
        return False
    return bool(np.sum(noise**2) < chi2.ppf(1.0 - confidence, len(noise)))


def separation(scores_out, scores_in):
    """Return the distance of the means of two samples over their common deviation."""
    n = len(scores_out) + len(scores_in)
    squares = np.sum((scores_out - scores_out.mean()) ** 2)
    squares += np.sum((scores_in - scores_in.mean()) ** 2)
    gap = float(scores_in.mean() - scores_out.mean())
    if squares == 0.0:
        return np.inf if gap else 0.0
    return max(gap / float(np.sqrt(squares / max(n - 2, 1))), 0.0)
