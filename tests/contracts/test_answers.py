"""Whatever `fit` takes, every other public method takes too, with the same answers."""

from functools import partial

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from private_fits import make_data, release_cases
from row_kinds import memory_maps, parquet, stream, zarr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KernelDensity

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    metrics,
)

N, D = 120, 4
X, Y = make_data(N, D)
NAMES = [f"x{i}" for i in range(D)]


FRAME = pd.DataFrame(X, columns=NAMES)
# Each makes rows and labels, and says whether its answers are computed when asked for.
KINDS = {
    "array": (lambda folder: (X, Y), False),
    "list": (lambda folder: (X.tolist(), Y.tolist()), False),
    "memory map": (lambda folder: memory_maps(folder, X, Y), False),
    "zarr": (lambda folder: zarr_array(folder, X, Y), False),
    "pandas": (lambda folder: (FRAME, pd.Series(Y)), False),
    "polars": (lambda folder: (pl.from_pandas(FRAME), pl.Series(Y)), False),
    "blocks": (lambda folder: stream(folder, X, Y), True),
    "frames in blocks": (lambda folder: (Frames(), Y), True),
    "parquet": (lambda folder: parquet(folder, X, Y), True),
    "dask array": (
        lambda folder: (da.from_array(X, (50, D)), da.from_array(Y, 50)),
        True,
    ),
    "dask array and labels": (lambda folder: (da.from_array(X, (50, D)), Y), True),
    "dask frame": (
        lambda folder: (dd.from_pandas(FRAME, 3), dd.from_pandas(pd.Series(Y), 3)),
        True,
    ),
}


class Frames:
    def __iter__(self):
        return iter([FRAME[:40], FRAME[40:]])


CLASSIFIERS = ("logistic", "classifier", "classifier-network")
LABELLED = (*CLASSIFIERS, "synthesizer-1", "synthesizer-labels")
ESTIMATORS = {
    name: partial(release_cases(D)[name][0], random_state=0)
    for name in ("kmeans", "mixture-full", "mixture-diag", *LABELLED)
}
NAMED = ("pandas", "polars", "dask frame", "frames in blocks")
# Public methods that take rows and answer for each, or with one number.
ROWS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
)
NUMBERS = ("score", "bic", "aic")
FITS = ("fit_predict", "fit_transform")
OTHERS = {
    "plan",
    "fit",
    "get_params",
    "set_params",
    "get_metadata_routing",
    "get_feature_names_out",
    "set_output",
    "set_callbacks",
    "sample",
    "iter_samples",
    "save",
}


def in_memory(answer):
    if isinstance(answer, float):
        return answer
    if hasattr(answer, "__dask_graph__"):
        return answer.compute()
    if hasattr(answer, "shape"):
        return answer
    return np.concatenate(list(answer))


@pytest.fixture(scope="module")
def fitted():
    return {name: make().fit(X, Y) for name, make in ESTIMATORS.items()}


@pytest.fixture(scope="module")
def fitted_to_frames():
    return {name: make().fit(FRAME, Y) for name, make in ESTIMATORS.items()}


def test_no_public_method_is_left_out(fitted):
    for name, estimator in fitted.items():
        found = {
            method
            for method in dir(estimator)
            if not method.startswith("_")
            and not method.startswith("set_")
            and callable(getattr(estimator, method))
        }
        assert found - OTHERS <= {*ROWS, *NUMBERS, *FITS}, name


