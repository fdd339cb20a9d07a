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


def test_every_class_has_rows():
    few = np.concatenate([np.zeros(1799, dtype=int), [1]])
    _, labels = DPSyntheticResampler(n_samples=5, random_state=0).fit_resample(X, few)
    assert np.bincount(labels, minlength=2).min() >= 10


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
