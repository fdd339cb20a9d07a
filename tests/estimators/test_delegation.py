"""Methods of a search are those of what it has found."""

import numpy as np
import pytest
from private_fits import make_data
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import balanced_accuracy_score

from skdpgmm import DPLogisticRegression, DPSyntheticClassifier, PrivateSearchCV

X, Y = make_data(200, 3)
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")
GRID = {"n_random_features": [0, 4]}


def test_answers_are_those_of_the_best_estimator():
    search = PrivateSearchCV(
        DPLogisticRegression(), GRID, scoring="balanced_accuracy", epsilon=50.0
    ).fit(X, Y)
    for name in METHODS:
        expected = getattr(search.best_estimator_, name)(X)
        np.testing.assert_array_equal(getattr(search, name)(X), expected)
    expected = balanced_accuracy_score(Y, search.predict(X))
    assert search.score(X, Y) == expected
    assert not hasattr(search, "sample")


def test_a_search_of_synthesizers_samples():
    model = DPSyntheticClassifier(None, LogisticRegression(), n_samples=50)
    search = PrivateSearchCV(model, {"classifier__C": [0.1, 1.0]}).fit(X, Y)
    rows, labels = search.sample(30, random_state=0)
    assert rows.shape == (30, 3) and labels.shape == (30,)


def test_it_has_what_its_estimator_has():
    model = DPSyntheticClassifier(None, RidgeClassifier())
    search = PrivateSearchCV(model, {"n_samples": [10, 20]})
    assert hasattr(search, "decision_function")
    assert not hasattr(search, "predict_proba")


@pytest.mark.parametrize("name", METHODS)
def test_before_a_fit_there_is_no_answer(name):
    with pytest.raises(NotFittedError):
        getattr(PrivateSearchCV(DPLogisticRegression(), GRID), name)(X)
