"""Where the accounting is right in float64, and that it refuses to go elsewhere."""

import math
from fractions import Fraction
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skdpgmm.privacy import (
    BudgetExceededError,
    Ledger,
    LedgerEntry,
    accounting,
    attack_power,
    compose_mu,
    epsilon_from_mu,
    mu_from_epsilon,
    split_mu,
    unit_factor,
)
from skdpgmm.privacy.accounting import (
    MIN_DELTA,
    MIN_EPSILON,
    _log_delta,
    epsilon_within_mu,
)


def entry(mu=0.5, sensitivity=4.0):
    return LedgerEntry("sums", (2, 3), sensitivity, mu)


def exact_delta(mu, epsilon):
    """Balle and Wang 2018, theorem 8, in 60 digits or as many as epsilon calls for."""
    with mpmath.workdps(60 + int(2.0 * math.log10(epsilon + 1.0))):
        mu, epsilon = mpmath.mpf(mu), mpmath.mpf(epsilon)
        second = mpmath.exp(epsilon) * mpmath.ncdf(-mu / 2 - epsilon / mu)
        return mpmath.ncdf(mu / 2 - epsilon / mu) - second


@settings(deadline=None, max_examples=300)
@given(
    log_epsilon=st.floats(math.log10(MIN_EPSILON), 12.0),
    log_delta=st.floats(math.log10(MIN_DELTA), -1e-6),
)
@example(math.log10(MIN_EPSILON), math.log10(MIN_DELTA))
@example(5.0, -5.0)
@example(5.0 + 1e-12, -5.0)
@example(4.999, -1e-3)
def test_calibration_is_safe_in_exact_arithmetic(log_epsilon, log_delta):
    epsilon = max(10.0**log_epsilon, MIN_EPSILON)
    delta = max(10.0**log_delta, MIN_DELTA)
    mu = mu_from_epsilon(epsilon, delta)
    assert exact_delta(mu, epsilon) <= delta
    # And not wasteful: a little more would be too much.
    if delta < 0.5:
        assert exact_delta(mu * 1.0001, epsilon) > delta
    assert exact_delta(mu, epsilon_from_mu(mu, delta)) <= delta


# Four to the decade of epsilon and three of delta, and more where both are small.
EPSILONS = np.geomspace(MIN_EPSILON, 1e12, 73)
DELTAS = [*np.geomspace(MIN_DELTA, 0.1, 52), 0.5, 0.9, 0.999, 1.0 - 1e-9, 1.0 - 2**-53]
GRID = [
    *product(EPSILONS, DELTAS),
    *product(np.geomspace(1e-6, 1e-4, 41), np.geomspace(1e-18, 1e-9, 91)),
]


@pytest.mark.parametrize("part", range(8))
def test_conversions_are_safe_all_over_the_range(part):
    for epsilon, delta in GRID[part::8]:
        mu = mu_from_epsilon(epsilon, delta)
        back = epsilon_from_mu(mu, delta)
        assert back <= epsilon
        assert exact_delta(mu, epsilon) <= delta
        assert back == 0.0 or exact_delta(mu, back) <= delta
        if delta < 0.5:
            # Large mu lose more by being rounded.
            assert exact_delta(mu, epsilon) >= delta * (1.0 - 2e-6 - 1e-10 * mu)


@pytest.mark.parametrize("delta", [1e-18, 1e-15, 1e-9, 1e-5, 0.1, 0.9])
def test_epsilon_of_any_mu_is_safe(delta):
    """Those of epsilon 0 as well, where nothing but delta is left of a guarantee."""
    for mu in [*np.geomspace(1e-20, 1e6, 261), *(delta * np.linspace(2.4, 2.6, 21))]:
        epsilon = epsilon_from_mu(mu, delta)
        assert exact_delta(mu, epsilon) <= delta
        if epsilon > 0.0:
            assert exact_delta(mu, 0.0) > delta * (1.0 - 2e-6)


def test_delta_is_right_to_twelve_digits():
    rng = np.random.default_rng(0)
    for mu in 10.0 ** rng.uniform(-20, 3, 500):
        a = rng.uniform(max(-0.5 * mu, -10.0), 9.8)
        with mpmath.workdps(60):  # epsilon must be that of a, beyond float64
            epsilon = mpmath.mpf(a) * mu + mpmath.mpf(mu) ** 2 / 2
            found = mpmath.exp(_log_delta(a, mu))
        with mpmath.workdps(80 + int(2.0 * math.log10(abs(float(epsilon)) + 1.0))):
            assert abs(found / exact_delta(mu, epsilon) - 1) < 1e-12


def test_calibration_of_large_epsilon():
    for epsilon in (1e6, 1e8, 1e12, 1e16):
        mu = mu_from_epsilon(epsilon, 1e-5)
        assert mu == pytest.approx(math.sqrt(2.0 * epsilon), rel=1e-2)
        assert epsilon_from_mu(mu, 1e-5) == pytest.approx(epsilon, rel=1e-9)


@pytest.mark.parametrize(
    "epsilon", [0.0, -1.0, 1e-9, math.nan, -math.inf, True, "1", None, 1j]
)
def test_epsilon_without_a_guarantee_is_refused(epsilon):
    with pytest.raises(ValueError, match="epsilon must be a number in"):
        mu_from_epsilon(epsilon, 1e-5)


