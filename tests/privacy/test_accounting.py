"""Accounting: one formula, held against dp_accounting's independent accountants."""

import html
import math

import dp_accounting
import mpmath
import numpy as np
import pytest
from dp_accounting import NeighboringRelation, gaussian_mechanism
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant
from hypothesis import given, settings
from hypothesis import strategies as st

from skdpgmm.privacy import (
    BudgetExceededError,
    Ledger,
    LedgerEntry,
    PrivacyReport,
    attack_power,
    compose_mu,
    epsilon_from_mu,
    mu_from_epsilon,
    split_mu,
    unit_factor,
)
from skdpgmm.privacy.accounting import epsilon_within_mu

EPSILONS = [1e-3, 1e-2, 0.1, 0.5, 1.0, 3.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6]
DELTAS = [1e-12, 1e-8, 1e-5, 1e-2, 0.3]
ADD_REMOVE = NeighboringRelation.ADD_OR_REMOVE_ONE
REPLACE_ONE = NeighboringRelation.REPLACE_ONE
HALVES = {"a": 0.5, "b": 0.5}


def pld_epsilon(noise_multipliers, delta, relation=ADD_REMOVE):
    accountant = PLDAccountant(relation, value_discretization_interval=1e-3)
    for sigma in noise_multipliers:
        accountant.compose(dp_accounting.GaussianDpEvent(sigma))
    return accountant.get_epsilon(delta)


def rdp_epsilon(noise_multiplier, delta, relation):
    accountant = RdpAccountant(neighboring_relation=relation)
    accountant.compose(dp_accounting.GaussianDpEvent(noise_multiplier))
    return accountant.get_epsilon(delta)


def entry(name="sums", mu=0.5, shape=(2, 3), sensitivity=4.0):
    return LedgerEntry(name, shape, sensitivity, mu)


def report(entries, epsilon=1.0, delta=1e-5, **kwargs):
    facts = {"adjacency": "add-remove", "unit": "one record", "noise": "AES-CTR"}
    mu = mu_from_epsilon(epsilon, delta)
    return PrivacyReport(
        epsilon, delta, mu, **{**facts, **kwargs}, ledger=tuple(entries)
    )


# --------------------------------------------------------------------------
# The formula
# --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(50))
def test_composition_agrees_with_pld_accountant(seed):
    rng = np.random.default_rng(seed)
    delta = 10.0 ** rng.uniform(-9, -2)
    total = mu_from_epsilon(10.0 ** rng.uniform(-0.5, 1.0), delta)
    shares = rng.dirichlet(np.ones(rng.integers(1, 6)) * 0.7) + 1e-3
    ledger = Ledger(total)
    mus = split_mu(total, {str(i): s for i, s in enumerate(shares / shares.sum())})
    for name, mu in mus.items():
        ledger.debit([entry(name, mu)])
    expected = pld_epsilon([e.noise_multiplier for e in ledger.entries], delta)
    assert epsilon_from_mu(ledger.spent_mu, delta) == pytest.approx(expected, rel=1e-3)


def test_composition_is_tighter_than_renyi():
    # Guards against an accountant that is safe but wasteful.
    ours = epsilon_from_mu(0.5, 1e-5)
    assert ours < 0.97 * rdp_epsilon(2.0, 1e-5, ADD_REMOVE)


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_calibration_inverts_and_never_exceeds(epsilon, delta):
    mu = mu_from_epsilon(epsilon, delta)
    back = epsilon_from_mu(mu, delta)
    assert back <= epsilon
    assert back == pytest.approx(epsilon, rel=1e-6)


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_calibration_agrees_with_analytic_gaussian(epsilon, delta):
    sigma = gaussian_mechanism.get_sigma_gaussian(epsilon, delta)
    mu = mu_from_epsilon(epsilon, delta)
    assert mu == pytest.approx(1.0 / sigma, rel=1e-5)
    assert mu < 1.0 / sigma


def test_calibration_agrees_with_the_formula_itself():
    # Balle and Wang 2018, theorem 8, written out: no code is shared.
    from scipy.stats import norm

    epsilon, delta = 1.0, 1e-5
    mu = mu_from_epsilon(epsilon, delta)
    attained = norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(
        -mu / 2 - epsilon / mu
    )
    assert attained == pytest.approx(delta, rel=2e-6)


