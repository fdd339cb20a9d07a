"""PrivatePipeline: one budget, one report, and what a Pipeline can do."""

import math
import pickle

import numpy as np
import pytest
from digit_pipelines import Failing, Recorder, X, Y, pipeline_of
from numpy.testing import assert_allclose, assert_array_equal
from row_kinds import Pieces
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import estimator_html_repr

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    PrivacyBudget,
    PrivatePipeline,
)
from skdpgmm.privacy import compose_mu, mu_from_epsilon


@pytest.fixture(scope="module")
def fitted():
    return pipeline_of().fit(X, Y)


# --------------------------------------------------------------------------
# The budget
# --------------------------------------------------------------------------


def test_one_report_of_all_steps(fitted):
    report = fitted.privacy_
    assert (report.epsilon, report.delta) == (8.0, 1e-5)
    assert report.mu == mu_from_epsilon(8.0, 1e-5)
    assert report.spent_mu <= report.mu
    assert report.spent_mu == pytest.approx(report.mu, rel=1e-6)
    first = fitted["pca"].privacy_
    own = report.ledger[: len(first.ledger)]
    assert [e.mu for e in own] == [e.mu for e in first.ledger]
    assert first.mu < report.mu
    names = [entry.name for entry in report.ledger]
    assert {name.split(", ")[0] for name in names} == {"pca", "last"}
    assert "last, n_features" in dict(report.declared_public)
    assert any(one.what == "last, clip_norm" for one in report.decisions)


def test_shares_decide():
    shares = {"pca": 0.3, "last": 0.2}
    fitted = pipeline_of(shares=shares).fit(X, Y)
    whole = mu_from_epsilon(8.0, 1e-5)
    for name, share in shares.items():
        mus = [e.mu for e in fitted.privacy_.ledger if e.name.startswith(f"{name}, ")]
        assert compose_mu(mus) == pytest.approx(math.sqrt(share) * whole)
    assert fitted.privacy_.spent_mu == pytest.approx(math.sqrt(0.5) * whole)


def test_the_plan_is_what_the_fit_releases():
    pipeline = pipeline_of(DPKMeans(3))
    plan, report = pipeline.plan(len(X), 64), pipeline.fit(X).privacy_
    assert plan.mu == report.mu and plan.epsilon == report.epsilon
    assert plan.spent_mu == pytest.approx(report.spent_mu)
    # Noise may have put the mean of the PCA so far away that it looks again.
    names = [entry.name for entry in report.ledger if " again " not in entry.name]
    assert [entry.name for entry in plan.ledger] == names
    assert len(plan.noise_sd) == len(names)
    shapes = {entry.name: entry.shape for entry in plan.ledger}
    # As wide as what comes out of the step before.
    assert shapes["last, lloyd pass 0: sums"] == (3, 8)
    assert "pca, n_components" not in {one.what for one in plan.decisions}


def test_a_plan_of_labelled_steps_and_wrappers():
    assert pipeline_of().plan(1000, 64, 10).ledger
    assert pipeline_of(DPSyntheticClassifier()).plan(1000, 64, 10).ledger
    with pytest.raises(ValueError, match="n_classes must be given"):
        pipeline_of().plan(1000, 64)
    with pytest.raises(ValueError, match="n_samples must be an integer"):
        pipeline_of().plan(0, 64, 10)


def test_ids_reach_all_private_steps():
    ids = np.arange(len(X)) // 2
    same = {"max_contributions": 2}
    steps = [("pca", DPPCA(8, **same)), ("last", DPKMeans(2, **same))]
    fitted = PrivatePipeline(steps, epsilon=8.0).fit(X, privacy_ids=ids)
    for one in (fitted, fitted["pca"], fitted["last"]):
        assert "enforced by privacy_ids" in one.privacy_.unit
    with pytest.warns(FutureWarning, match="groups is deprecated"):
        PrivatePipeline(steps, epsilon=8.0).fit(X, groups=ids)


# --------------------------------------------------------------------------
# What goes wrong
# --------------------------------------------------------------------------


def test_a_step_that_leaks_is_refused_and_nothing_is_spent():
    pipeline = pipeline_of(None, ("scale", StandardScaler()))
    with pytest.raises(ValueError, match=r"'scale' .StandardScaler. learns") as caught:
        pipeline.fit(X, Y)
    assert not hasattr(caught.value, "privacy_")
    assert not hasattr(pipeline, "privacy_")
    with pytest.raises(ValueError, match="'scale'"):
        pipeline.plan(100, 64, 10)


