"""What fits amount to together: exact sums, what is refused, and what is printed."""

import math
from fractions import Fraction

import numpy as np
import pytest
from dp_accounting import pld
from hypothesis import given, settings
from hypothesis import strategies as st

from skdpgmm import DPGaussianMixture, DPKMeans
from skdpgmm.privacy import (
    Cost,
    compose,
    compose_mu,
    epsilon_from_mu,
    mu_from_epsilon,
)
from skdpgmm.privacy.composition import ComposedReport, epsilon_left, total_mu

X = np.random.default_rng(0).standard_normal((300, 2))
MUS = st.floats(1e-6, 1e3)
PARTS = st.sampled_from([None, "A", "B"])


def report(seed=None, **params):
    ids = params.pop("ids", None)
    kmeans = DPKMeans(2, max_iter=1, clip_norm=5.0, random_state=seed, **params)
    return kmeans.fit(X, privacy_ids=ids).privacy_


def cost(mu, part=None):
    return Cost("one", 1.0, 1e-5, mu, 1, part=part)


# --------------------------------------------------------------------------
# Sums
# --------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.tuples(MUS, PARTS), max_size=12))
def test_the_largest_part_counts_beside_the_fits_to_all(pairs):
    costs = [cost(mu, part) for mu, part in pairs]

    def squares(name):
        return sum(
            (Fraction(mu) ** 2 for mu, part in pairs if part == name), Fraction()
        )

    both = max(squares("A"), squares("B"))
    assert total_mu(costs) == pytest.approx(math.sqrt(squares(None) + both))
    for part in ("A", "B"):
        expected = math.sqrt(squares(None) + squares(part))
        assert total_mu(costs, part) == pytest.approx(expected)
        assert total_mu(costs, part) <= total_mu(costs)


@settings(deadline=None)
@given(MUS, MUS, MUS)
def test_a_person_who_moves_loses_no_more_than_one_who_stays(to_all, mu_p, mu_q):
    """Gone from one part and new in another: half of each sensitivity of a change."""
    moved = compose_mu([to_all, mu_p / 2.0, mu_q / 2.0])
    assert moved <= total_mu([cost(to_all), cost(mu_p, "A"), cost(mu_q, "B")])


@settings(deadline=None)
@given(
    st.floats(1e-3, 50.0),
    st.floats(0.0, 1.0),
    st.floats(1e-12, 0.5),
    st.integers(1, 40),
)
def test_what_is_left_fits_and_no_more_does(epsilon, share, delta, n_fits):
    mu = mu_from_epsilon(epsilon, delta)
    spent = share * mu
    left = epsilon_left(mu, spent, delta, n_fits)

    def fits(asked):
        return compose_mu([spent, *[mu_from_epsilon(asked, delta)] * n_fits]) <= mu

    if left > 0.0:
        assert fits(left)
    # Near the least epsilon there is, a budget may end between two of them.
    assert not fits(max(left * (1.0 + 1e-5), 1.0001e-6))


def test_what_is_left_without_a_bound_and_of_nothing():
    assert epsilon_left(math.inf, math.inf, 1e-5) == math.inf
    assert epsilon_left(0.5, 0.5, 1e-5) == epsilon_left(0.5, 0.6, 1e-5) == 0.0
    assert epsilon_left(0.5, 0.0, 1e-5) == epsilon_left(0.5, 0.0, 1e-5, 1)


# --------------------------------------------------------------------------
# Reports of fits
# --------------------------------------------------------------------------


def test_another_accountant_finds_the_same_total():
    reports = [report(epsilon=1.0), report(epsilon=2.0)]
    both = compose(reports)
    accountant = pld.PLDAccountant(value_discretization_interval=1e-4)
    for one in reports:
        accountant.compose(one.dp_event())
    assert accountant.get_epsilon(1e-5) == pytest.approx(both.epsilon, rel=1e-4)
    assert both.mu == both.spent_mu == compose_mu([r.mu for r in reports])
    assert both.epsilon == both.spent_epsilon < 3.0
    assert both.not_private is None


def test_one_report_is_what_it_was():
    one = report(epsilon=1.5)
    alone = compose([one])
    assert (alone.mu, alone.adjacency, alone.unit) == (one.mu, one.adjacency, one.unit)
    assert alone.epsilon == pytest.approx(1.5)


