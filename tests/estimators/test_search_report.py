"""What an ordinary search costs and gives away."""

import math

import numpy as np
import pytest
from private_fits import make_data
from scipy.stats import randint
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    RandomizedSearchCV,
    RepeatedKFold,
    ShuffleSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdpgmm import (
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
    PrivateSearchCV,
    search_privacy,
)
from skdpgmm.privacy import compose_mu, mu_from_epsilon

X, Y = make_data(120, 3)
GRID = {"epsilon": [1.0, 4.0]}
ONE, FOUR = (mu_from_epsilon(epsilon, 1e-5) for epsilon in GRID["epsilon"])


@pytest.mark.parametrize(
    "cv, n_splits, n_times",
    [
        (None, 5, 4),
        (3, 3, 2),
        (KFold(4), 4, 3),
        (GroupKFold(3), 3, 2),
        (RepeatedKFold(n_splits=3, n_repeats=2), 6, 4),
        # A record may be in all of them.
        (ShuffleSplit(4), 4, 4),
        ([(np.arange(60), np.arange(60, 120))], 1, 1),
    ],
)
@pytest.mark.parametrize("refit", [False, True])
def test_all_fits_of_a_record_are_composed(cv, n_splits, n_times, refit):
    search = GridSearchCV(DPLogisticRegression(), GRID, cv=cv, refit=refit)
    report = search_privacy(search)
    last = [FOUR] if refit else []
    assert report.mu == pytest.approx(compose_mu([ONE, FOUR] * n_times + last))
    assert report.n_splits == n_splits and report.n_candidates == 2
    assert report.n_fits == 2 * n_splits + refit
    assert report.fits_of_a_record == 2 * n_times + refit
    assert report.delta == 1e-5 and report.not_private == ()


def test_a_finished_search_knows_its_winner():
    search = GridSearchCV(DPLogisticRegression(), GRID, cv=2).fit(X, Y)
    best = [ONE, FOUR][search.best_index_]
    assert search_privacy(search).mu == pytest.approx(compose_mu([ONE, FOUR, best]))


def test_it_says_that_scores_leak_and_what_to_do_instead():
    text = str(search_privacy(GridSearchCV(DPKMeans(), {"n_clusters": [2, 3]})))
    assert "NOT PRIVATE: the scores are computed on private records" in text
    assert "PrivateSearchCV" in text
    assert "does not depend on the others" in text


@pytest.mark.parametrize(
    "estimator, grid, what",
    [
        (LogisticRegression(), {"C": [1.0]}, "LogisticRegression, which is not"),
        (
            make_pipeline(StandardScaler(), DPLogisticRegression()),
            {"dplogisticregression__epsilon": [1.0]},
            "StandardScaler, which learns",
        ),
        (DPLogisticRegression(random_state=0), GRID, "random_state is an int"),
    ],
)
def test_what_is_not_private_is_named(estimator, grid, what):
    report = search_privacy(GridSearchCV(estimator, grid))
    assert any(what in text for text in report.not_private)
    assert report.epsilon == report.mu == math.inf
    assert what in str(report) and "models" in str(report)
    assert "-DP" not in str(report)


def test_a_default_synthesizer_is_known():
    model = DPSyntheticClassifier(None, LogisticRegression())
    report = search_privacy(GridSearchCV(model, {"n_samples": [10, 20]}, refit=False))
    assert report.mu == pytest.approx(compose_mu([ONE] * 8))


def test_what_is_known_later_is_refused_until_then():
    space = {"n_random_features": randint(0, 9)}
    search = RandomizedSearchCV(DPLogisticRegression(), space, n_iter=2, cv=2)
    with pytest.raises(ValueError, match="draws its candidates when it is fitted"):
        search_privacy(search)
    report = search_privacy(search.fit(X, Y))
    assert report.mu == pytest.approx(compose_mu([ONE] * 3))
    with pytest.raises(ValueError, match="number of splits only once"):
        search_privacy(GridSearchCV(DPLogisticRegression(), GRID, cv=LeaveOneOut()))


def test_other_searches_are_refused():
    with pytest.raises(TypeError, match="privacy_"):
        search_privacy(PrivateSearchCV(DPLogisticRegression(), GRID))
