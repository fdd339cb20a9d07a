"""Releases about parts of the records: composition, refusals, the report."""

import math

import dp_accounting
import numpy as np
import pytest
from dp_accounting import GaussianDpEvent
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skdpgmm.privacy import BudgetExceededError, LedgerEntry, epsilon_from_mu
from skdpgmm.privacy.parts import (
    ALL,
    PartsLedger,
    PartsReport,
    compose_parts,
    mu_by_part,
)

MUS = st.floats(0.01, 10.0)


def entry(mu, name="sum"):
    return LedgerEntry(name, (3,), 1.0, mu)


@given(
    arrays(float, (3, 4), elements=MUS),
    MUS,
    st.sampled_from([1, 2, 6]),
    st.integers(0, 10**6),
)
def test_no_neighbours_move_the_whole_by_more_than_the_bound(mus, of_all, c, seed):
    """The lemma, for every way in which c records may be in three parts."""
    spent = {str(i): math.hypot(*row) for i, row in enumerate(mus)}
    bound = compose_parts({**spent, ALL: of_all})
    rng = np.random.default_rng(seed)
    placed = np.bincount(rng.integers(3, size=rng.integers(c + 1)), minlength=3)
    moved = (placed / c)[:, None] * mus
    assert math.hypot(of_all, *moved.ravel()) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("part", range(3))
def test_the_bound_is_attained_in_the_costliest_part(part):
    mus = {"0": 1.0, "1": 1.0, "2": 1.0, ALL: 2.0}
    mus[str(part)] = 3.0
    assert compose_parts(mus) == math.hypot(3.0, 2.0)


def test_a_ledger_lets_parts_spend_beside_each_other():
    ledger = PartsLedger(1.0)
    ledger.debit([entry(0.6), entry(0.8)], "a")
    ledger.debit([entry(1.0)], "b")
    assert ledger.spent_mu == 1.0 == ledger.mu
    assert ledger.affords({"c": 1.0}) and not ledger.affords({"b": 1e-6})
    with pytest.raises(BudgetExceededError, match="sum"):
        ledger.debit([entry(1e-6)])
    with pytest.raises(BudgetExceededError):
        ledger.debit([entry(0.5), entry(1e-6)], "a")
    assert len(ledger.entries) == len(ledger.parts) == 3


def test_what_is_about_all_records_adds_to_every_part():
    ledger = PartsLedger(1.0)
    ledger.debit([entry(0.6)])
    assert ledger.affords({"a": 0.8 - 1e-12, "b": 0.7})
    assert not ledger.affords({"a": 0.81})
    ledger.debit([entry(0.8 - 1e-12)], "a")
    assert mu_by_part(ledger.entries, ledger.parts).keys() == {ALL, "a"}
    assert ledger.spent_mu == pytest.approx(1.0)


def report(mu=2.0, **parts):
    entries = [entry(one, f"of {part}") for part, one in parts.items()]
    return PartsReport(
        epsilon=epsilon_from_mu(mu, 1e-5),
        delta=1e-5,
        mu=mu,
        adjacency="add-remove",
        unit="one record",
        noise="of the system",
        ledger=tuple(entries),
        parts=tuple(parts),
    )


def test_a_report_counts_the_costliest_part():
    told = report(a=0.8, b=0.5, all=0.6)
    assert told.spent_mu == pytest.approx(1.0)
    assert told.spent_epsilon == pytest.approx(epsilon_from_mu(1.0, 1e-5))
    assert math.hypot(told.left_mu, told.spent_mu) == pytest.approx(told.mu)
    assert math.hypot(told.left_mu, told.spent_mu) <= told.mu
    assert "a: mu=0.8, b: mu=0.5, all: mu=0.6; the costliest counts" in str(told)
    assert "parts" not in repr(told)
    events = told.dp_event().events
    assert events == [GaussianDpEvent(1 / 0.8), GaussianDpEvent(1 / 0.6)]
    accountant = dp_accounting.pld.PLDAccountant().compose(told.dp_event())
    assert accountant.get_epsilon(1e-5) == pytest.approx(told.spent_epsilon, rel=1e-3)


def test_a_report_of_nothing_and_of_no_noise():
    assert report().spent_mu == 0.0 and report().dp_event().events == []
    assert report(math.inf, a=math.inf).left_mu == math.inf


def test_releases_about_all_records_do_not_hide_those_about_a_part():
    events = report(a=0.3, b=0.4, all=0.9).dp_event().events
    mus = sorted(1.0 / event.noise_multiplier for event in events)
    assert mus == pytest.approx([0.4, 0.9])


def test_nothing_is_left_where_all_is_spent():
    assert report(mu=0.5, a=0.5).left_mu == report(mu=0.5, a=0.6).left_mu == 0.0
