"""PrivateSearchCV: what it reports, persons, processes, seeds, and what it refuses."""

import warnings

import numpy as np
import pandas as pd
import pytest
from private_fits import fitted_state, make_data
from scipy.stats import randint
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from skdpgmm import DPLogisticRegression, PrivacyBudget, PrivateSearchCV
from skdpgmm._estimators.search_account import TO_FIT, TO_SCORE
from skdpgmm.exceptions import (
    NoiseDominatedWarning,
    SeededNoiseWarning,
    UnenforcedContributionsWarning,
)
from skdpgmm.privacy import BudgetExceededError, mu_from_epsilon
from skdpgmm.privacy.parts import ALL, mu_by_part

X, Y = make_data(400, 3)
GRID = {"n_random_features": [0, 4]}


def searching(model=None, grid=GRID, **options):
    model = DPLogisticRegression(clip_norm=20.0) if model is None else model
    return PrivateSearchCV(model, grid, **options)


# --------------------------------------------------------------------------
# What it reports
# --------------------------------------------------------------------------


def test_the_best_estimator_says_what_the_search_cost():
    search = searching(epsilon=4.0).fit(X, Y)
    report = search.privacy_
    assert search.best_estimator_.privacy_ is report
    assert report.epsilon == 4.0 and report.mu == mu_from_epsilon(4.0, 1e-5)
    assert 0.999 * report.mu < report.spent_mu <= report.mu
    mus = mu_by_part(report.ledger, report.parts)
    # Both parts have the same, beside each other.
    assert mus[TO_FIT] == pytest.approx(mus[TO_SCORE], rel=1e-6)
    assert mus.keys() == {TO_FIT, TO_SCORE, ALL}
    assert ("candidates", "2") in report.declared_public
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert (
        search.best_estimator_.get_params()["n_random_features"]
        == (search.best_params_["n_random_features"])
    )
    np.testing.assert_array_equal(search.classes_, [0, 1, 2])
    assert is_classifier(search) and search.n_features_in_ == 3


def test_without_a_last_fit_all_of_the_budget_is_for_candidates():
    search = searching(refit=False).fit(X, Y)
    mus = mu_by_part(search.privacy_.ledger, search.privacy_.parts)
    assert mus.keys() == {TO_FIT, TO_SCORE}
    assert search.privacy_.spent_mu == pytest.approx(search.privacy_.mu)


def test_it_finds_what_is_better():
    """Features that make a checkerboard of what no plane separates."""
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1.0, 1.0, size=(4000, 2))
    labels = (rows[:, 0] * rows[:, 1] > 0.0).astype(int)
    grid = {"n_random_features": [0, 200]}
    search = searching(None, grid, epsilon=20.0).fit(rows, labels)
    assert search.best_params_ == {"n_random_features": 200}
    low = search.cv_results_["low_test_score"]
    high = search.cv_results_["high_test_score"]
    assert low[1] > high[0]


def test_frames_give_the_names_of_features():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    search = searching().fit(frame, pd.Series(Y))
    assert search.feature_names_in_.tolist() == ["a", "b", "c"]
    search.predict(frame)
    search.fit(X, Y)
    assert not hasattr(search, "feature_names_in_")


def test_a_pipeline_of_public_steps_is_searched():
    digits, labels = load_digits(return_X_y=True)
    model = make_pipeline(Normalizer(), DPLogisticRegression(clip_norm=1.0))
    grid = {"dplogisticregression__n_random_features": [0, 4]}
    search = searching(model, grid, epsilon=8.0).fit(digits, labels)
    assert search.score(digits, labels) > 0.8
    assert search.best_estimator_[-1].privacy_ is search.privacy_
    assert ("steps", "Normalizer, of constants") in search.privacy_.declared_public


def test_candidates_are_drawn_from_distributions():
    space = {"n_random_features": randint(0, 50)}
    options = {"n_iter": 3, "random_state": np.random.RandomState(0)}
    search = searching(None, space, **options).fit(X, Y)
    drawn = [one["n_random_features"] for one in search.cv_results_["params"]]
    assert len(drawn) == 3 and len(set(drawn)) > 1
    # numpy's generator, which anybody can seed, has no part in it.
    np.random.seed(0)  # noqa: NPY002
    one = searching(None, space, n_iter=3).fit(X, Y).cv_results_["params"]
    np.random.seed(0)  # noqa: NPY002
    assert searching(None, space, n_iter=3).fit(X, Y).cv_results_["params"] != one


# --------------------------------------------------------------------------
# Persons
# --------------------------------------------------------------------------


def test_a_bound_for_persons_is_enforced_before_records_are_dealt():
    ids = np.arange(400) // 4
    model = DPLogisticRegression(clip_norm=20.0, max_contributions=2)
    search = searching(model, epsilon=np.inf).fit(X, Y, privacy_ids=ids)
    assert search.privacy_.unit == (
        "one person with at most 2 records, enforced by privacy_ids"
    )
    assert search.privacy_.ledger[0].l2_sensitivity == 2.0
    with pytest.warns(UnenforcedContributionsWarning) as caught:
        unit = searching(model).fit(X, Y).privacy_.unit
    assert "promised by the caller" in unit
    kinds = [one.category for one in caught]
    assert kinds.count(UnenforcedContributionsWarning) == 1


