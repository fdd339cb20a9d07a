"""What fits are charged, whatever becomes of them: never more than the budget."""

import math
import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdpgmm._estimators.debits import Ask, Debits, Declared
from skdpgmm.privacy import (
    BudgetExceededError,
    Ledger,
    LedgerEntry,
    epsilon_from_mu,
    mu_from_epsilon,
)
from skdpgmm.privacy.composition import epsilon_left

DELTA = 1e-5


def debits(epsilon=2.0, delta=DELTA, adjacency="add-remove", bound=None, path=None):
    return Debits(Declared.checked(epsilon, delta, adjacency, bound), path)


def ask(epsilon=1.0, **changed):
    plain = Ask("Toy", epsilon, DELTA, "add-remove", None, None, False)
    return plain._replace(**changed)


def spend(charge, *mus):
    """Release something, as a fit does."""
    charge.ledger = charge.ledger or Ledger(math.inf)
    charge.ledger.debit([LedgerEntry("sums", (2,), 1.0, mu) for mu in mus])


def costs(found):
    return [fit.cost for fit in found.fits()]


# --------------------------------------------------------------------------
# Arithmetic
# --------------------------------------------------------------------------

FITS = st.tuples(
    st.floats(1e-3, 3.0),  # epsilon
    st.sampled_from([DELTA, 1e-6]),
    st.sampled_from([None, "A", "B"]),
    st.sampled_from(["fitted", "failed", "killed"]),
    st.floats(0.0, 1.0),  # released of its budget, if it fails
)


@settings(deadline=None)
@given(st.floats(0.1, 5.0), st.lists(FITS, max_size=12))
def test_no_order_of_fits_and_failures_overspends(epsilon, fits):
    found, squares = debits(epsilon), {None: [], "A": [], "B": []}
    # What was asked for; the budget is this, rounded down.
    whole = Fraction(found.mu) ** 2

    def total():
        to_all, *parts = (sum(of, Fraction()) for of in squares.values())
        return to_all + max(parts)

    n_charged = 0
    for asked, delta, part, outcome, share in fits:
        mu = mu_from_epsilon(asked, delta)
        others = {**squares, part: [*squares[part], Fraction(mu) ** 2]}
        to_all, *parts = (sum(of, Fraction()) for of in others.values())
        enough = to_all + max(parts) <= whole
        try:
            charge = found.charge(ask(asked, delta=delta), part)
        except BudgetExceededError:
            # But for rounding, what is refused would overspend.
            assert to_all + max(parts) > whole * (1 - Fraction(1, 10**15))
            continue
        n_charged += 1
        assert enough or to_all + max(parts) <= whole * (1 + Fraction(1, 10**15))
        spent = mu
        if outcome == "fitted":
            spend(charge, 0.5 * mu)
            charge.__exit__(None, None, None)
        elif outcome == "failed":
            spent = share * mu if share > 1e-6 else 0.0
            if spent:
                spend(charge, spent)
            assert not charge.__exit__(RuntimeError, RuntimeError("enough"), None)
        squares[part].append(Fraction(spent) ** 2)
        assert costs(found)[-1].mu == pytest.approx(spent, rel=1e-15)
        # The budget was rounded down by 1e-12, far more than sums are.
        assert total() <= whole * (1 + Fraction(1, 10**15))
    assert len(costs(found)) == n_charged


def test_what_was_asked_for_fits_exactly_once():
    found = debits(2.0)
    with found.charge(ask(2.0), None):
        pass
    with pytest.raises(BudgetExceededError, match="epsilon=0 is left"):
        with found.charge(ask(1e-6), None):
            raise AssertionError
    assert len(costs(found)) == 1


def test_a_refusal_says_what_is_left():
    found = debits(2.0)
    with found.charge(ask(1.0), None):
        pass
    with pytest.raises(BudgetExceededError) as caught:
        with found.charge(ask(1.9), None):
            raise AssertionError
    (left,) = (
        float(word.removeprefix("epsilon="))
        for word in str(caught.value).replace(",", " ").split()
        if word.startswith("epsilon=") and word != "epsilon=1.9"
    )
    with pytest.raises(BudgetExceededError):
        with found.charge(ask(left * 1.0001), None):
            raise AssertionError
    with found.charge(ask(left * 0.9999), None):
        pass
    assert len(costs(found)) == 2


@pytest.mark.parametrize("spent", [0.3, 1.0, 1.9])
def test_nothing_beyond_rounding_is_let_through(spent):
    found = debits(2.0)
    with found.charge(ask(spent), None):
        pass
    left = epsilon_left(found.mu, costs(found)[0].mu, DELTA)
    with pytest.raises(BudgetExceededError):
        with found.charge(ask(left * (1.0 + 1e-9)), None):
            raise AssertionError
    with found.charge(ask(left), None):
        pass


def test_a_fit_is_debited_at_its_own_delta():
    found = debits(2.0)
    with found.charge(ask(1.0, delta=1e-9), None):
        pass
    assert costs(found)[0].mu == mu_from_epsilon(1.0, 1e-9)
    assert epsilon_from_mu(costs(found)[0].mu, DELTA) < 1.0


# --------------------------------------------------------------------------
# What becomes of a fit
# --------------------------------------------------------------------------