def test_calibration_is_monotone():
    for delta in DELTAS:
        mus = [mu_from_epsilon(epsilon, delta) for epsilon in EPSILONS]
        assert np.all(np.diff(mus) > 0)
    for epsilon in EPSILONS:
        assert np.all(np.diff([mu_from_epsilon(epsilon, d) for d in DELTAS]) > 0)


def test_limits():
    assert mu_from_epsilon(math.inf, 1e-5) == math.inf
    assert epsilon_from_mu(0.0, 1e-5) == 0.0
    assert epsilon_from_mu(math.inf, 1e-5) == math.inf
    assert compose_mu([]) == 0.0
    assert compose_mu([3.0, 4.0]) == 5.0
    assert compose_mu([math.inf, 1.0]) == math.inf


# --------------------------------------------------------------------------
# Shares
# --------------------------------------------------------------------------


@settings(deadline=None)
@given(
    mu=st.floats(1e-6, 1e6),
    weights=st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=60),
    depth=st.integers(1, 3),
)
def test_split_never_exceeds(mu, weights, depth):
    total = math.fsum(weights)
    shares = {str(i): w / total for i, w in enumerate(weights)}
    # Nested, as the estimators do it: the parts of parts are compared with mu.
    parts = [mu]
    for _ in range(depth):
        first, *others = parts
        parts = [*split_mu(first, shares).values(), *others]
    assert compose_mu(parts) <= mu
    assert compose_mu(parts) >= mu * (1.0 - 1e-9)
    ledger = Ledger(mu)
    ledger.debit(entry(mu=part) for part in parts)  # does not raise


def test_split_follows_the_shares():
    parts = split_mu(2.0, {"a": 0.25, "b": 0.75, "none": 0.0})
    assert parts["a"] ** 2 / 4.0 == pytest.approx(0.25, rel=1e-9)
    assert parts["b"] ** 2 / 4.0 == pytest.approx(0.75, rel=1e-9)
    assert parts["none"] == 0.0
    assert split_mu(2.0, {"a": 0.5})["a"] ** 2 == pytest.approx(2.0, rel=1e-9)


def test_split_of_no_noise():
    assert split_mu(math.inf, {"a": 0.5, "b": 0.5, "c": 0.0}) == {
        "a": math.inf,
        "b": math.inf,
        "c": 0.0,
    }


@pytest.mark.parametrize(
    "shares", [{"a": 0.6, "b": 0.5}, {"a": -0.1, "b": 0.5}, {"a": math.nan, "b": 0.5}]
)
def test_split_refuses_bad_shares(shares):
    with pytest.raises(ValueError, match="shares"):
        split_mu(1.0, shares)


# --------------------------------------------------------------------------
# The ledger
# --------------------------------------------------------------------------


def test_ledger_refuses_overspending():
    ledger = Ledger(1.0)
    ledger.debit([entry(mu=0.6), entry(mu=0.6)])
    with pytest.raises(BudgetExceededError, match="exceed"):
        ledger.debit([entry(mu=0.6)])
    ledger.debit([entry(mu=0.5)])  # what is left can still be spent
    assert ledger.spent_mu <= 1.0


def test_ledger_debits_all_or_nothing():
    ledger = Ledger(1.0)
    ledger.debit([entry("before", 0.5)])
    # The first of the two alone would fit.
    with pytest.raises(BudgetExceededError):
        ledger.debit([entry("fits", 0.5), entry("does not", 0.9)])
    assert [e.name for e in ledger.entries] == ["before"]


def test_ledger_accepts_a_generator_and_an_exact_fit():
    ledger = Ledger(5.0)
    ledger.debit(entry(mu=mu) for mu in (3.0, 4.0))
    assert ledger.spent_mu == 5.0
    with pytest.raises(BudgetExceededError):
        ledger.debit([entry(mu=1e-3)])


def test_ledger_refuses_no_noise_unless_asked_for():
    with pytest.raises(BudgetExceededError):
        Ledger(1e6).debit([entry(mu=math.inf)])
    ledger = Ledger(math.inf)
    ledger.debit([entry(mu=math.inf), entry(mu=math.inf)])
    assert ledger.spent_mu == math.inf