def test_ids_are_routed_to_it():
    with config_context(enable_metadata_routing=True):
        found = cross_validate(
            searching(),
            X,
            Y,
            cv=2,
            params={"privacy_ids": np.arange(400)},
            return_estimator=True,
            error_score="raise",
        )
    for search in found["estimator"]:
        assert "enforced by privacy_ids" in search.privacy_.unit
        assert "enforced" in search.best_estimator_.privacy_.unit


def test_a_project_is_charged_for_the_whole_search():
    project = PrivacyBudget(epsilon=3.0, delta=1e-5)
    search = searching(epsilon=2.0).fit(X, Y, budget=project)
    assert project.spent_epsilon == pytest.approx(2.0)
    before = dict(vars(search))
    with pytest.raises(BudgetExceededError, match="PrivateSearchCV asks for epsilon"):
        search.set_params(epsilon=2.9).fit(X, Y, budget=project)
    assert {**vars(search), "epsilon": 2.0} == before
    inner = DPLogisticRegression(random_state=0)
    with pytest.raises(ValueError, match="random_state"):
        searching(inner, epsilon=0.1).fit(X, Y, budget=project)


# --------------------------------------------------------------------------
# Seeds, processes, warnings
# --------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_processes_and_seeds(n_jobs):
    first = searching(random_state=0).fit(X, Y)
    second = searching(random_state=0, n_jobs=n_jobs).fit(X, Y)
    for name in ("mean_test_score", "high_test_score"):
        np.testing.assert_array_equal(first.cv_results_[name], second.cv_results_[name])
    np.testing.assert_array_equal(
        first.best_estimator_.coef_, second.best_estimator_.coef_
    )
    none = [searching(n_jobs=n_jobs).fit(X, Y).best_estimator_ for _ in range(2)]
    assert (none[0].coef_[0] != none[1].coef_[0]).all()


def test_int_seeds_are_warned_of_and_reported():
    with pytest.warns(SeededNoiseWarning) as caught:
        assert searching(random_state=0).fit(X, Y).privacy_.not_private
    kinds = [one.category for one in caught]
    assert kinds.count(SeededNoiseWarning) == 1
    state = np.random.RandomState(0)
    assert searching(random_state=state).fit(X, Y).privacy_.not_private is None
    inner = DPLogisticRegression(random_state=0)
    assert searching(inner).fit(X, Y).privacy_.not_private


def test_a_warning_that_is_an_error_comes_when_all_is_fitted():
    search = searching(epsilon=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NoiseDominatedWarning)
        with pytest.raises(NoiseDominatedWarning) as caught:
            search.fit(X, Y)
    assert caught.value.privacy_ is search.privacy_


# --------------------------------------------------------------------------
# What it refuses, before anything is spent
# --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, message",
    [
        ({"scoring": "roc_auc"}, "scoring"),
        ({"scoring": lambda model, X, y: 1.0}, "scoring"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"epsilon": None}, "epsilon can be None only where"),
        ({"delta": 1.0}, "delta"),
        ({"test_size": 1.0}, "test_size"),
        ({"test_size": 0}, "test_size"),
        ({"stop_at": 0.0}, "stop_at"),
        ({"stop_at": 0.5}, "stop_at can be 0.5 only where"),
        ({"n_iter": 0}, "n_iter"),
        ({"grid": {}}, "param_grid must name"),
        ({"grid": {"n_random_features": []}}, "non-empty"),
        ({"grid": {"adjacency": ["replace-one"]}}, "adjacency must be that of all"),
        ({"grid": {"n_random_features": [0, -4]}}, "n_random_features"),
        ({"grid": {"n_random_features": [0, 10**7]}}, "n_random_features"),
        ({"grid": {"center": [None, [0.0, 1.0]]}}, "center must have shape"),
        ({"grid": {"epsilon": [1.0, 2.0]}}, "epsilon=1 is less than"),
        ({"n_jobs": 1.5}, "n_jobs"),
        ({"refit": "best"}, "refit"),
    ],
)
def test_bad_parameters(options, message):
    search = searching(**options)
    before = dict(vars(search))
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        search.fit(X, Y)
    assert not hasattr(caught.value, "privacy_")
    assert vars(search) == before


@pytest.mark.parametrize(
    "args, ids, message",
    [
        ((X, None), None, "requires y"),
        ((X, Y[:-1]), None, "y must have 400 labels"),
        ((np.where(X > 1.0, np.nan, X), Y), None, "NaN"),
        ((X, np.zeros(400)), None, "at least two classes"),
        ((X, Y), np.arange(3), "privacy_ids must have 400 entries"),
    ],
)
def test_bad_records(args, ids, message):
    search = searching()
    with pytest.raises(ValueError, match=message) as caught:
        search.fit(*args, privacy_ids=ids)
    assert not hasattr(caught.value, "privacy_")
    assert fitted_state(search) == {}


def test_all_equal_records_are_no_error():
    """They are all in one part, and nobody may learn in which."""
    for seed in range(6):
        search = searching(random_state=seed, test_size=0.5)
        search.fit(np.ones((50, 3)), np.arange(50) % 2)
        assert set(search.predict(X)) <= {0, 1}


def test_a_clone_is_a_search_of_its_own():
    search = searching(epsilon=2.0, stop_at=None).fit(X, Y)
    fresh = clone(search)
    assert fitted_state(fresh) == {}
    assert fresh.set_params(estimator__clip_norm=3.0).estimator.clip_norm == 3.0
    assert search.estimator.clip_norm == 20.0