@pytest.mark.parametrize(
    "y, message",
    [(None, "requires y"), (Y[:5], "y must have"), (Y + 0.5, "Unknown label type")],
)
def test_labels_are_looked_at_before_anything_is_spent(y, message):
    with pytest.raises(ValueError, match=message) as caught:
        pipeline_of().fit(X, y)
    assert not hasattr(caught.value, "privacy_")


def test_a_step_that_fails_tells_what_was_spent_before_it():
    steps = [("pca", DPPCA(8)), ("fails", Failing()), ("last", DPKMeans(2))]
    pipeline = PrivatePipeline(steps)
    before = dict(vars(pipeline))
    with pytest.raises(RuntimeError, match="enough") as caught:
        pipeline.fit(X)
    assert vars(pipeline) == before
    report = caught.value.privacy_
    assert {e.name.split(", ")[0] for e in report.ledger} == {"pca"}
    assert 0.0 < report.spent_mu < report.mu == mu_from_epsilon(1.0, 1e-5)
    assert any(str(report) in note for note in caught.value.__notes__)


def test_a_private_step_that_fails_tells_of_itself_too():
    # Trained on synthetic rows, when the budget is spent.
    last = DPSyntheticClassifier(
        classifier=LogisticRegression(class_weight={"no such class": 2.0}),
        n_samples=200,
    )
    with pytest.raises(ValueError, match="class_weight") as caught:
        pipeline_of(last).fit(X, Y)
    report = caught.value.privacy_
    assert {e.name.split(", ")[0] for e in report.ledger} == {"pca", "last"}
    assert report.spent_mu == pytest.approx(report.mu)


def test_a_function_of_all_rows_is_refused():
    centred = FunctionTransformer(lambda X: X - X.mean(axis=0))
    with pytest.raises(ValueError, match="must treat each row by itself") as caught:
        pipeline_of(None, ("centred", centred)).fit(X, Y)
    assert not hasattr(caught.value, "privacy_")


# --------------------------------------------------------------------------
# What a Pipeline can do
# --------------------------------------------------------------------------


def test_answers_are_those_of_the_steps(fitted):
    Z = fitted["pca"].transform(X)
    last = fitted["last"]
    assert_array_equal(fitted.predict(X), last.predict(Z))
    assert_array_equal(fitted.predict_proba(X), last.predict_proba(Z))
    assert fitted.score(X, Y) == last.score(Z, Y) > 0.6
    assert_array_equal(fitted[:-1].transform(X), Z)
    assert type(fitted[:-1]) is Pipeline
    assert fitted.named_steps["pca"] is fitted[0] is fitted["pca"]
    assert fitted.n_features_in_ == 64 and len(fitted) == 2
    assert_array_equal(fitted.classes_, np.arange(10))
    assert "DPPCA" in estimator_html_repr(fitted)
    assert not hasattr(fitted, "sample") and not hasattr(fitted, "transform")


def test_clones_pickles_and_parameters(fitted):
    fresh = clone(fitted)
    assert not hasattr(fresh, "privacy_") and not hasattr(fresh[0], "components_")
    assert fresh.set_params(pca__n_components=4, epsilon=50.0)[0].n_components == 4
    fresh.fit(X, Y)
    assert fresh[0].n_components_ == 4 and fresh.privacy_.epsilon == 50.0
    # Another fit has the budget of the pipeline, not what the last one gave to steps.
    assert fresh.fit(X, Y).privacy_.mu == mu_from_epsilon(50.0, 1e-5)
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.predict(X), fitted.predict(X))


def test_steps_of_the_caller_are_not_fitted():
    pca = DPPCA(8)
    pipeline = PrivatePipeline([("pca", pca)], epsilon=8.0).fit(X)
    assert not hasattr(pca, "components_") and pca.epsilon == 1.0
    assert pipeline.transform(X).shape == (len(X), 8)
    assert list(pipeline.get_feature_names_out()) == [f"dppca{i}" for i in range(8)]


def test_fit_transform_and_fit_predict_have_one_budget():
    pipeline = PrivatePipeline([("pca", DPPCA(3))], epsilon=2.0)
    Z = pipeline.fit_transform(X)
    assert_array_equal(Z, pipeline.transform(X))
    assert pipeline.privacy_.spent_mu <= mu_from_epsilon(2.0, 1e-5)
    both = pipeline_of(DPKMeans(2), epsilon=2.0)
    labels = both.fit_predict(X)
    assert_array_equal(labels, both.predict(X))
    assert both.privacy_.spent_mu <= mu_from_epsilon(2.0, 1e-5)