def test_a_fit_is_charged_while_it_runs():
    found = debits(2.0)
    with found.charge(ask(1.0), "A"):
        (running,) = costs(found)
    assert running.state == "begun" and running.n_releases is None
    assert running.mu == mu_from_epsilon(1.0, DELTA)
    (ended,) = costs(found)
    assert ended == running._replace(state="fitted", n_releases=0)
    assert ended.part == "A" and ended.name == "Toy"


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("mus", [(), (0.1,), (0.1, 0.1)])
def test_a_fit_that_fails_is_charged_what_it_released(kind, mus):
    found = debits(2.0)
    with pytest.raises(kind, match="enough"):
        with found.charge(ask(1.0), None) as charge:
            if mus:
                spend(charge, *mus)
            raise kind("enough")
    (cost,) = costs(found)
    assert (cost.mu, cost.n_releases) == (pytest.approx(math.hypot(*mus)), len(mus))
    assert cost.state == "failed"


def test_no_fit_is_ever_charged_more_than_it_asked_for():
    found = debits(2.0)
    with pytest.raises(ValueError, match="enough"):
        with found.charge(ask(1.0), None) as charge:
            spend(charge, 5.0)
            raise ValueError("enough")
    assert costs(found)[0].mu == mu_from_epsilon(1.0, DELTA)


def test_where_the_file_is_lost_meanwhile_a_fit_is_not(tmp_path):
    path = str(tmp_path / "budget")
    found = debits(2.0, path=path)
    with pytest.warns(UserWarning, match="does not know that this fit has ended"):
        with found.charge(ask(1.0), None):
            os.rename(path, path + "-away")
    os.rename(path + "-away", path)
    with pytest.raises(KeyError) as caught:
        with found.charge(ask(0.5), None):
            os.rename(path, path + "-away")
            raise KeyError
    os.rename(path + "-away", path)
    assert "stays charged in full" in caught.value.__notes__[0]
    expected = [mu_from_epsilon(epsilon, DELTA) for epsilon in (1.0, 0.5)]
    assert [cost.mu for cost in costs(found)] == expected


# --------------------------------------------------------------------------
# What is refused
# --------------------------------------------------------------------------


def refused(found, asked, message):
    with pytest.raises(ValueError, match=message):
        with found.charge(asked, None):
            raise AssertionError
    assert costs(found) == []


def test_another_adjacency_is_refused():
    asked = ask(adjacency="replace-one")
    refused(debits(), asked, "^adjacency .*'add-remove', got 'replace-one'")


@pytest.mark.parametrize(
    "bound, fit, enforced",
    [(None, None, True), (None, 1, False), (1, None, False), (3, 2, True), (3, 4, 0)],
)
def test_another_unit_is_refused(bound, fit, enforced):
    asked = ask(max_contributions=fit, enforced=enforced)
    ids = " and privacy_ids" if enforced else ""
    message = (
        f"^max_contributions must be that of the budget .*, {bound}; got {fit}{ids}, a"
    )
    refused(debits(bound=bound), asked, message)


@pytest.mark.parametrize(
    "bound, fit, enforced",
    [(None, None, False), (1, None, True), (1, 1, True), (3, 3, False), (3, 3, True)],
)
def test_the_same_unit_is_not(bound, fit, enforced):
    found = debits(bound=bound)
    with found.charge(ask(max_contributions=fit, enforced=enforced), None):
        pass
    assert found.fits()[0].enforced == enforced


def test_a_seed_is_refused():
    refused(debits(), ask(random_state=7), "^random_state=7 is an int")
    with debits().charge(ask(random_state=np.random.RandomState(0)), None):
        pass


def test_a_fit_without_noise_is_refused():
    with pytest.raises(BudgetExceededError, match="epsilon=inf"):
        with debits().charge(ask(math.inf), None):
            raise AssertionError


@pytest.mark.parametrize("asked", [ask(math.inf), ask(random_state=7)])
def test_a_budget_without_a_bound_takes_both_and_says_so(asked):
    found = debits(math.inf)
    with found.charge(asked, None):
        assert costs(found)[0].state == "begun, NOT PRIVATE"
    assert costs(found)[0].state == "fitted, NOT PRIVATE"


@pytest.mark.parametrize(
    "name, changed",
    [
        ("epsilon", {"epsilon": 3.0}),
        ("delta", {"delta": 1e-6}),
        ("adjacency", {"adjacency": "replace-one"}),
        ("max_contributions", {"bound": 1}),
    ],
)
def test_a_file_of_another_budget_is_refused(tmp_path, name, changed):
    path = str(tmp_path / "budget")
    first = debits(path=path)
    with pytest.raises(ValueError, match=f"^{name} must be that of the budget in"):
        debits(path=path, **changed)
    assert costs(first) == costs(debits(path=path)) == []


def test_a_file_that_another_has_taken_the_place_of_is_refused(tmp_path):
    path = str(tmp_path / "budget")
    first = debits(path=path)
    os.unlink(path)
    second = debits(path=path)
    with pytest.raises(ValueError, match="is another budget than it was"):
        first.fits()
    with pytest.raises(ValueError, match="is another budget than it was"):
        with first.charge(ask(), None):
            raise AssertionError
    assert costs(second) == []
