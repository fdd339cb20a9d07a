"""What synthetic rows are good for: accuracies, and the private one."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score
from sklearn.naive_bayes import GaussianNB

from skdpgmm import metrics
from skdpgmm.privacy import epsilon_from_mu

rng = np.random.default_rng(0)
REAL = rng.standard_normal((400, 6)) * np.geomspace(3.0, 0.3, 6)
OTHER = rng.standard_normal((300, 6)) + 0.5


def test_accuracy_and_recall_of_a_classifier_trained_on_synthetic_rows():
    X, y = np.concatenate([REAL, OTHER + 2.0]), np.repeat(["a", "b"], [400, 300])
    classifier = GaussianNB()
    args = classifier, X[::2], y[::2], X[1::2], y[1::2]
    found = GaussianNB().fit(X[::2], y[::2]).predict(X[1::2])
    accuracy = metrics.train_on_synthetic_accuracy(*args)
    assert accuracy == accuracy_score(y[1::2], found)
    recalls = metrics.train_on_synthetic_accuracy(*args, per_class=True)
    assert list(recalls) == ["a", "b"]
    assert_allclose(np.dot(list(recalls.values()), [200, 150]) / 350, accuracy)
    assert not hasattr(classifier, "classes_")


@pytest.mark.parametrize(
    "adjacency, factor", [("add-remove", 1), ("replace-one", math.sqrt(2.0))]
)
@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.filterwarnings("ignore::skdpgmm.exceptions.UnenforcedContributionsWarning")
def test_private_accuracy_spends_what_it_says(adjacency, factor, m):
    y = np.arange(1000) % 2
    score = metrics.private_accuracy(
        y, np.zeros(1000), epsilon=0.5, adjacency=adjacency, max_contributions=m
    )
    (entry,) = score.privacy.ledger
    assert entry.l2_sensitivity == pytest.approx(factor * m)
    assert epsilon_from_mu(entry.mu, 1e-5) <= 0.5


def test_private_accuracy_has_the_noise_that_it_says():
    y = np.arange(1000) % 10
    found = np.where(y < 3, -1, y)
    scores = [
        metrics.private_accuracy(y, found, epsilon=0.3, random_state=seed)
        for seed in range(300)
    ]
    errors = np.array([(s.accuracy - 0.7) / s.noise_sd for s in scores])
    assert abs(errors.mean()) < 0.3
    assert 0.85 < errors.std() < 1.15
    exact = metrics.private_accuracy(y, found, epsilon=np.inf)
    assert exact[:2] == (0.7, 0.0)


def test_private_accuracy_counts_some_of_each_person():
    y, ids = np.arange(100) % 2, np.repeat(np.arange(10), 10)
    found = np.ones(100)
    found[::10] = 0  # the first record of each person is right, the others half so
    options = {"epsilon": np.inf, "privacy_ids": ids}
    assert metrics.private_accuracy(y, found, **options).accuracy == 1.0


def test_private_accuracy_of_little_data_is_a_share():
    for seed in range(20):
        score = metrics.private_accuracy([1], [0], epsilon=0.01, random_state=seed)
        assert 0.0 <= score.accuracy <= 1.0


@pytest.mark.parametrize(
    "call, match",
    [
        (lambda: metrics.private_accuracy([0, 1], [0]), "inconsistent numbers"),
        (lambda: metrics.private_accuracy([0, 1], ["0", "1"]), "numbers as y_true"),
        (
            lambda: metrics.private_accuracy(np.array([0, 1], object), ["0", "1"]),
            "numbers as y_true and strings as y_pred",
        ),
        (
            lambda: metrics.private_accuracy([0, 1], [0, np.nan]),
            "y_pred contains NaN, None",
        ),
        (
            lambda: metrics.private_accuracy(np.array(["a", None]), ["a", "b"]),
            "y_true contains NaN, None",
        ),
        (
            lambda: metrics.private_accuracy(["a", "b"], np.array(["a", 1], object)),
            "y_pred must hold labels of one kind",
        ),
        (lambda: metrics.private_accuracy([0, 1], [0, 1], epsilon=0), "epsilon"),
        (
            lambda: metrics.private_accuracy([0, 1], [0, 1], privacy_ids=[1]),
            "privacy_ids must have 2 entries",
        ),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(ValueError, match=match):
        call()