def same(found, expected, name):
    assert_allclose(in_memory(found), expected, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_answers_are_those_for_an_array(name, kind, fitted, fitted_to_frames, tmp_path):
    make, lazy = KINDS[kind]
    rows, labels = make(tmp_path)
    plain, named = fitted[name], kind in NAMED
    estimator = (fitted_to_frames if named else fitted)[name]
    for method in ROWS:
        if hasattr(estimator, method):
            answer = getattr(estimator, method)(rows)
            assert isinstance(answer, np.ndarray) is not lazy, method
            same(answer, getattr(plain, method)(X), method)
    for method in NUMBERS:
        if hasattr(estimator, method) and name not in CLASSIFIERS:
            found = getattr(estimator, method)(rows)
            assert isinstance(found, float)
            same(found, getattr(plain, method)(X), method)
    if name in LABELLED:
        found = estimator.score(rows, labels)
        assert isinstance(found, float)
        same(found, plain.score(X, Y), "score")
    if name in CLASSIFIERS:
        weights = np.arange(N)
        found = estimator.score(rows, labels, sample_weight=weights)
        same(found, plain.score(X, Y, sample_weight=weights), "score with weights")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_fit_and_answer_in_one_call(name, kind, tmp_path):
    rows, labels = KINDS[kind][0](tmp_path)
    for method in FITS:
        if hasattr(ESTIMATORS[name](), method):
            expected = getattr(ESTIMATORS[name](), method)(X, Y)
            same(getattr(ESTIMATORS[name](), method)(rows, labels), expected, method)


@pytest.mark.parametrize("kind", KINDS)
def test_fitted_to_any_kind(kind, fitted, tmp_path):
    """A wrapper hands all kinds of rows on; names are those of the columns."""
    rows, labels = KINDS[kind][0](tmp_path)
    for name in ("classifier", "kmeans"):
        estimator = ESTIMATORS[name]().fit(rows, labels)
        same(estimator.predict(rows), fitted[name].predict(X), name)
        assert hasattr(estimator, "feature_names_in_") is (kind in NAMED)
    drawn, _ = DPSyntheticResampler(n_samples=30, random_state=0).fit_resample(
        rows, labels
    )
    expected, _ = DPSyntheticResampler(n_samples=30, random_state=0).fit_resample(X, Y)
    assert_allclose(drawn, expected, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_private_accuracy_of_answers_in_kind(kind, fitted, fitted_to_frames, tmp_path):
    rows, labels = KINDS[kind][0](tmp_path)
    model = (fitted_to_frames if kind in NAMED else fitted)["logistic"]
    found = metrics.private_accuracy(labels, model.predict(rows), epsilon=np.inf)
    assert_allclose(found.accuracy, fitted["logistic"].score(X, Y), rtol=1e-9)


@pytest.mark.parametrize("change", [lambda f: f[NAMES[::-1]], lambda f: f.to_numpy()])
def test_columns_that_change_between_blocks_cost_nothing(change):
    class Changing:
        def __iter__(self):
            return iter([FRAME[:40], change(FRAME[40:])])

    with pytest.raises(ValueError, match="block that starts at row 40") as caught:
        DPKMeans(2).fit(Changing())
    assert not hasattr(caught.value, "privacy_")


@pytest.mark.parametrize("kind", ["array", "blocks", "dask array"])
@pytest.mark.parametrize("name", ["synthesizer-1", "logistic"])
def test_labels_that_are_too_few_or_too_many(name, kind, fitted, tmp_path):
    rows, _ = KINDS[kind][0](tmp_path)
    for labels in (Y[:-3], np.append(Y, Y[:3])):
        with pytest.raises(ValueError, match=r"labels, one a row|inconsistent numbers"):
            fitted[name].score(rows, labels)


# --------------------------------------------------------------------------
# Parts that do not do
# --------------------------------------------------------------------------


class NotCloned(ClassifierMixin):
    """Has no parameters that it could tell."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Changes(NotCloned, BaseEstimator):
    """Its constructor does more than it should."""

    def __init__(self, C=1.0):
        self.C = [C]


class Draws(BaseEstimator):
    """Draws rows and labels, but tells little of itself."""

    def __init__(self, told=("classes_", "n_features_in_")):
        self.told = told

    def fit(self, X, y):
        for name in self.told:
            setattr(self, name, np.unique(y))
        return self

    def sample(self, n_samples, y=None, **options):
        return np.zeros((n_samples, D)), np.zeros(n_samples)


CALLS = [
    lambda **parts: DPSyntheticClassifier(**parts).fit(X, Y),
    lambda **parts: DPSyntheticResampler(**parts).fit_resample(X, Y),
]


@pytest.mark.parametrize("classifier", [NotCloned(), Changes(), LogisticRegression])
def test_a_classifier_that_cannot_be_cloned_costs_nothing(classifier):
    message = "classifier must be an instance .* sklearn.base.clone"
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        CALLS[0](classifier=classifier)
    assert not hasattr(caught.value, "privacy_")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "synthesizer, message",
    [
        (KernelDensity(), "sample of KernelDensity does not take y"),
        (DPGaussianMixture(2), "sample of DPGaussianMixture does not take y"),
        (Draws(), "a fitted Draws has no privacy_"),
        (Draws(()), "has no classes_ and no privacy_ and no n_features_in_"),
    ],
)
def test_a_synthesizer_that_lacks_something_is_told_so(call, synthesizer, message):
    with pytest.raises(TypeError, match=message):
        call(synthesizer=synthesizer)


def test_a_synthesizer_that_cannot_weigh_classes():
    class Draws(DPEmbeddingSynthesizer):
        def sample(self, n_samples, y=None):
            return super().sample(n_samples, y)

    resampler = DPSyntheticResampler(Draws(), n_samples=50)
    assert len(resampler.fit_resample(X, Y)[0]) >= 50
    resampler.set_params(class_weight="balanced")
    with pytest.raises(TypeError, match="does not take class_weight") as caught:
        resampler.fit_resample(X, Y)
    assert not hasattr(caught.value, "privacy_")


def test_rows_that_cannot_be_drawn_tell_what_they_cost():
    resampler = DPSyntheticResampler(n_samples=2.5)
    with config_context(skip_parameter_validation=True):
        with pytest.raises(ValueError, match="n_samples must be") as caught:
            resampler.fit_resample(X, Y)
    assert caught.value.privacy_ is resampler.privacy_
    assert caught.value.synthesizer_ is resampler.synthesizer_


def test_a_synthesizer_without_classes_tells_what_it_spent():
    class Forgets(DPEmbeddingSynthesizer):
        def fit(self, X, y):
            super().fit(X, y)
            del self.classes_
            return self

    with pytest.raises(TypeError, match="fitted Forgets has no classes_") as caught:
        DPSyntheticClassifier(Forgets()).fit(X, Y)
    assert caught.value.privacy_.spent_mu > 0.0
