"""Every fit can be charged to the budget of a project: before, and whatever comes."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from private_fits import (
    ESTIMATORS,
    PLAIN_CASES,
    fit,
    fitted_state,
    make_data,
    release_cases,
    sized,
    wrapper_cases,
)
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tapes import stand_before_releases

from skdpgmm import (
    DPGaussianMixture,
    DPKMeans,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    PrivacyBudget,
)
from skdpgmm.metrics import private_accuracy
from skdpgmm.privacy import BudgetExceededError, compose, mu_from_epsilon

DELTA = 1e-5
MU = mu_from_epsilon(1.0, DELTA)
X, Y = make_data(200, 3)
ROOT = Path(__file__).parents[2]
CASES = sorted([*PLAIN_CASES, *wrapper_cases()])
EVERYTHING = release_cases(3)


class Untouchable:
    """Records that nobody may look at."""

    def refuse(self, *args, **kwargs):
        raise AssertionError("somebody looked at the records")

    __len__ = __iter__ = __getitem__ = __array__ = __eq__ = refuse
    shape = dtype = ndim = columns = property(refuse)
    __hash__ = None


def states(budget):
    return [cost.state for cost in budget.report().costs]


# --------------------------------------------------------------------------
# One fit
# --------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_a_fit_is_charged_what_its_report_says(name):
    make, labelled = EVERYTHING[name]
    budget = PrivacyBudget(3.0, DELTA)
    estimator = fit(make(), X, Y, labelled, budget=budget)
    (cost,) = budget.report().costs
    report = estimator.privacy_
    assert (cost.mu, cost.n_releases) == (report.mu, len(report.ledger))
    assert (cost.epsilon, cost.delta) == (report.epsilon, report.delta)
    assert cost.state == "fitted"
    total = compose([report])
    assert (budget.spent_epsilon, budget.report().unit) == (total.epsilon, total.unit)
    # The budget is of the people, and no part of what was fitted.
    assert not any(value is budget for value in vars(estimator).values())


@pytest.mark.parametrize("name", [name for name in CASES if name != "accuracy"])
def test_a_fit_that_would_overspend_is_refused_before_a_record_is_read(name):
    make, _ = EVERYTHING[name]
    budget = PrivacyBudget(0.9, DELTA)
    estimator = make(epsilon=1.0)
    with pytest.raises(BudgetExceededError, match=r"asks for epsilon=1\.0") as caught:
        estimator.fit(Untouchable(), Untouchable(), budget=budget)
    assert not hasattr(caught.value, "privacy_")
    assert budget.report().costs == ()
    assert fitted_state(estimator) == {}


def test_an_accuracy_that_would_overspend_is_refused_before_a_record_is_read():
    budget = PrivacyBudget(0.9, DELTA)
    with pytest.raises(BudgetExceededError, match="private_accuracy asks for"):
        private_accuracy(Untouchable(), Untouchable(), budget=budget)
    assert budget.report().costs == ()


@pytest.mark.parametrize("name", CASES)
def test_a_fit_that_fails_before_a_release_is_not_charged(name):
    make, labelled = EVERYTHING[name]
    budget = PrivacyBudget(1.0, DELTA)
    for bad in (np.full_like(X, np.nan), X[:0]):
        with pytest.raises(ValueError):
            make().fit(bad, Y[:99], budget=budget)
    assert budget.spent_epsilon == 0.0
    assert states(budget) == ["failed"] * 2
    fit(make(), X, Y, labelled, budget=budget)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("name", CASES)
def test_a_fit_that_fails_is_charged_what_it_has_released(name, kind, monkeypatch):
    n_released = 0 if name == "accuracy" else 1  # some make two, by luck of the noise

    def make_release(original, ledger, unit):
        calls = []

        def release(*args):
            # It is charged while it runs.
            assert states(budget) == ["begun"]
            assert budget.report().spent_mu == MU
            calls.append(args)
            if len(calls) > n_released:
                raise kind
            return original(*args)

        return release

    stand_before_releases(monkeypatch, make_release)
    make, labelled = EVERYTHING[name]
    budget = PrivacyBudget(1.0, DELTA)
    with pytest.raises(kind) as caught:
        fit(make(), X, Y, labelled, budget=budget)
    (cost,) = budget.report().costs
    assert cost.state == "failed"
    if n_released:
        report = caught.value.privacy_
        assert 0.0 < cost.mu == report.spent_mu < MU
        assert cost.n_releases == len(report.ledger)
    else:
        assert cost.mu == cost.n_releases == 0


@pytest.mark.parametrize("name", CASES)
def test_a_fit_of_another_unit_or_adjacency_is_refused(name):
    make, labelled = EVERYTHING[name]
    ids = np.arange(len(X))
    by_person = PrivacyBudget(3.0, DELTA, max_contributions=1)
    fit(make(), X, Y, labelled, budget=by_person, privacy_ids=ids)
    assert by_person.report().unit.endswith("enforced by privacy_ids")
    of_records = PrivacyBudget(3.0, DELTA)
    with pytest.raises(ValueError, match="max_contributions must be that of the bud"):
        fit(make(), X, Y, labelled, budget=of_records, privacy_ids=ids)
    with pytest.raises(ValueError, match="max_contributions must be that of the bud"):
        fit(make(), X, Y, labelled, budget=by_person)
    with pytest.raises(ValueError, match="adjacency must be that of the budget"):
        fit(make(adjacency="replace-one"), X, Y, labelled, budget=of_records)
    with pytest.raises(ValueError, match="is an int, so that the fit would not be"):
        fit(make(random_state=0), X, Y, labelled, budget=of_records)
    assert states(of_records) == [] and states(by_person) == ["fitted"]


@pytest.mark.parametrize("name", ["kmeans", "classifier", "accuracy"])
def test_a_budget_without_a_bound_marks_what_is_not_private(name):
    make, labelled = EVERYTHING[name]
    budget = PrivacyBudget(math.inf, DELTA)
    for params in ({"epsilon": math.inf}, {"random_state": 0}, {}):
        fit(make(**params), X, Y, labelled, budget=budget)
    assert states(budget) == ["fitted, NOT PRIVATE"] * 2 + ["fitted"]
    assert budget.spent_epsilon == math.inf


def test_a_fit_that_goes_on_is_charged_for_itself_only():
    budget = PrivacyBudget(3.0, DELTA)
    mixture = DPGaussianMixture(2, max_iter=1, warm_start=True)
    mixture.fit(X, budget=budget).fit(X, budget=budget)
    assert [cost.mu for cost in budget.report().costs] == [MU, MU]
    # The second report speaks of both.
    assert budget.spent_epsilon == mixture.privacy_.epsilon


def test_a_classifier_that_fails_does_not_give_back_its_synthesizer():
    class Refusing(LogisticRegression):
        def fit(self, X, y):
            raise RuntimeError("enough")

    budget = PrivacyBudget(3.0, DELTA)
    model = DPSyntheticClassifier(None, Refusing(), n_samples=50)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X, Y, budget=budget)
    (cost,) = budget.report().costs
    assert (cost.name, cost.mu) == ("DPEmbeddingSynthesizer", MU)


# --------------------------------------------------------------------------
# Inside of scikit-learn's tools
# --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fit", "fit_transform", "fit_predict"])
def test_methods_that_fit_take_it(method):
    budget = PrivacyBudget(3.0, DELTA)
    getattr(DPKMeans(2), method)(X, budget=budget)
    if method != "fit_transform":
        getattr(DPGaussianMixture(2, max_iter=1), method)(X, budget=budget)
    assert set(states(budget)) == {"fitted"}


def test_fit_resample_takes_it():
    budget = PrivacyBudget(3.0, DELTA)
    DPSyntheticResampler(n_samples=50).fit_resample(X, Y, budget=budget)
    assert states(budget) == ["fitted"]


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize(
    "make",
    [*ESTIMATORS, DPSyntheticClassifier, DPSyntheticResampler],
)
def test_it_goes_through_a_pipeline(make, routing):
    wraps = make in (DPSyntheticClassifier, DPSyntheticResampler)
    step = make(n_samples=50) if wraps else sized(make, 2)
    if make is DPSyntheticClassifier:
        step.set_params(classifier=LogisticRegression(max_iter=1000))
    model = make_pipeline(step)
    if make is not DPSyntheticResampler:
        model = make_pipeline(FunctionTransformer(), step)
    budget = PrivacyBudget(3.0, DELTA)
    name = "budget" if routing else f"{model.steps[-1][0]}__budget"
    with config_context(enable_metadata_routing=routing):
        model.fit(X, Y, **{name: budget})
        assert states(budget) == ["fitted"]
        if routing:
            step.set_fit_request(budget=False)
            with pytest.raises(TypeError, match="budget"):
                model.fit(X, Y, budget=budget)
    assert states(budget) == ["fitted"]


def test_it_is_routed_to_fit_resample():
    pipeline = pytest.importorskip("imblearn.pipeline")
    budget = PrivacyBudget(3.0, DELTA)
    resampler = DPSyntheticResampler(n_samples=50)
    with config_context(enable_metadata_routing=True):
        pipeline.make_pipeline(resampler, LogisticRegression()).fit(X, Y, budget=budget)
    assert states(budget) == ["fitted"]


def loss(model, X, y=None):
    """Under routing, the score of a pipeline asks its last step for weights."""
    return model[-1].score(X)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_every_fit_of_a_search_is_charged(tmp_path, routing, n_jobs):
    budget = PrivacyBudget(3.0, DELTA, path=tmp_path / "budget")
    options = {"cv": 2, "n_jobs": n_jobs, "error_score": "raise"}
    ids = np.arange(len(X))
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(DPKMeans(2, epsilon=0.2), {"max_iter": [1, 2]}, **options)
        search.fit(X, budget=budget)
        assert states(budget) == ["fitted"] * 5
        model = make_pipeline(FunctionTransformer(), DPKMeans(2, epsilon=0.2))
        name = "budget" if routing else "dpkmeans__budget"
        cross_validate(model, X, params={name: budget}, scoring=loss, **options)
    assert states(budget) == ["fitted"] * 7
    assert {cost.epsilon for cost in budget.report().costs} == {0.2}
    by_person = PrivacyBudget(
        3.0, DELTA, max_contributions=1, path=tmp_path / "by person"
    )
    both = {"budget": by_person, "privacy_ids": ids}
    cross_validate(DPKMeans(2, epsilon=0.2), X, params=both, **options)
    assert states(by_person) == ["fitted"] * 2


def test_a_search_in_other_processes_needs_a_file():
    budget = PrivacyBudget(3.0, DELTA)
    search = GridSearchCV(DPKMeans(2), {"max_iter": [1]}, cv=2, n_jobs=2)
    with pytest.raises(Exception, match=r"give path=|serialize|pickle") as caught:
        search.fit(X, budget=budget)
    causes = [caught.value, caught.value.__cause__]
    assert any("give path=" in str(error) for error in causes)
    assert states(budget) == []


def test_a_search_that_overspends_does_not_get_through(tmp_path):
    budget = PrivacyBudget(0.5, DELTA, path=tmp_path / "budget")
    epsilon = budget.largest_epsilon(n_fits=3)
    search = GridSearchCV(
        DPKMeans(2, epsilon=epsilon), {"max_iter": [1, 2]}, cv=2, error_score="raise"
    )
    with pytest.raises(BudgetExceededError):
        search.fit(X, budget=budget)
    assert states(budget) == ["fitted"] * 3


# --------------------------------------------------------------------------
# A process that dies
# --------------------------------------------------------------------------

DYING = """
import os, signal, sys
import numpy as np
from skdpgmm import DPKMeans, PrivacyBudget

class Killing:
    def setup(self, estimator, context): pass
    def teardown(self, estimator, context): pass
    def on_fit_task_end(self, estimator, context): pass
    def on_fit_task_begin(self, estimator, context):
        # Debited, and before the first release.
        if context.task_name == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

budget = PrivacyBudget(1.5, 1e-5, path=sys.argv[1])
X = np.random.default_rng(0).standard_normal((200, 3))
DPKMeans(2).set_callbacks(Killing()).fit(X, budget=budget)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("task", ["norms", "radius"])
def test_a_process_that_dies_hands_nothing_back(tmp_path, task):
    path = str(tmp_path / "budget")
    process = subprocess.run(
        [sys.executable, "-c", DYING, path, task],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    budget = PrivacyBudget(1.5, DELTA, path=path)
    (cost,) = budget.report().costs
    assert (cost.state, cost.mu, cost.n_releases) == ("begun", MU, None)
    with pytest.raises(BudgetExceededError):
        DPKMeans(2, epsilon=1.4).fit(X, budget=budget)
    DPKMeans(2, epsilon=budget.remaining_epsilon).fit(X, budget=budget)
    assert states(budget) == ["begun", "fitted"]
