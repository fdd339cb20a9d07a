"""The run of a search: levels, when it stops, what it has spent, and failures."""

import math

import numpy as np
import pytest
from private_fits import fitted_state, make_data
from sklearn.linear_model import LogisticRegression
from tapes import Tape, assert_same

import skdpgmm._estimators.search_levels as levels
from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPLogisticRegression,
    DPSyntheticClassifier,
    PrivateSearchCV,
)
from skdpgmm._estimators.search_account import TO_FIT, TO_SCORE
from skdpgmm.privacy import mu_from_epsilon
from skdpgmm.privacy.parts import ALL, mu_by_part

X, Y = make_data(600, 3)
EPSILONS = {"epsilon": [20.0, 0.1, 5.0]}


def over_epsilon(**options):
    model = DPLogisticRegression(clip_norm=20.0)
    options = {"epsilon": None, "random_state": 0, **options}
    return PrivateSearchCV(model, EPSILONS, **options)


def spent(search):
    return mu_by_part(search.privacy_.ledger, search.privacy_.parts)


def decisions(search):
    return {one.what: one for one in search.privacy_.decisions}


def test_a_search_over_epsilon_spends_what_it_says():
    search = over_epsilon().fit(X, Y)
    mus = [mu_from_epsilon(epsilon, 1e-5) for epsilon in EPSILONS["epsilon"]]
    assert spent(search)[TO_FIT] == pytest.approx(math.hypot(*mus))
    assert spent(search)[TO_SCORE] <= spent(search)[TO_FIT]
    best = search.best_params_["epsilon"]
    assert spent(search)[ALL] == pytest.approx(mu_from_epsilon(best, 1e-5))
    assert search.privacy_.spent_mu <= search.privacy_.mu
    np.testing.assert_allclose(search.cv_results_["epsilon"], EPSILONS["epsilon"])


def test_it_stops_at_the_smallest_that_is_good_enough():
    search = over_epsilon(stop_at=0.6).fit(X, Y)
    assert search.best_params_ == {"epsilon": 5.0}
    results = search.cv_results_
    assert np.isnan(results["mean_test_score"]).tolist() == [True, False, False]
    assert results["low_test_score"][search.best_index_] >= 0.6
    assert results["epsilon"].tolist()[0] == 0.0
    reached = decisions(search)["stop_at reached"]
    assert reached.value is True and reached.because["stop_at"] == 0.6
    # What is left, and what was spent, are the whole.
    report = search.privacy_
    assert report.spent_mu < 0.5 * report.mu
    assert math.hypot(report.spent_mu, report.left_mu) <= report.mu


def test_it_stops_when_the_next_would_cost_too_much():
    search = over_epsilon(stop_at=1.0, epsilon=8.0).fit(X, Y)
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [1, 0, 0]
    assert decisions(search)["stop_at reached"].value is False
    assert search.privacy_.spent_epsilon <= 8.0 == search.privacy_.epsilon


def test_candidates_of_one_epsilon_are_run_together():
    synthesizer = DPEmbeddingSynthesizer(clip_norm=20.0)
    head = LogisticRegression(max_iter=50)
    model = DPSyntheticClassifier(synthesizer, head, n_samples=90)
    grid = {"synthesizer__epsilon": [30.0, 60.0], "classifier__C": [1e-9, 1.0]}
    options = {"epsilon": None, "stop_at": 0.5, "random_state": 0}
    search = PrivateSearchCV(model, grid, **options).fit(X, Y)
    assert search.cv_results_["release_group"].tolist() == [0, 1, 0, 1]
    run = ~np.isnan(search.cv_results_["mean_test_score"])
    assert run.tolist() == [True, False, True, False]
    assert search.best_params_ == {"synthesizer__epsilon": 30.0, "classifier__C": 1.0}
    names = [entry.name for entry in search.privacy_.ledger]
    assert not any(name.startswith("fit 1") for name in names)


@pytest.mark.parametrize("stop_at", [None, 0.6])
def test_it_is_a_function_of_its_releases(stop_at, monkeypatch):
    """The choice, the end and all scores; on other data, and of another number."""
    found, tape = [], Tape(monkeypatch)
    other = np.random.default_rng(1)
    data = [(X, Y), (1e3 * other.normal(size=(91, 3)), np.arange(91) % 3)]
    for (rows, labels), install in zip(data, (tape.record, tape.play), strict=True):
        with monkeypatch.context() as patch:
            tape.monkeypatch = patch
            left = install()
            search = over_epsilon(stop_at=stop_at).fit(rows, labels)
            found.append(fitted_state(search))
    assert not left
    assert_same(*found)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failure_tells_what_was_spent(n_jobs, monkeypatch):
    original = levels.run
    monkeypatch.setattr(levels, "run", Failing(original))
    search = PrivateSearchCV(
        DPLogisticRegression(), {"n_random_features": [0, 4, 8]}, n_jobs=n_jobs
    )
    with pytest.raises(OSError, match="the disk is gone") as caught:
        search.fit(X, Y)
    report = caught.value.privacy_
    groups = {entry.name.split(",")[0] for entry in report.ledger}
    # Those beside it have spent too, those after it have not.
    assert groups == (
        {"fit 0", "fit 1"} if n_jobs == 1 else {"fit 0", "fit 1", "fit 2"}
    )
    assert set(report.parts) == {TO_FIT}
    assert fitted_state(search) == {}


class Failing:
    """Fails after the fit of the second group."""

    def __init__(self, run):
        self.run = run

    def __call__(self, models, *args):
        found = self.run(models, *args)
        if models[0].n_random_features == 4:
            return found._replace(error=OSError("the disk is gone"))
        return found


def test_a_lost_process_is_charged_for_all_that_it_may_have_spent(monkeypatch):
    class Lost:
        def __init__(self, **options):
            pass

        def __call__(self, calls):
            raise MemoryError

    monkeypatch.setattr(levels, "Parallel", Lost)
    search = PrivateSearchCV(
        DPLogisticRegression(), {"n_random_features": [0, 4]}, n_jobs=2, refit=False
    )
    with pytest.raises(MemoryError) as caught:
        search.fit(X, Y)
    report = caught.value.privacy_
    assert report.spent_mu == pytest.approx(report.mu)
    assert "lost with its process" in str(report)
