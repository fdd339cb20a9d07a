"""Fits of candidates: shared releases, where ids go, and what failures keep."""

import numpy as np
import pytest
from private_fits import make_data
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdpgmm import DPEmbeddingSynthesizer, DPLogisticRegression, DPSyntheticClassifier
from skdpgmm._estimators.search_candidates import candidates_of
from skdpgmm._estimators.search_runs import fitted_beside, ready, run, tell_of_search
from skdpgmm._rows.persons import TakingPart

X, Y = make_data(300, 3)
SCORED = X[:50], Y[:50]


def part(n=300):
    return TakingPart(np.arange(300) < n, False)


def classifier(C=1.0, max_iter=50):
    synthesizer = DPEmbeddingSynthesizer(clip_norm=20.0)
    head = LogisticRegression(C=C, max_iter=max_iter)
    return DPSyntheticClassifier(synthesizer, head, n_samples=100, random_state=0)


@pytest.mark.parametrize("piped", [False, True])
def test_a_group_is_fitted_to_the_same_releases(piped):
    models = [classifier(1e-6), classifier(1.0)]
    if piped:
        models = [make_pipeline(FunctionTransformer(), one) for one in models]
    found = run(models, X, Y, part(), SCORED)
    assert found.error is None
    first, second = (one[-1] if piped else one for one in found.fitted)
    assert first.synthesizer_ is second.synthesizer_
    assert first.privacy_.ledger == found.ledger
    assert not np.allclose(first.classifier_.coef_, second.classifier_.coef_)
    assert [one.classifier.C for one in (first, second)] == [1e-6, 1.0]
    for model, right in zip(found.fitted, found.right, strict=True):
        np.testing.assert_array_equal(right, model.predict(X[:50]) == Y[:50])
    # As a fit of its own would be, of the same seed.
    alone = classifier(1.0).fit(X, Y, privacy_ids=part())
    np.testing.assert_array_equal(second.classifier_.coef_, alone.classifier_.coef_)


class LooksAround(ClassifierMixin, BaseEstimator):
    """Predict by how a row compares with those beside it."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] < X[:, 0].mean()).astype(int)]


@pytest.mark.parametrize("piped", [False, True])
def test_a_prediction_that_is_counted_knows_of_no_other_record(piped):
    model = DPSyntheticClassifier(DPEmbeddingSynthesizer(), LooksAround())
    model = make_pipeline(FunctionTransformer(), model) if piped else model
    found = run([model], X, Y, part(), SCORED)
    assert found.error is None
    np.testing.assert_array_equal(found.right[0], Y[:50] == 0)
    assert (found.fitted[0].predict(X[:50]) != 0).any()  # which would tell


def test_the_same_setting_twice_is_the_same_fit():
    model = DPLogisticRegression(random_state=0)
    found = run([clone(model), clone(model)], X, Y, part(), SCORED)
    first, second = found.fitted
    assert first is not second
    np.testing.assert_array_equal(first.coef_, second.coef_)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("piped", [False, True])
def test_only_those_take_part_that_should(routing, piped):
    model = DPLogisticRegression(random_state=0, clip_norm=20.0)
    model = make_pipeline(FunctionTransformer(), model) if piped else model
    with config_context(enable_metadata_routing=routing):
        found = run([model], X, Y, part(120), None)
    assert found.error is None and len(found.right[0]) == 0
    alone = DPLogisticRegression(random_state=0, clip_norm=20.0)
    alone.fit(X[:120], Y[:120])
    fitted = found.fitted[0][-1] if piped else found.fitted[0]
    np.testing.assert_array_equal(fitted.coef_, alone.coef_)


def test_a_part_without_records_is_fitted():
    """Whether it has any is private."""
    found = run([DPLogisticRegression()], X, Y, part(0), SCORED)
    assert found.error is None and found.ledger


class Failing(ClassifierMixin, BaseEstimator):
    """Fails once it is given rows."""

    def fit(self, X, y):
        raise KeyboardInterrupt

    def predict(self, X):
        raise AssertionError


@pytest.mark.parametrize("place", [0, 1])
def test_a_failure_keeps_what_was_spent(place):
    models = [classifier(), classifier()]
    models[place].set_params(classifier=Failing())
    found = run(models, X, Y, part(), SCORED)
    assert isinstance(found.error, KeyboardInterrupt)
    assert len(found.fitted) == place
    assert found.ledger


def test_warnings_are_kept_with_the_fit_that_warned():
    found = run([classifier(max_iter=1), classifier()], X, Y, part(), SCORED)
    kinds = [{kind for _, kind in warned} for warned in found.warned]
    assert ConvergenceWarning in kinds[0] - kinds[1]


def test_a_clone_is_ready_with_its_budget_and_its_seed():
    (candidate,) = candidates_of(classifier().set_params(random_state=None), [{}])
    seeds = np.random.RandomState(0)
    for seeded, kind in ((True, int), (False, np.random.RandomState)):
        model = ready(candidate, 0.25, 1e-7, seeds, seeded)
        assert model is not candidate.estimator
        assert model.synthesizer.epsilon == 0.25 and model.synthesizer.delta == 1e-7
        assert isinstance(model.random_state, kind)
    assert ready(candidate, 0.25, 1e-7, None, False).random_state is None


def test_beside_another_in_a_pipeline_its_steps_are_shared():
    first, second = (
        make_pipeline(FunctionTransformer(), one)
        for one in (classifier(), classifier(0.1))
    )
    first.fit(X, Y, dpsyntheticclassifier__privacy_ids=part())
    found = fitted_beside(second, first)
    assert found[0] is first[0] and found[-1] is second[-1]
    tell_of_search(found, "report")
    assert found[-1].privacy_ == found[-1].synthesizer_.privacy_ == "report"