def test_harmless_steps_of_all_kinds():
    public = StandardScaler().fit(np.random.default_rng(0).normal(5, 6, (99, 64)))
    steps = [
        ("nothing", "passthrough"),
        ("frozen", FrozenEstimator(public)),
        ("norm", Normalizer()),
    ]
    fitted = pipeline_of(None, *steps).fit(X, Y)
    assert fitted.score(X, Y) > 0.5
    assert fitted[1].estimator is public


def test_rows_in_blocks(fitted):
    blocks = pipeline_of().fit(Pieces(X, 900), Y)
    Z = blocks.predict(Pieces(X, 1000))
    assert np.concatenate(list(Z)).shape == Y.shape
    assert blocks.privacy_.mu == fitted.privacy_.mu


@pytest.mark.parametrize("routing", [False, True])
def test_a_search_hands_ids_and_a_budget_on(routing):
    budget = PrivacyBudget(50.0, 1e-5, max_contributions=1)
    same = {"max_contributions": 1}
    steps = [("pca", DPPCA(4, **same)), ("last", DPLogisticRegression(**same))]
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            PrivatePipeline(steps), {"epsilon": [4.0]}, cv=2, error_score="raise"
        ).fit(X, Y, privacy_ids=np.arange(len(X)), budget=budget)
    assert [cost.name for cost in budget.report().costs] == ["PrivatePipeline"] * 3
    unit = search.best_estimator_.privacy_.unit
    assert "enforced by privacy_ids" in unit


def test_parameters_of_one_step():
    steps = [("pca", DPPCA(4)), ("last", DPKMeans(2))]
    ids = np.arange(len(X))
    own = {"privacy_ids": ids, "budget": PrivacyBudget(9.0, 1e-5)}
    for name, value in own.items():
        with pytest.raises(ValueError, match=f"{name} must be given to the fit") as e:
            PrivatePipeline(steps).fit(X, **{f"pca__{name}": value})
        assert not hasattr(e.value, "privacy_")
    assert own["budget"].report().costs == ()


# --------------------------------------------------------------------------
# Synthetic rows
# --------------------------------------------------------------------------


def test_samples_are_in_the_columns_of_the_records():
    scaled = ("scale", FunctionTransformer(lambda X: X / 16.0, lambda X: X * 16.0))
    fitted = pipeline_of(DPEmbeddingSynthesizer(), scaled, epsilon=50.0).fit(X, Y)
    rows, labels = fitted.sample(500, random_state=0)
    assert rows.shape == (500, 64) and set(labels) <= set(range(10))
    inner, _ = fitted[-1].sample(500, random_state=0)
    assert_allclose(rows, 16.0 * fitted["pca"].inverse_transform(inner))
    assert_allclose(rows.mean(axis=0), X.mean(axis=0), atol=1.5)
    only_threes, _ = fitted.sample(3, y=3)
    assert only_threes.shape == (3, 64)


def test_a_step_without_a_way_back_says_so():
    norm = ("norm", Normalizer())
    fitted = pipeline_of(DPEmbeddingSynthesizer(), norm, epsilon=50.0).fit(X, Y)
    with pytest.raises(ValueError, match=r"through step 'norm' .Normalizer."):
        fitted.sample(3)


@pytest.mark.parametrize("cls", [DPSyntheticClassifier, DPSyntheticResampler])
def test_a_wrapper_at_the_end(cls):
    fitted = pipeline_of(cls(n_samples=300)).fit(X, Y)
    assert fitted.privacy_.spent_mu == pytest.approx(fitted.privacy_.mu)
    assert fitted["last"].synthesizer_.n_features_in_ == 8


# --------------------------------------------------------------------------
# Callbacks
# --------------------------------------------------------------------------


def test_callbacks_see_steps_and_no_record():
    recorder = Recorder()
    pipeline_of().set_callbacks(recorder).fit(X, Y)
    assert {"pca", "last"} <= set(recorder.tasks)
    assert all(given is None for given in recorder.given)


@pytest.mark.parametrize("verbose", [False, True])
def test_times_of_steps_are_printed_if_that_is_asked_for(verbose, capsys):
    steps = [("pca", DPPCA(2)), ("last", DPKMeans(2))]
    rows = np.random.default_rng(0).standard_normal((200, 3))
    PrivatePipeline(steps, epsilon=50.0, verbose=verbose).fit(rows)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == (2 if verbose else 0)
    assert all(line.startswith("[PrivatePipeline]") for line in printed)