# --------------------------------------------------------------------------
# Adjacency and unit of privacy
# --------------------------------------------------------------------------


def test_unit_factor():
    assert unit_factor("add-remove") == 1
    assert unit_factor("replace-one") == 2
    for m in (1, 2, 7):
        assert unit_factor("add-remove", m) == m
        assert unit_factor("replace-one", m) == 2 * m


def test_accountants_differ_in_what_replace_one_means():
    """PLD doubles the sensitivity for the caller, RDP does not.

    So a noise multiplier must never be handed to either together with
    REPLACE_ONE: whether the factor of 2 is counted once, twice or never would
    depend on the accountant.
    """
    sigma, delta = 3.0, 1e-5
    add_remove = pld_epsilon([sigma], delta)
    assert pld_epsilon([sigma], delta, REPLACE_ONE) == pytest.approx(
        pld_epsilon([sigma / 2.0], delta), rel=1e-3
    )
    assert pld_epsilon([sigma], delta, REPLACE_ONE) > 1.5 * add_remove
    assert rdp_epsilon(sigma, delta, REPLACE_ONE) == rdp_epsilon(
        sigma, delta, ADD_REMOVE
    )


@pytest.mark.parametrize("epsilon", [0.5, 4.0])
def test_noise_over_true_sensitivity_goes_to_the_add_remove_formula(epsilon):
    delta, bound = 1e-5, 1.0  # no summand is longer than `bound`
    mu = mu_from_epsilon(epsilon, delta)
    for adjacency, relation in [("add-remove", ADD_REMOVE), ("replace-one", None)]:
        true_sensitivity = bound * unit_factor(adjacency)
        noise = true_sensitivity / mu
        # Ours: the multiplier is noise over *true* sensitivity, the formula plain.
        ours = epsilon_from_mu(true_sensitivity / noise, delta)
        assert ours == pytest.approx(epsilon, rel=1e-6)
        assert pld_epsilon([noise / true_sensitivity], delta) == pytest.approx(
            epsilon, rel=1e-3
        )
        if relation is None:
            # Theirs: noise over the norm of one record, and PLD doubles.
            assert pld_epsilon([noise / bound], delta, REPLACE_ONE) == pytest.approx(
                epsilon, rel=1e-3
            )
            # Our multiplier under their convention would count the factor twice,
            # and their multiplier under ours would leave it out.
            twice = pld_epsilon([noise / true_sensitivity], delta, REPLACE_ONE)
            never = pld_epsilon([noise / bound], delta)
            assert never < 0.7 * epsilon < 1.5 * epsilon < twice


# --------------------------------------------------------------------------
# The report
# --------------------------------------------------------------------------


def test_report_adds_up():
    mu = mu_from_epsilon(1.0, 1e-5)
    parts = split_mu(mu, HALVES)
    whole = report(entry(name, part) for name, part in parts.items())
    assert whole.spent_mu <= whole.mu
    assert whole.spent_mu == pytest.approx(mu, rel=1e-9)
    assert whole.spent_epsilon <= whole.epsilon
    assert whole.spent_epsilon == pytest.approx(1.0, rel=1e-6)
    half = report([entry(mu=mu / math.sqrt(2.0))])
    assert half.spent_epsilon == pytest.approx(epsilon_from_mu(mu / 2**0.5, 1e-5))
    assert half.spent_epsilon < 0.8
    assert report([]).spent_epsilon == 0.0


def test_report_without_noise():
    free = report([entry(mu=math.inf)], epsilon=math.inf)
    assert free.spent_epsilon == math.inf
    for text in (str(free).splitlines()[0], repr(free), free._repr_html_()[:200]):
        assert "NOT PRIVATE: epsilon is infinite" in text


def test_report_of_a_seeded_fit():
    seeded = report([entry(mu=0.1)], seeded=True)
    for text in (str(seeded).splitlines()[0], repr(seeded), seeded._repr_html_()[:200]):
        assert "NOT PRIVATE: whoever tries all seeds can take the noise away" in text
    honest = report([entry(mu=0.1)])
    assert honest.not_private is None
    for text in (str(honest), repr(honest), honest._repr_html_()):
        assert "NOT PRIVATE" not in text