@pytest.mark.parametrize(
    "delta", [0.0, -0.1, 1.0, 1e-300, math.nan, math.inf, False, "1e-5", None]
)
def test_delta_without_a_guarantee_is_refused(delta):
    for call in (mu_from_epsilon, epsilon_from_mu):
        with pytest.raises(ValueError, match="delta must be a number in"):
            call(1.0, delta)


@pytest.mark.parametrize(
    "mu", [-1.0, 1e-170, 9.9e-101, math.nan, -math.inf, True, "1", None]
)
def test_mu_that_is_none_is_refused(mu):
    with pytest.raises(ValueError, match="mu must be a number in"):
        epsilon_from_mu(mu, 1e-5)
    with pytest.raises(ValueError, match="mu must be a number in"):
        Ledger(mu)
    with pytest.raises(ValueError, match="mu of the release 'sums'"):
        LedgerEntry("sums", (2,), 1.0, mu)


def test_smallest_mu():
    assert entry(mu=1e-100).mu == Ledger(1e-100).mu == 1e-100


@pytest.mark.parametrize("sensitivity", [0.0, -1.0, math.nan, math.inf, None, True])
def test_sensitivity_that_bounds_nothing_is_refused(sensitivity):
    with pytest.raises(ValueError, match="l2_sensitivity of the release 'sums'"):
        entry(sensitivity=sensitivity)


def test_noise_of_an_entry_is_that_of_its_mu():
    assert LedgerEntry("sums", (2,), 1.0, 0.25).noise_multiplier == 4.0


def test_tiny_budgets_add_up():
    # Their squares are zero in float64.
    ledger = Ledger(1e-99)
    ledger.debit([entry(mu=0.8e-99)])
    with pytest.raises(BudgetExceededError):
        ledger.debit([entry(mu=0.8e-99)])
    assert compose_mu([3e-200, 4e-200]) == pytest.approx(5e-200)


@pytest.mark.parametrize("adjacency", ["substitute", None, ["add-remove"]])
def test_unknown_adjacency_is_refused(adjacency):
    with pytest.raises(ValueError, match="adjacency must be one of"):
        unit_factor(adjacency)


@pytest.mark.parametrize("m", [0, -1, 1.5, 1e5, True, math.nan, "1", 2**31 + 1])
def test_contributions_that_bound_nothing_are_refused(m):
    # 0 would mean that nobody can move a sum, and so no noise at all.
    with pytest.raises(ValueError, match="max_contributions must be an integer in"):
        unit_factor("add-remove", m)


def test_replacing_acute_summands_moves_them_by_the_root_of_two_rounded_up():
    # For some of them, such as 23, float64 rounds the product down.
    for m in [*range(1, 200), 1000, 2**31]:
        assert unit_factor("add-remove", m, acute=True) == m
        factor = Fraction(unit_factor("replace-one", m, acute=True))
        assert 2 * m**2 <= factor**2 < 2 * m**2 * (1 + Fraction(1, 2**50))


# --------------------------------------------------------------------------
# The last digit
# --------------------------------------------------------------------------


class Pessimist:
    """The other direction, which finds a little more than there is."""

    def __init__(self, convert):
        self.convert, self.n_calls = convert, 0

    def __call__(self, value, delta):
        self.n_calls += 1
        assert self.n_calls < 40, "looks for a smaller one without end"
        return self.convert(value, delta) * (1.0 + 1e-9)


@pytest.mark.parametrize("epsilon", [1e-3, 1.0, 50.0])
def test_mu_is_made_smaller_until_it_costs_no_more_than_epsilon(monkeypatch, epsilon):
    largest, back = mu_from_epsilon(epsilon, 1e-5), Pessimist(epsilon_from_mu)
    monkeypatch.setattr(accounting, "epsilon_from_mu", back)
    mu = mu_from_epsilon(epsilon, 1e-5)
    assert back(mu, 1e-5) <= epsilon
    assert largest * (1.0 - 1e-7) < mu < largest


@pytest.mark.parametrize("mu", [1e-3, 0.3, 10.0])
def test_epsilon_is_made_smaller_until_it_costs_no_more_than_mu(monkeypatch, mu):
    largest, back = epsilon_within_mu(mu, 1e-5), Pessimist(mu_from_epsilon)
    monkeypatch.setattr(accounting, "mu_from_epsilon", back)
    epsilon = epsilon_within_mu(mu, 1e-5)
    assert back(epsilon, 1e-5) <= mu
    assert largest * (1.0 - 1e-7) < epsilon < largest


def test_shares_that_add_up_to_more_than_one_by_rounding_only():
    parts = split_mu(3.0, {"a": 0.5, "b": 0.5 + 0.9e-9})
    assert sum(Fraction(part) ** 2 for part in parts.values()) <= 9
    with pytest.raises(ValueError, match="shares must be"):
        split_mu(3.0, {"a": 0.5, "b": 0.5 + 1.5e-9})


def test_the_smallest_mu_is_one():
    assert epsilon_from_mu(1e-100, 1e-5) == 0.0
    assert attack_power(1e-100, 0.05) == pytest.approx(0.05)