def test_the_same_as_a_fit_that_went_on():
    mixture = DPGaussianMixture(1, max_iter=0, warm_start=True, clip_norm=5.0)
    first = mixture.fit(X).privacy_
    both = mixture.set_params(epsilon=2.0).fit(X).privacy_
    second = DPGaussianMixture(1, max_iter=0, epsilon=2.0, clip_norm=5.0).fit(X)
    composed = compose([first, second.privacy_])
    assert (composed.epsilon, composed.mu) == (both.epsilon, both.mu)


@pytest.mark.parametrize(
    "name, params",
    [
        ("adjacency", {"adjacency": "replace-one"}),
        ("unit", {"ids": np.arange(300)}),
        ("delta", {"delta": 1e-6}),
    ],
)
def test_reports_without_a_guarantee_in_common_are_refused(name, params):
    plain, other = report(), report(**params)
    values = f"{getattr(plain, name)!r}.*{getattr(other, name)!r}"
    with pytest.raises(ValueError, match=f"^{name} must be the same.*{values}"):
        compose([plain, other])


def test_deltas_may_differ_where_one_is_given():
    reports = [report(), report(delta=1e-6)]
    both = compose(reports, delta=1e-7)
    assert both.delta == 1e-7
    assert both.epsilon == epsilon_from_mu(compose_mu([r.mu for r in reports]), 1e-7)


@pytest.mark.parametrize(
    "reports, message",
    [
        (7, "must be a sequence"),
        ([report(), 1.0], "got float as 'fit 2'"),
        ({"mine": None}, "got NoneType as 'mine'"),
    ],
)
def test_what_is_no_report_is_refused(reports, message):
    with pytest.raises(TypeError, match=f"^reports .*{message}"):
        compose(reports)


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one report, got none"):
        compose([])


@pytest.mark.parametrize(
    "bad, why",
    [({"epsilon": math.inf}, "epsilon is infinite"), ({"seed": 0}, "tries all seeds")],
)
def test_one_that_is_not_private_makes_all_so(bad, why):
    both = compose({"good": report(), "bad": report(**bad)})
    assert "NOT PRIVATE" in both.not_private and why in both.not_private
    assert repr(both).startswith("NOT PRIVATE")
    (line,) = (row for row in str(both).splitlines() if row.startswith("bad"))
    assert line.endswith("NOT PRIVATE")
    assert math.isinf(both.epsilon) == ("epsilon" in bad)


# --------------------------------------------------------------------------
# What is printed
# --------------------------------------------------------------------------


def test_it_prints_a_row_for_each_report_and_the_total():
    reports = {"clusters": report(epsilon=1.0), "<head>": report(epsilon=2.0)}
    both = compose(reports)
    lines = str(both).splitlines()
    assert f"({both.epsilon:g}, 1e-05)-DP" in lines[0]
    assert "in 2 fits" in lines[1]
    assert lines[-2].split()[:4] == ["clusters", "1", "1e-05", "0.26805"]
    assert lines[-1].split()[-1] == str(len(reports["<head>"].ledger))
    assert "part" not in str(both) and "when" not in str(both)
    shown = both._repr_html_()
    assert "&lt;head&gt;" in shown and "<head>" not in shown
    assert "2 fits" in repr(both)


def test_what_was_declared_public_is_told_once():
    both = compose([report(), report()])
    assert both.declared_public == report().declared_public
    assert "clip_norm: 5" in str(both)


def test_the_table_leaves_out_columns_of_words_that_say_nothing():
    def table(*costs):
        return ComposedReport(2.0, 1e-5, 0.5, "add-remove", "a person", costs)._rows()

    numbers = ("epsilon", "delta", "mu", "releases")
    plain = Cost("a", 1.0, 1e-5, 0.25, None)
    assert table(plain) == [("fit", *numbers), ("a", "1", "1e-05", "0.25", "")]
    full = Cost("b", 2.0, 1e-6, 0.5, 7, "done", "north", "today")
    assert len(table(full)[0]) == 8
    assert table(plain, full) == [
        ("fit", "part", "when", *numbers, "state"),
        ("a", "", "", "1", "1e-05", "0.25", "", ""),
        ("b", "north", "today", "2", "1e-06", "0.5", "7", "done"),
    ]
