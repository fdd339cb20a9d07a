"""What a search may spend: shares, levels, and budgets that do not suffice."""

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skdpgmm import DPLogisticRegression, DPSyntheticClassifier, PrivateSearchCV
from skdpgmm._algorithms.budget import SEARCH
from skdpgmm._estimators.search_account import (
    TO_FIT,
    SearchAccount,
    cost_of,
    epsilon_for,
    epsilon_within,
    plan_of,
)
from skdpgmm._estimators.search_candidates import candidates_of, settings_of
from skdpgmm.privacy import mu_from_epsilon
from skdpgmm.privacy.accounting import LedgerEntry
from skdpgmm.privacy.parts import ALL, PartsLedger, PartsReport

GRID = {"n_random_features": [0, 4, 8]}
EPSILONS = {"epsilon": [2.0, 0.5, 1.0]}


def planned(grid=GRID, estimator=None, **options):
    estimator = DPLogisticRegression() if estimator is None else estimator
    search = PrivateSearchCV(estimator, grid, **options)
    candidates = candidates_of(estimator, settings_of(grid, None, None))
    return plan_of(search, candidates)


@pytest.mark.parametrize("delta", [1e-5, 1e-9])
@pytest.mark.parametrize("mu", [1e-3, 0.1, 2.0, 500.0, math.inf])
def test_an_epsilon_within_a_budget_costs_no_more_and_hardly_less(mu, delta):
    if mu == 1e-3 and delta == 1e-5:
        mu = 3e-2
    found = mu_from_epsilon(epsilon_within(mu, delta), delta)
    assert found <= mu
    assert found == mu or found >= mu * (1.0 - 1e-5)
    assert mu_from_epsilon(epsilon_for(mu, delta), delta) >= mu


def test_a_budget_too_small_for_its_candidates_is_refused():
    with pytest.raises(ValueError, match="too small for so many candidates"):
        epsilon_within(1e-9, 1e-5)
    with pytest.raises(ValueError, match="too small for so many candidates"):
        planned(epsilon=1e-5)


@pytest.mark.parametrize("refit", [False, True])
def test_all_of_the_budget_is_planned(refit):
    plan = planned(epsilon=2.0, refit=refit)
    (level,) = plan.levels
    assert (plan.epsilon, plan.searched, level.n_groups) == (2.0, False, 3)
    mu = mu_from_epsilon(2.0, 1e-5)
    assert cost_of(plan.levels) == pytest.approx(mu, rel=1e-9)
    assert cost_of(plan.levels) <= mu
    share = SEARCH["refit"] if refit else 0.0
    assert level.costs()[ALL] ** 2 == pytest.approx(share * mu**2)
    assert level.fit_mu == level.score_mu


def test_candidates_that_share_releases_share_one_budget():
    model = DPSyntheticClassifier(None, LogisticRegression())
    (level,) = planned({"classifier__C": [0.1, 1.0, 2.0]}, model).levels
    assert level.n_groups == 1
    assert level.fit_mu == pytest.approx(math.sqrt(3.0) * level.score_mu)


def test_levels_ascend_and_each_fit_has_its_epsilon():
    plan = planned(EPSILONS, epsilon=None)
    assert [level.numbers for level in plan.levels] == [[1], [2], [0]]
    mus = [mu_from_epsilon(epsilon, 1e-5) for epsilon in (0.5, 1.0, 2.0)]
    assert [level.fit_mu for level in plan.levels] == mus
    assert plan.searched
    # All fits, and the last one once more.
    whole = math.hypot(*mus, mus[-1])
    assert mu_from_epsilon(plan.epsilon, 1e-5) == pytest.approx(whole, rel=1e-6)
    assert mu_from_epsilon(plan.epsilon, 1e-5) >= cost_of(plan.levels)
    kept = planned(EPSILONS, epsilon=None, refit=False)
    assert kept.epsilon < plan.epsilon


def test_a_budget_that_does_not_suffice_is_refused_with_what_would():
    with pytest.raises(ValueError, match=r"epsilon=2 is less .* 3\.25\d with the last"):
        planned(EPSILONS, epsilon=2.0)
    planned(EPSILONS, epsilon=3.5)
    # One that stops may end earlier, but not before the first.
    planned(EPSILONS, epsilon=2.0, stop_at=0.9)
    with pytest.raises(ValueError, match=r"epsilon=0\.5 is less"):
        planned(EPSILONS, epsilon=0.5, stop_at=0.9)


@pytest.mark.parametrize("options", [{"epsilon": None}, {"stop_at": 0.5}])
def test_what_is_for_searches_over_epsilon_only(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} can be .* only where epsilon"):
        planned(**options)


def test_an_account_books_under_names_that_say_what_for():
    account = SearchAccount(1.0, 1e-5, "replace-one", 2, None, seeded_inside=True)
    assert isinstance(account.ledger, PartsLedger)
    account.book(TO_FIT, "fit 0", [LedgerEntry("norms: counts", (3,), 4.0, 0.1)])
    report = account.report()
    assert isinstance(report, PartsReport)
    assert [entry.name for entry in report.ledger] == ["fit 0, norms: counts"]
    assert report.parts == (TO_FIT,) and report.spent_mu == 0.1
    assert report.seeded and report.not_private
    part = account.part_of(0.1, 7)
    assert (part.adjacency, part.max_contributions) == ("replace-one", 2)
    np.testing.assert_allclose(part.mu, 0.1, rtol=1e-6)
    assert part.mu <= 0.1 and part.random_state == 7
