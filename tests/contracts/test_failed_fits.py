"""A fit that fails leaves no trace, and says what it spent, whatever made it fail."""

import copy
import pickle
import threading
import warnings

import numpy as np
import pytest
from private_fits import (
    IN_THE_MIDDLE,
    PLAIN_CASES,
    RELEASED,
    fit_cases,
    fitted_state,
    make_data,
)
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tapes import stand_before_releases

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPSyntheticClassifier,
    DPSyntheticResampler,
)

X, Y = make_data(300, 3)


class Quiet:
    """A callback that does nothing."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass


def failing(error):
    """What `error`, raised by a fit, says of what was spent."""
    report = getattr(error, "privacy_", None)
    assert report is not None and report.ledger
    assert 0.0 < report.spent_mu <= report.mu
    assert any(str(report) in note for note in error.__notes__)
    return report


# --------------------------------------------------------------------------
# In the middle of a fit
# --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, SystemExit])
@pytest.mark.parametrize("name", PLAIN_CASES)
def test_any_exception_between_two_releases(name, kind, monkeypatch):
    calls = []

    def make_release(original, ledger, unit):
        def release(*args):
            calls.append(args)
            if len(calls) == 2:  # of a scaler there may be no third
                raise kind
            return original(*args)

        return release

    stand_before_releases(monkeypatch, make_release)
    estimator = fit_cases(3)[name][0]()
    with pytest.raises(kind) as caught:
        estimator.fit(X, Y)
    assert len(failing(caught.value).ledger) >= 1
    assert fitted_state(estimator) == {}


@pytest.mark.parametrize("event", ["setup", "on_fit_task_begin", "on_fit_task_end"])
@pytest.mark.parametrize("name", PLAIN_CASES)
def test_a_hook_that_raises(name, event):
    class Failing(Quiet):
        pass

    def fail(self, estimator, context):
        if event == "setup" or context.task_name == IN_THE_MIDDLE[name]:
            raise RuntimeError("enough")

    setattr(Failing, event, fail)
    estimator = fit_cases(3)[name][0]().set_callbacks(Failing())
    before = dict(vars(estimator))
    with pytest.raises(RuntimeError, match="enough") as caught:
        estimator.fit(X, Y)
    assert vars(estimator) == before
    if event == "setup":
        assert not hasattr(caught.value, "privacy_")
    else:
        failing(caught.value)


@pytest.mark.parametrize("n_callbacks", [1, 2])
@pytest.mark.parametrize("name", PLAIN_CASES)
def test_a_teardown_that_raises(name, n_callbacks):
    class Failing(Quiet):
        def teardown(self, estimator, context):
            raise RuntimeError("enough")

    callbacks = [Failing() for _ in range(n_callbacks)]
    estimator = fit_cases(3)[name][0]().set_callbacks(*callbacks)
    before = dict(vars(estimator))
    with pytest.raises((RuntimeError, ExceptionGroup)) as caught:
        estimator.fit(X, Y)
    assert vars(estimator) == before
    report = failing(caught.value)
    assert report.spent_mu == pytest.approx(report.mu)


def test_a_warning_that_is_an_error_comes_when_all_is_fitted():
    """What was paid for is not thrown away for a warning."""
    mixture = DPGaussianMixture(2, epsilon=np.inf, max_iter=1, tol=0.0, n_init=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning) as caught:
            mixture.fit(X)
    assert caught.value.privacy_ is mixture.privacy_
    assert not mixture.converged_


def test_a_fit_that_fails_before_a_release_says_nothing_of_an_earlier_one():
    kmeans = DPKMeans(2).fit(X)
    report = kmeans.privacy_
    with pytest.raises(ValueError) as caught:
        kmeans.fit(np.full_like(X, np.nan))
    assert not hasattr(caught.value, "privacy_")
    assert kmeans.privacy_ is report


# --------------------------------------------------------------------------
# Classifiers of synthetic rows
# --------------------------------------------------------------------------


class Refusing(ClassifierMixin, BaseEstimator):
    """Fails for a reason that nobody knows before its fit."""

    def fit(self, X, y):
        raise RuntimeError("labels must be 0, 1, 2")

    def predict(self, X):
        raise AssertionError


def test_a_classifier_that_fails_tells_what_its_rows_cost_and_keeps_them():
    synthesizer = DPEmbeddingSynthesizer(epsilon=2.0)
    model = DPSyntheticClassifier(synthesizer, Refusing(), n_samples=50)
    with pytest.raises(RuntimeError, match="labels must be") as caught:
        model.fit(X, Y.astype(str))
    assert failing(caught.value).epsilon == 2.0
    assert fitted_state(model) == {}
    # The rows are paid for: another classifier can have them.
    rows, labels = caught.value.synthesizer_.sample(60)
    assert rows.shape == (60, 3) and set(labels) <= {"0", "1", "2"}


@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(C=-1.0),
        make_pipeline(StandardScaler(), LogisticRegression(C=-1.0)),
    ],
    ids=["plain", "pipeline"],
)
def test_a_classifier_with_illegal_parameters_is_refused_before(classifier):
    model = DPSyntheticClassifier(None, classifier, n_samples=50)
    with pytest.raises(ValueError, match="'C' parameter") as caught:
        model.fit(X, Y)
    assert not hasattr(caught.value, "privacy_")
    assert fitted_state(model) == {}


@pytest.mark.parametrize("cls", [DPSyntheticClassifier, DPSyntheticResampler])
def test_a_failed_refit_of_a_wrapper_leaves_the_first_fit(cls):
    class Failing(Quiet):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "synthesizer":
                raise RuntimeError("enough")

    more = {"classifier": LogisticRegression()} if cls is DPSyntheticClassifier else {}
    model = cls(n_samples=60, **more).fit(X, Y)
    before = dict(vars(model))
    model.set_callbacks(Failing())
    with pytest.raises(RuntimeError, match="enough") as caught:
        model.fit(X, Y)
    failing(caught.value)
    model.set_callbacks()
    assert vars(model) == before


# --------------------------------------------------------------------------
# Several threads
# --------------------------------------------------------------------------


def in_threads(function, n_threads):
    """Run a function of its number in threads; return what it returned or raised."""
    found = [None] * n_threads

    def run(i):
        try:
            found[i] = function(i)
        except BaseException as error:
            found[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("name", PLAIN_CASES)
def test_two_fits_of_one_object_at_once(name):
    """Both end; the attributes are all those of one of them."""
    estimator = fit_cases(3)[name][0](n_jobs=1)
    barrier = threading.Barrier(2, timeout=60)

    class Meeting(Quiet):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name == IN_THE_MIDDLE[name]:
                barrier.wait()

    estimator.set_callbacks(Meeting())
    found = in_threads(lambda i: estimator.fit(X + 100.0 * i, Y), 2)
    assert found == [estimator, estimator]
    report = estimator.privacy_
    assert report.spent_mu == pytest.approx(report.mu)
    assert not vars(estimator).keys() & {"_ledger", "_callback_fit_ctx", "_warnings"}


@pytest.mark.parametrize("name", PLAIN_CASES)
def test_the_one_of_two_fits_that_fails_tells_its_own_ledger(name):
    estimator = fit_cases(3)[name][0](n_jobs=1)
    barrier = threading.Barrier(2, timeout=60)

    class Meeting(Quiet):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == IN_THE_MIDDLE[name]:
                if barrier.wait() == 0:
                    raise RuntimeError("enough")
                barrier.wait()

    estimator.set_callbacks(Meeting())

    def fit(i):
        try:
            return estimator.fit(X, Y)
        except RuntimeError:
            barrier.wait()
            raise

    found = in_threads(fit, 2)
    (error,) = (one for one in found if one is not estimator)
    names = [entry.name.split(":")[0] for entry in failing(error).ledger]
    assert names[-1] == IN_THE_MIDDLE[name]
    report = estimator.privacy_
    assert report.spent_mu == pytest.approx(report.mu)


@pytest.mark.parametrize("name", PLAIN_CASES)
def test_copies_made_during_a_fit_are_those_of_before(name):
    """An estimator does not change until its fit is over."""
    attribute = RELEASED[fit_cases(3)[name][0]().__class__]
    seen = []

    class Copying(Quiet):
        def on_fit_task_end(self, _, context):
            seen.append(pickle.loads(pickle.dumps(estimator.set_callbacks())))
            seen.append(copy.deepcopy(estimator))
            clone(estimator)

    estimator = fit_cases(3)[name][0]().fit(X, Y)
    before = getattr(estimator, attribute).copy()
    estimator.set_callbacks(Copying())
    estimator.fit(2.0 * X, Y)
    assert len(seen) > 4
    for one in seen[:-2]:
        np.testing.assert_array_equal(getattr(one, attribute), before)
    assert not np.array_equal(getattr(estimator, attribute), before)


# --------------------------------------------------------------------------
# What is known before
# --------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{"max_contributions": 10**5}, {"epsilon": 1e-4}])
@pytest.mark.parametrize("name", PLAIN_CASES)
def test_much_noise_is_no_reason_to_fail(name, params):
    """In the middle of a fit, when a part of the budget is spent."""
    params = {"max_contributions": 1000, **params}
    estimator = fit_cases(3)[name][0](**params)
    ids = np.arange(len(X)) // 2
    report = estimator.fit(X, Y, privacy_ids=ids).privacy_
    assert report.spent_mu == pytest.approx(report.mu)