def test_report_prints_every_release():
    entries = [entry("first", 0.1, ()), entry("the second one", 0.05, (4, 3, 3), 64.0)]
    text = str(report(entries, adjacency="replace-one", unit="one person"))
    for fact in ("(1, 1e-05)-DP", "replace-one", "one person", "AES-CTR"):
        assert fact in text
    header, rule, first, second = text.splitlines()[-4:]
    assert header.split() == "release shape l2_sensitivity noise_multiplier mu".split()
    assert set(rule) == {"-", " "}
    assert first.split() == ["first", "scalar", "4", "10", "0.1"]
    assert second.split() == "the second one 4 x 3 x 3 64 20 0.05".split()
    # Right-aligned columns end together.
    assert len(header) == len(rule) == len(first) == len(second)


def test_report_escapes_html():
    nasty = '<script>alert("x")</script> & co'
    page = report([entry(nasty)], noise=nasty, unit=nasty)._repr_html_()
    assert "<script" not in page
    assert page.count(html.escape(nasty)) == 4
    assert page.count("<tr>") == page.count("</tr>") == 5 + 1 + 1


def test_repr_is_short_and_report_is_frozen():
    many = report([entry()] * 200)
    assert len(repr(many)) < 400
    with pytest.raises(AttributeError):
        many.epsilon = 2.0


# --------------------------------------------------------------------------
# What mu means
# --------------------------------------------------------------------------


@pytest.mark.parametrize("alarms", [1e-6, 0.01, 0.05, 0.5])
@pytest.mark.parametrize("mu", [1e-3, 0.268, 1.0, 5.0])
def test_power_of_an_attack_in_exact_arithmetic(mu, alarms):
    """And never below it, by more than the margin of its rounding above it."""
    with mpmath.workdps(40):
        quantile = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(alarms) - 1)
        exact = mpmath.ncdf(quantile + mpmath.mpf(mu))
        found = mpmath.mpf(attack_power(mu, alarms))
        assert exact <= found <= exact * (1 + mpmath.mpf(10) ** -11)


def test_power_of_an_attack_is_what_the_best_test_has():
    """Of Neyman and Pearson, on draws of the two laws."""
    rng, mu, n = np.random.default_rng(0), 0.8, 400_000
    without, within = rng.standard_normal(n), mu + rng.standard_normal(n)
    threshold = np.quantile(without, 0.95)
    assert np.mean(within > threshold) == pytest.approx(attack_power(mu), abs=4e-3)
    # A test that looks elsewhere finds less.
    assert np.mean(within < np.quantile(without, 0.05)) < attack_power(mu)


def test_power_of_an_attack_goes_with_epsilon_and_delta():
    """What is (epsilon, delta)-DP bounds it too, less tightly."""
    for epsilon in (0.1, 1.0, 4.0):
        power = attack_power(mu_from_epsilon(epsilon, 1e-5))
        assert 0.05 < power <= math.exp(epsilon) * 0.05 + 1e-5


def test_powers_at_the_ends():
    assert attack_power(0.0, 0.05) == pytest.approx(0.05)
    assert attack_power(math.inf) == 1.0
    for mu, alarms in ((-1.0, 0.05), (math.nan, 0.05), (1.0, 0.0), (1.0, 1.0)):
        with pytest.raises(ValueError, match=r"^(mu|false_alarms) must be"):
            attack_power(mu, alarms)


@pytest.mark.parametrize("mu", [1e-3, 0.1, 1.0, 7.0, math.inf])
@pytest.mark.parametrize("delta", [1e-12, 1e-5])
def test_an_epsilon_costs_no_more_than_its_mu(mu, delta):
    back = mu_from_epsilon(epsilon_within_mu(mu, delta), delta)
    assert back <= mu
    assert back == pytest.approx(mu, rel=1e-9)


def test_a_mu_that_is_less_than_any_epsilon():
    with pytest.raises(ValueError, match="less than any epsilon"):
        epsilon_within_mu(1e-6, 1e-5)
