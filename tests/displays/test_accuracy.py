"""Points are the scores, and bars the intervals."""

import numpy as np
import pytest
from private_fits import make_data
from sklearn.model_selection import GridSearchCV

from skdpgmm import DPLogisticRegression, PrivateSearchCV
from skdpgmm.displays import AccuracyEpsilonDisplay

X, Y = make_data(300, 3)
PROBE = DPLogisticRegression(clip_norm=9.0)


def ends(display):
    _, _, (bars,) = display.errorbar_.lines
    return np.array([segment[:, 1] for segment in bars.get_segments()])


def test_a_search_shows_its_noisy_scores():
    grid = {"epsilon": [2.0, 1.0]}
    search = PrivateSearchCV(PROBE, grid, epsilon=None, scoring="balanced_accuracy")
    display = AccuracyEpsilonDisplay.from_estimator(search.fit(X, Y), name="probe")
    found = search.cv_results_
    x, y = display.line_.get_data()
    assert x.tolist() == [1.0, 2.0]
    assert y.tolist() == found["mean_test_score"][::-1].tolist()
    low, high = ends(display).T
    np.testing.assert_allclose(low, np.minimum(found["low_test_score"][::-1], y))
    np.testing.assert_allclose(high, np.maximum(found["high_test_score"][::-1], y))
    assert display.ax_.get_ylabel() == "balanced accuracy"
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["1", "2"]
    assert display.ax_.get_legend().get_texts()[0].get_text() == "probe"


def test_the_best_of_each_epsilon_and_none_that_was_not_run():
    grid = {"epsilon": [1.0, 8.0, 20.0], "n_random_features": [0, 8]}
    search = PrivateSearchCV(PROBE, grid, epsilon=None, stop_at=0.2).fit(X, Y)
    display = AccuracyEpsilonDisplay.from_estimator(search)
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores).any()
    run = np.isfinite(scores)
    epsilons = np.array([one["epsilon"] for one in search.cv_results_["params"]])
    assert display.epsilons.tolist() == np.unique(epsilons[run]).tolist()
    assert display.scores.max() == scores[run].max()


def test_results_of_one_own_and_a_second_curve():
    first = AccuracyEpsilonDisplay.from_results(
        [4, 1], [0.9, 0.7], low=[0.8, 0.6], high=[1, 0.65]
    )
    first.plot()
    assert first.epsilons.tolist() == [1, 4] and first.scores.tolist() == [0.7, 0.9]
    # A score outside of its interval has no bar on that side.
    np.testing.assert_allclose(ends(first), [[0.6, 0.7], [0.8, 1.0]])
    second = AccuracyEpsilonDisplay.from_results([2], [0.8]).plot(first.ax_)
    assert second.errorbar_ is None
    assert first.ax_.get_xticks().tolist() == [1, 2, 4]


def test_bad_input():
    from_results = AccuracyEpsilonDisplay.from_results
    for args, match in [
        (([1, 2], [0.5]), "inconsistent numbers of samples"),
        (([0, 1], [0.5, 0.5]), "epsilons must be positive"),
        (([1], [np.nan]), "scores contains NaN"),
    ]:
        with pytest.raises(ValueError, match=match):
            from_results(*args)
    with pytest.raises(ValueError, match="low and high must be given both"):
        from_results([1], [0.5], low=[0.4])


def test_searches_that_show_no_epsilon_or_are_not_private():
    ordinary = GridSearchCV(PROBE, {"epsilon": [1.0, 8.0]}, cv=2).fit(X, Y)
    with pytest.raises(
        ValueError, match=r"must be a PrivateSearchCV.*got GridSearchCV"
    ):
        AccuracyEpsilonDisplay.from_estimator(ordinary)
    other = PrivateSearchCV(PROBE, {"n_random_features": [0, 8]}, epsilon=8.0)
    with pytest.raises(ValueError, match=r"one epsilon in its param_grid.*n_random"):
        AccuracyEpsilonDisplay.from_estimator(other.fit(X, Y))
