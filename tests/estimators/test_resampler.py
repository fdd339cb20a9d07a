"""DPSyntheticResampler: synthetic rows in the place of the records, in a pipeline."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer

from skdpgmm import DPEmbeddingSynthesizer, DPSyntheticResampler
from skdpgmm._estimators.training_rows import draw_training_rows

X, Y = make_blobs([1500, 300], n_features=6, random_state=0)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted to."""

    def fit(self, X, y):
        self.X_, self.y_, self.classes_ = X, y, np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_a_pipeline_trains_on_synthetic_rows_only():
    pipeline = pytest.importorskip("imblearn.pipeline")
    model = pipeline.Pipeline(
        [
            ("embed", FunctionTransformer()),
            ("resample", DPSyntheticResampler(n_samples=400)),
            ("classify", Recorder()),
        ]
    ).fit(X, Y)
    rows = model["classify"].X_
    assert rows.shape == (400, 6)
    assert not np.isin(rows, X).any()
    assert model.predict(X).shape == (1800,)


def test_grid_search_over_epsilon_in_a_pipeline():
    pipeline = pytest.importorskip("imblearn.pipeline")
    resampler = DPSyntheticResampler(
        DPEmbeddingSynthesizer(), n_samples=1000, random_state=0
    )
    model = pipeline.make_pipeline(resampler, LogisticRegression())
    grid = {"dpsyntheticresampler__synthesizer__epsilon": [0.5, 4.0]}
    search = GridSearchCV(model, grid, cv=3).fit(X, Y)
    assert search.cv_results_["mean_test_score"].min() > 0.9
    spent = search.best_estimator_[0].privacy_.epsilon
    assert spent == next(iter(search.best_params_.values()))


def test_class_weight_and_seed():
    options = {"n_samples": 2000, "class_weight": "balanced", "random_state": 3}
    rows, labels = DPSyntheticResampler(**options).fit_resample(X, Y)
    assert abs(np.mean(labels == 0) - 0.5) < 0.05
    again, _ = DPSyntheticResampler(**options).fit_resample(X, Y)
    assert_array_equal(rows, again)


@pytest.mark.parametrize(
    "n_samples, least, most", [(5, 2, 7), (1, 1, 2), (1000, 10, 1010)]
)
def test_every_class_has_rows(n_samples, least, most):
    few = np.concatenate([np.zeros(1799, dtype=int), [1]])
    resampler = DPSyntheticResampler(n_samples=n_samples, random_state=0)
    _, labels = resampler.fit_resample(X, few)
    assert np.bincount(labels, minlength=2).min() >= least
    assert n_samples <= len(labels) <= most


class OfOneClass:
    """A synthesizer that draws the first of its many classes unless asked."""

    classes_ = np.arange(20_000)

    def sample(self, n_samples, y=None):
        labels = np.zeros(n_samples, dtype=int) if y is None else y
        return np.zeros((n_samples, 1)), labels


@pytest.mark.parametrize(
    "n_samples, n_rows",
    [(60_000, 60_000 + 19_999 * 3), (7, 7 + 19_999), (300_000, 300_000 + 19_999 * 10)],
)
def test_of_many_classes_no_more_rows_than_an_equal_share(n_samples, n_rows):
    rows, labels = draw_training_rows(OfOneClass(), n_samples)
    assert len(rows) == len(labels) == n_rows
    assert len(np.unique(labels)) == 20_000


@pytest.mark.parametrize(
    "params", [{"n_samples": 0}, {"class_weight": "even"}, {"synthesizer": 3}]
)
def test_bad_parameters_leave_it_unfitted(params):
    resampler = DPSyntheticResampler(**params)
    with pytest.raises(ValueError, match=next(iter(params))):
        resampler.fit_resample(X, Y)
    assert not hasattr(resampler, "privacy_")


def test_it_needs_labels():
    with pytest.raises(ValueError, match="requires y"):
        DPSyntheticResampler().fit_resample(X, None)
