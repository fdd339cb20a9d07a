"""Bounds of guesses at canaries: against exact chances, and a linear program."""

import math

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.special import expit, ndtr, ndtri
from scipy.stats import binom

from skdpgmm._audit.one_run import (
    bound_of_guesses,
    ideal_right,
    is_refuted,
    limits_of_guesses,
    p_value,
)


def largest_chance(mu, n_right, n_guesses, n_canaries):
    """Return the largest chance that the inequalities leave, by a linear program.

    The concave function is replaced by its tangents.
    """
    x = np.concatenate([np.logspace(-12, -2, 100), np.linspace(0.01, 0.999, 300)])
    z = ndtri(x)
    values, slopes = ndtr(z + mu), np.exp(0.5 * (z**2 - (z + mu) ** 2))
    t, rows, limits = np.arange(n_guesses + 1), [], []
    for v in range(1, n_guesses + 1):
        right = np.where(t >= v, t, 0) / n_canaries
        wrong = np.where(t >= v - 1, n_guesses - t, 0) / n_canaries
        rows.append(right - slopes[:, None] * wrong)
        limits.append(values - slopes * x)
    found = linprog(
        -(t >= n_right).astype(float),
        A_ub=np.vstack(rows),
        b_ub=np.concatenate(limits),
        A_eq=np.ones((1, len(t))),
        b_eq=[1.0],
    )
    return -found.fun


@pytest.mark.parametrize(
    "case", [(1.0, 6, 6, 6), (1.0, 5, 6, 6), (0.5, 4, 5, 8), (0.0, 4, 6, 6)]
)
def test_a_chance_is_refuted_just_where_nothing_attains_it(case):
    mu, *counts = case
    chance = largest_chance(mu, *counts)
    assert is_refuted(mu, *counts, 1.001 * chance)
    assert not is_refuted(mu, *counts, 0.999 * chance)


def test_so_many_are_never_refuted_where_half_are_right():
    assert bound_of_guesses(50, 100, 100, 0.95) == 0.0
    assert bound_of_guesses(0, 100, 1000, 0.95) == 0.0


@pytest.mark.parametrize("mu", [0.5, 1.5])
def test_the_bound_holds_for_the_best_guesses(mu):
    n = 60
    counts = np.arange(n + 1)
    wrong = [bound_of_guesses(k, n, n, 0.9) > mu for k in counts]
    assert binom.pmf(counts, n, ndtr(0.5 * mu)) @ wrong <= 0.1


def test_more_is_shown_by_surer_guesses_and_by_more_canaries():
    assert bound_of_guesses(80, 100, 400, 0.95) > bound_of_guesses(75, 100, 400, 0.95)
    few, many = (limits_of_guesses(1.0, n, 0.95) for n in (100, 10_000))
    assert few[1] < many[1] < 1.0 < many[2] < few[2]


def test_limits_are_those_of_the_counts():
    mu, n = 1.0, 1000
    n_guesses, ceiling, smallest = limits_of_guesses(mu, n, 0.95)
    right = round(ideal_right(mu, n_guesses, n))
    assert ceiling == bound_of_guesses(right, n_guesses, n, 0.95)
    found = ideal_right(smallest, n_guesses, n)
    assert bound_of_guesses(math.ceil(found), n_guesses, n, 0.95) > mu
    assert bound_of_guesses(math.floor(found) - 1, n_guesses, n, 0.95) < mu
    assert limits_of_guesses(10.0, 20, 0.95)[2] == math.inf


@pytest.mark.parametrize("n_guesses", [200, 1000])
def test_guesses_of_the_best_attacker(n_guesses):
    mu, n = 1.2, 1000
    rng = np.random.default_rng(0)
    inside = rng.random((300, n)) < 0.5
    scores = mu * (inside - 0.5) + rng.standard_normal(inside.shape)
    surest = np.argsort(-np.abs(scores), axis=1)[:, :n_guesses]
    right = np.take_along_axis((scores > 0.0) == inside, surest, axis=1)
    expected = ideal_right(mu, n_guesses, n)
    assert right.sum(axis=1).mean() == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("n_right", [0, 12, 30])
def test_the_p_value_is_exact_for_randomized_responses(n_right):
    assert p_value(n_right, 30, 50, 1.0, 0.0) == pytest.approx(
        binom.sf(n_right - 1, 30, expit(1.0))
    )


@pytest.mark.parametrize("epsilon", [0.3, 2.0])
def test_the_p_value_bounds_what_leaks_with_delta(epsilon):
    m, delta, rate = 40, 0.002, float(expit(epsilon))
    for n_right in range(m + 1):
        bound = p_value(n_right, m, m, epsilon, delta)
        # everything at once, or each canary alone
        everything = delta + (1.0 - delta) * binom.sf(n_right - 1, m, rate)
        each = binom.sf(n_right - 1, m, delta + (1.0 - delta) * rate)
        assert bound >= max(everything, each) - 1e-12
