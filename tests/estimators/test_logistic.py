"""DPLogisticRegression: what a linear classifier owes its users."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_softmax, softmax
from sklearn.datasets import load_digits, make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdpgmm import DPLogisticRegression


@pytest.fixture(scope="module")
def digits():
    return train_test_split(*load_digits(return_X_y=True), random_state=0)


def test_without_noise_it_is_as_good_as_logistic_regression(digits):
    X, X_test, y, y_test = digits
    ours = DPLogisticRegression(epsilon=np.inf).fit(X, y)
    theirs = LogisticRegression(C=0.01, max_iter=1000).fit(X, y)
    assert ours.score(X_test, y_test) > theirs.score(X_test, y_test) - 0.02


def test_scores_are_linear_and_probabilities_their_softmax(digits):
    X, X_test, y, _ = digits
    classifier = DPLogisticRegression(epsilon=8.0, random_state=0).fit(X, y)
    assert classifier.coef_.shape == (10, 64)
    assert classifier.intercept_.shape == (10,)
    scores = classifier.decision_function(X_test)
    assert_allclose(scores, X_test @ classifier.coef_.T + classifier.intercept_)
    assert_allclose(classifier.predict_proba(X_test), softmax(scores, axis=1))
    assert_allclose(classifier.predict_log_proba(X_test), log_softmax(scores, axis=1))
    assert_array_equal(classifier.predict(X_test), scores.argmax(axis=1))


def test_two_classes_have_one_row_of_weights():
    X, y = make_blobs(500, centers=[[-2, 0], [2, 0]], random_state=0)
    labels = np.array(["no", "yes"])[y]
    classifier = DPLogisticRegression(random_state=0).fit(X, labels)
    assert classifier.coef_.shape == (1, 2)
    assert classifier.coef_[0, 0] > 0.0
    scores = classifier.decision_function(X)
    assert_allclose(classifier.predict_proba(X)[:, 1], expit(scores))
    assert_array_equal(classifier.predict(X), np.where(scores > 0.0, "yes", "no"))
    assert classifier.score(X, labels) > 0.9


def test_random_features_bend_the_boundary():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 2))
    y = (np.linalg.norm(X, axis=1) > 1.2).astype(int)
    linear = DPLogisticRegression(epsilon=4.0, random_state=0).fit(X, y)
    bent = DPLogisticRegression(epsilon=4.0, n_random_features=50, random_state=0)
    bent.fit(X, y)
    assert linear.score(X, y) < 0.7 < 0.9 < bent.score(X, y)
    assert linear.random_coef_ is None
    assert linear.random_features_ is None
    assert bent.coef_.shape == (1, 2)
    assert bent.random_coef_.shape == (1, 50)
    scores = X @ bent.coef_[0] + bent.intercept_
    scores += bent.random_features_(X) @ bent.random_coef_[0]
    assert_allclose(bent.decision_function(X), scores, atol=1e-9)


@pytest.mark.parametrize("epsilon, m", [(0.1, None), (100.0, 512)])
def test_random_features_where_they_are_worth_it(epsilon, m):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 8))
    y = (np.linalg.norm(X, axis=1) > 2.7).astype(int)
    classifier = DPLogisticRegression(
        epsilon=epsilon, n_random_features="auto", random_state=0
    ).fit(X, y)
    features = classifier.random_features_
    assert m == (None if features is None else len(features.phases))
    decided = {d.what: d.value for d in classifier.privacy_.decisions}
    assert decided["n_random_features"] == (m or 0)


@pytest.mark.parametrize("shift, scale", [(0.0, 1e-6), (30.0, 1.0), (-3.0, 1e6)])
def test_location_and_scale_do_not_matter(digits, shift, scale):
    X, X_test, y, y_test = digits
    plain = DPLogisticRegression(epsilon=8.0, random_state=0).fit(X, y)
    moved = DPLogisticRegression(epsilon=8.0, random_state=0)
    moved.fit(scale * X + shift, y)
    score = moved.score(scale * X_test + shift, y_test)
    assert abs(score - plain.score(X_test, y_test)) < 0.05


def test_a_declared_class_without_records_is_never_surer_than_the_others(digits):
    X, X_test, y, _ = digits
    classifier = DPLogisticRegression(epsilon=8.0, classes=range(11), random_state=0)
    probabilities = classifier.fit(X, y).predict_proba(X_test)
    assert probabilities.shape[1] == 11
    assert probabilities[:, 10].mean() < 0.05


@pytest.mark.parametrize("epsilon", [8.0, np.inf])
def test_a_rare_class_is_expected_as_often_as_it_occurs(epsilon):
    rng = np.random.default_rng(0)
    y = rng.choice(4, size=20_000, p=[0.33, 0.33, 0.32, 0.02])
    # The rare class lies within the first.
    centers = np.array([[3, 0], [-3, 0], [0, 3], [2, 0]])
    X = rng.standard_normal((20_000, 2)) + centers[y]
    classifier = DPLogisticRegression(epsilon=epsilon, random_state=0).fit(X, y)
    expected = classifier.predict_proba(X).mean(axis=0)
    assert_allclose(expected, np.bincount(y) / len(y), rtol=0.2)


def test_one_class_is_refused_unless_others_are_declared():
    X, _ = make_blobs(50, random_state=0)
    y = np.zeros(50, dtype=int)
    with pytest.raises(ValueError, match=r"at least two classes.*\[0\]"):
        DPLogisticRegression().fit(X, y)
    classifier = DPLogisticRegression(epsilon=100.0, classes=[0, 1], random_state=0)
    assert_array_equal(classifier.fit(X, y).predict(X), y)


def test_steps_follow_from_what_is_released(digits):
    X, _, y, _ = digits
    few = DPLogisticRegression(epsilon=0.01, random_state=0).fit(X, y)
    many = DPLogisticRegression(epsilon=100.0, random_state=0).fit(X, y)
    assert few.n_iter_ < many.n_iter_ <= 60
    for fitted in (few, many):
        names = [entry.name for entry in fitted.privacy_.ledger]
        steps = [name for name in names if name.startswith("head step")]
        assert len(steps) == 2 * fitted.n_iter_  # gradient and errors of each
        assert fitted.privacy_.spent_mu <= fitted.privacy_.mu
