"""A private pipeline costs its budget once, and its steps tell what they have cost."""

import pytest
from digit_pipelines import Failing, Recorder, X, Y, pipeline_of
from numpy.testing import assert_array_equal

from skdpgmm import (
    DPPCA,
    DPKMeans,
    DPSyntheticClassifier,
    PrivacyBudget,
    PrivatePipeline,
    load,
    verify,
)
from skdpgmm.privacy import BudgetExceededError


class FailingBehind(Recorder):
    """Fails when a step is fitted."""

    def on_fit_task_end(self, estimator, context, *, X, y):
        if context.task_name == "pca":
            raise RuntimeError("enough")


@pytest.fixture(scope="module")
def fitted():
    return pipeline_of().fit(X, Y)


# --------------------------------------------------------------------------
# The budget of a project
# --------------------------------------------------------------------------


def test_it_is_charged_once_for_all_steps():
    budget = PrivacyBudget(9.0, 1e-5)
    fitted = pipeline_of().fit(X, Y, budget=budget)
    (cost,) = budget.report().costs
    assert (cost.name, cost.mu) == ("PrivatePipeline", fitted.privacy_.mu)
    assert cost.n_releases == len(fitted.privacy_.ledger)
    with pytest.raises(BudgetExceededError, match="PrivatePipeline asks for epsilon=8"):
        pipeline_of().fit(X, Y, budget=budget)


def test_a_step_that_fails_is_charged_with_those_before_it():
    budget = PrivacyBudget(9.0, 1e-5)
    steps = [("pca", DPPCA(8)), ("fails", Failing()), ("last", DPKMeans(2))]
    with pytest.raises(RuntimeError, match="enough") as caught:
        PrivatePipeline(steps).fit(X, budget=budget)
    (cost,) = budget.report().costs
    assert (cost.state, cost.mu) == ("failed", caught.value.privacy_.spent_mu)


def test_a_callback_that_fails_behind_a_step_gives_nothing_back():
    budget = PrivacyBudget(9.0, 1e-5)
    with pytest.raises(RuntimeError, match="enough") as caught:
        pipeline_of().set_callbacks(FailingBehind()).fit(X, Y, budget=budget)
    (cost,) = budget.report().costs
    assert cost.mu == caught.value.privacy_.spent_mu > 0.0


@pytest.mark.parametrize(
    "last", [DPKMeans(2, random_state=0), DPSyntheticClassifier(random_state=0)]
)
def test_a_seed_of_any_step_is_refused(last):
    budget = PrivacyBudget(9.0, 1e-5)
    with pytest.raises(ValueError, match="is an int, so that the fit would not be"):
        pipeline_of(last).fit(X, Y, budget=budget)
    assert budget.report().costs == ()


@pytest.mark.parametrize("method", ["fit_transform", "fit_predict"])
def test_methods_that_fit_take_it(method):
    budget = PrivacyBudget(9.0, 1e-5)
    getattr(pipeline_of(DPKMeans(2)), method)(X, budget=budget)
    assert [cost.name for cost in budget.report().costs] == ["PrivatePipeline"]


# --------------------------------------------------------------------------
# What is made by more than its own releases
# --------------------------------------------------------------------------


def test_a_step_behind_a_private_one_tells_of_all(fitted):
    assert fitted["last"].privacy_ is fitted.privacy_
    wrapped = pipeline_of(DPSyntheticClassifier(n_samples=300)).fit(X, Y)
    for one in (wrapped["last"], wrapped["last"].synthesizer_):
        assert one.privacy_ is wrapped.privacy_


def test_the_first_private_step_is_the_one_that_can_be_saved_alone(fitted, tmp_path):
    path = tmp_path / "pca"
    fitted["pca"].save(path)
    loaded = load(path)
    assert_array_equal(loaded.components_, fitted["pca"].components_)
    assert loaded.privacy_.epsilon == fitted["pca"].epsilon < fitted.epsilon
    assert verify(path).passed
    with pytest.raises(ValueError, match="a private step of a pipeline"):
        fitted["last"].save(tmp_path / "last")
