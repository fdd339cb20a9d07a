"""DPSyntheticClassifier: its classifier sees synthetic rows, and nothing else."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, make_blobs
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.tree import DecisionTreeClassifier

from skdpgmm import DPEmbeddingSynthesizer, DPSyntheticClassifier


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps the rows that it is given."""

    def fit(self, X, y):
        self.rows_, self.labels_ = X, y
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.fixture(scope="module")
def digits():
    return train_test_split(*load_digits(return_X_y=True), random_state=0)


def test_the_classifier_sees_synthetic_rows_only(digits):
    X, _, y, _ = digits
    synthesizer = DPEmbeddingSynthesizer(epsilon=8.0)
    model = DPSyntheticClassifier(synthesizer, Recorder(), n_samples=700)
    model.fit(X, y)
    rows, labels = model.classifier_.rows_, model.classifier_.labels_
    assert 700 <= len(rows) == len(labels) < 800
    distances = np.linalg.norm(rows[:, None] - X[None], axis=2)
    assert distances.min() > 1.0
    assert not hasattr(synthesizer, "privacy_")
    assert model.privacy_ is model.synthesizer_.privacy_
    assert model.privacy_.spent_epsilon <= 8.0


def test_network_by_default(digits):
    X, X_test, y, y_test = digits
    synthesizer = DPEmbeddingSynthesizer(epsilon=8.0)
    model = DPSyntheticClassifier(synthesizer, n_samples=10_000, random_state=0)
    model.fit(X, y)
    assert model.score(X_test, y_test) > 0.85
    assert model.predict_proba(X_test).shape == (len(X_test), 10)
    assert not hasattr(model, "decision_function")


def test_every_class_has_rows_however_rare():
    X, y = make_blobs([3000, 3000, 3], n_features=4, random_state=0)
    model = DPSyntheticClassifier(
        DPEmbeddingSynthesizer(random_state=0), Recorder(), n_samples=200
    ).fit(X, y)
    assert np.bincount(model.classifier_.labels_).min() >= 10
    network = DPSyntheticClassifier(random_state=0, n_samples=500).fit(X, y)
    assert network.predict_proba(X).shape == (6003, 3)


def test_a_seed_makes_all_parts_reproducible(digits):
    X, X_test, y, _ = digits

    def fitted(seed):
        tree = DecisionTreeClassifier(max_features=3)
        model = DPSyntheticClassifier(None, tree, n_samples=500, random_state=seed)
        return model.fit(X, y)

    first, again, other = fitted(0), fitted(0), fitted(None)
    assert_array_equal(first.predict(X_test), again.predict(X_test))
    assert np.any(first.predict(X_test) != other.predict(X_test))
    assert "seeded by random_state" in first.privacy_.noise
    assert "seeded by the operating system" in other.privacy_.noise


def test_grid_search_over_the_parts(digits):
    X, _, y, _ = digits
    model = DPSyntheticClassifier(
        DPEmbeddingSynthesizer(random_state=0),
        LogisticRegression(max_iter=2000),
        n_samples=500,
    )
    grid = {"synthesizer__epsilon": [0.01, 100.0], "classifier__C": [1.0]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(X, y)
    assert search.best_params_["synthesizer__epsilon"] == 100.0


def test_methods_are_those_of_the_classifier(digits):
    X, _, y, _ = digits
    model = DPSyntheticClassifier(None, RidgeClassifier(), n_samples=500)
    assert hasattr(model, "decision_function")
    assert not hasattr(model, "predict_proba")
    assert model.fit(X, y).decision_function(X[:3]).shape == (3, 10)


def test_privacy_ids_reach_the_synthesizer(digits):
    X, _, y, _ = digits
    model = DPSyntheticClassifier(None, Recorder(), n_samples=50)
    model.fit(X, y, privacy_ids=np.arange(len(X)) // 2)
    unit = "one person with at most 1 record, enforced by privacy_ids"
    assert model.privacy_.unit == unit


@pytest.mark.parametrize(
    "params, message",
    [
        ({"n_samples": 0}, "'n_samples' parameter"),
        ({"synthesizer": LogisticRegression()}, "'synthesizer' parameter"),
        ({"classifier": 3}, "'classifier' parameter"),
        ({"synthesizer": DPEmbeddingSynthesizer(epsilon=-1)}, "'epsilon' parameter"),
    ],
)
def test_bad_parameters(digits, params, message):
    X, _, y, _ = digits
    model = DPSyntheticClassifier(**params)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert vars(model) == before


def test_one_class_is_one_class():
    X, _ = make_blobs(100, n_features=3, random_state=0)
    classifier = DPSyntheticClassifier(n_samples=200).fit(X, np.full(100, "only"))
    assert classifier.predict(X).tolist() == ["only"] * 100
    np.testing.assert_array_equal(classifier.predict_proba(X), np.ones((100, 1)))
