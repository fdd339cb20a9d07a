"""One fit: its account, what is left of it, and the randomness behind it."""

import math
import warnings

import numpy as np
import pytest

from skdpgmm._algorithms.looks import class_counts
from skdpgmm._estimators.session import Account, Session
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm.exceptions import SeededNoiseWarning
from skdpgmm.privacy import LedgerEntry, compose_mu, mu_from_epsilon
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.report import Decision


def account_of(epsilon=1.0, adjacency="add-remove", bound=None, seed=None, **given):
    return Account(epsilon, 1e-5, adjacency, bound, seed, **given)


def session_of(account):
    return Session("records", account, "rng", 0, [])


def spend(account, mu):
    account.ledger.debit([LedgerEntry("x: counts", (1,), 1.0, mu)])


@pytest.mark.parametrize(
    "adjacency, bound", [("add-remove", None), ("add-remove", 3), ("replace-one", 3)]
)
def test_an_account_has_the_budget_and_the_unit(adjacency, bound):
    account = account_of(2.0, adjacency, bound)
    assert account.mu == mu_from_epsilon(2.0, 1e-5)
    report = account.report()
    assert (report.epsilon, report.delta, report.mu) == (2.0, 1e-5, account.mu)
    assert report.adjacency == adjacency and report.ledger == ()


def test_a_report_has_what_was_spent_until_then():
    account = account_of(declared_public=(("center", "given"),))
    spend(account, 0.1)
    account.decisions.append(Decision("steps", 3, {}))
    report = account.report()
    spend(account, 0.1)
    assert len(report.ledger) == 1 and report.spent_mu == pytest.approx(0.1)
    assert report.declared_public == (("center", "given"),)
    assert [decision.value for decision in report.decisions] == [3]


@pytest.mark.parametrize("shares", [[], [0.3], [0.6, 0.7], [0.1] * 90])
@pytest.mark.parametrize("epsilon", [0.1, 1.0, 1e6])
def test_what_is_left_fits_and_is_nearly_all(epsilon, shares):
    account = account_of(epsilon)
    session = session_of(account)
    assert session.budget.mu == account.mu
    for share in shares:
        spend(account, share * account.mu)
    left = session.left().mu
    together = compose_mu([account.ledger.spent_mu, left])
    assert account.mu * (1.0 - 1e-9) < together <= account.mu
    spend(account, left)


def test_without_noise_all_is_left_whatever_was_spent():
    session = session_of(account_of(math.inf))
    spend(session.account, 5.0)
    assert session.left().mu == math.inf


@pytest.mark.parametrize("seed", [None, 3, "state"])
def test_noise_follows_from_an_int_only(seed):
    def opened():
        state = np.random.RandomState(0) if seed == "state" else seed
        session = Session.open(ArrayRows(np.ones((10, 2))), account_of(seed=state))
        query = class_counts(Ball(np.zeros(2), 1.0), 1)
        # So much noise that no two draws of it are the same.
        (count,) = session.records.release("n", query, [1e-9])
        return float(count.value[0]), session.public_rng.random(), session.account

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeededNoiseWarning)
        first, again = opened(), opened()
    assert (first[0] == again[0]) is (seed == 3)
    assert (first[1] == again[1]) is (seed is not None)
    report = first[2].report()
    assert report.seeded is (seed == 3)
    source = "random_state=3" if seed == 3 else "the operating system"
    assert report.noise == f"AES-CTR, seeded by {source}"


@pytest.mark.parametrize("epsilon, n_warnings", [(1.0, 1), (math.inf, 0)])
def test_a_seed_is_warned_of_where_there_is_noise(epsilon, n_warnings):
    rows = ArrayRows(np.ones((10, 2)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Session.open(rows, account_of(epsilon, seed=0))
    assert [one.category for one in caught] == n_warnings * [SeededNoiseWarning]


def test_a_view_begins_with_the_unit_ball_and_notes_for_the_account():
    session = session_of(account_of())
    view = session.view(4)
    assert view.n is None and view.ball.radius == 1.0 and view.n_features == 4
    view.decide(Decision("steps", 3, {}))
    assert [one.what for one in session.account.decisions] == ["steps"]
