"""Candidates: what is private in them, what they share, and which are refused."""

import numpy as np
import pytest
from scipy.stats import randint
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
    DPSyntheticResampler,
)
from skdpgmm._estimators.search_candidates import (
    POST_PROCESSING,
    candidates_of,
    columns_of,
    is_public,
    private_of,
    settings_of,
)


def groups(estimator, grid):
    found = candidates_of(estimator, settings_of(grid, None, None))
    return [one.release_group for one in found]


# --------------------------------------------------------------------------
# What is private
# --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator, core_path, steps",
    [
        (DPLogisticRegression(), "", ()),
        (DPSyntheticClassifier(DPEmbeddingSynthesizer()), "synthesizer__", ()),
        (
            make_pipeline(Normalizer(), "passthrough", DPLogisticRegression()),
            "dplogisticregression__",
            ("Normalizer", "str"),
        ),
        (
            make_pipeline(
                FunctionTransformer(), DPSyntheticClassifier(DPEmbeddingSynthesizer())
            ),
            "dpsyntheticclassifier__synthesizer__",
            ("FunctionTransformer",),
        ),
    ],
)
def test_the_core_has_the_budget(estimator, core_path, steps):
    private = private_of(estimator)
    estimator.set_params(**{f"{core_path}epsilon": 0.3})
    assert private.core.epsilon == 0.3
    assert (private.core_path, private.steps) == (core_path, steps)


@pytest.mark.parametrize(
    "estimator, what",
    [
        (LogisticRegression(), "LogisticRegression, which is not private"),
        (make_pipeline(DPKMeans(), LogisticRegression()), "must have constants only"),
        (make_pipeline(StandardScaler(), DPLogisticRegression()), "StandardScaler"),
        (make_pipeline(Normalizer(), LogisticRegression()), "which is not private"),
        (DPSyntheticClassifier(GaussianMixture()), "synthesizer of DPSynthetic"),
        (DPKMeans(), "must be a classifier.*DPKMeans"),
        (DPSyntheticResampler(), "must be a classifier"),
    ],
)
def test_what_is_not_private_is_refused_by_name(estimator, what):
    with pytest.raises(TypeError, match=what):
        candidates_of(estimator, [{}])


def test_only_steps_without_a_fit_are_public():
    assert is_public(None) and is_public(Normalizer())
    assert not is_public(StandardScaler())
    assert not is_public(make_pipeline(Normalizer()))


@pytest.mark.parametrize(
    "grid",
    [
        {"delta": [1e-5]},
        {"adjacency": ["add-remove"]},
        {"max_contributions": [None]},
        {"classes": [[0, 1]]},
    ],
)
def test_a_search_has_one_guarantee(grid):
    (name,) = grid
    with pytest.raises(ValueError, match=f"{name} must be that of all candidates"):
        groups(DPLogisticRegression(), grid)
    # ... nor can it come with an object.
    value = {"delta": 1e-7, "adjacency": "replace-one", "max_contributions": 2}.get(
        name, [0, 1]
    )
    parts = [DPEmbeddingSynthesizer(), DPEmbeddingSynthesizer(**{name: value})]
    with pytest.raises(ValueError, match=f"{name} must be that of all candidates"):
        groups(DPSyntheticClassifier(), {"synthesizer": parts})


def test_illegal_settings_are_refused_before():
    with pytest.raises(ValueError, match="n_random_features"):
        groups(DPLogisticRegression(), {"n_random_features": [0, -1]})
    with pytest.raises(ValueError, match="covariance_type"):
        groups(
            DPSyntheticClassifier(DPEmbeddingSynthesizer()),
            {"synthesizer__covariance_type": ["tied", "round"]},
        )
    with pytest.raises(ValueError, match="Invalid parameter"):
        groups(DPLogisticRegression(), {"n_trees": [3]})


@pytest.mark.parametrize("grid", [{}, [], [{}]])
def test_an_empty_grid_is_refused(grid):
    with pytest.raises(ValueError, match="param_grid must name values"):
        settings_of(grid, None, None)


def test_settings_are_drawn_from_distributions():
    rng = np.random.RandomState(0)
    found = settings_of({"n_random_features": randint(0, 100)}, 5, rng)
    assert len(found) == 5
    assert len({one["n_random_features"] for one in found}) > 1


# --------------------------------------------------------------------------
# What they share
# --------------------------------------------------------------------------


def test_the_table_of_what_is_computed_from_releases():
    assert POST_PROCESSING == {DPSyntheticClassifier: ("classifier", "n_samples")}


@pytest.mark.parametrize("path", ["", "dpsyntheticclassifier__"])
def test_classifiers_of_synthetic_rows_share_their_releases(path):
    model = DPSyntheticClassifier(None, LogisticRegression())
    if path:
        model = make_pipeline(Normalizer(), model)
    grid = {
        f"{path}classifier": [LogisticRegression(), GaussianNB()],
        f"{path}n_samples": [100, 200],
    }
    assert groups(model, grid) == [0, 0, 0, 0]
    assert groups(model, {f"{path}classifier__C": [0.1, 1.0]}) == [0, 0]
    names = {f"{path}synthesizer__n_components": [1, 2], **grid}
    assert sorted(groups(model, names)) == [0] * 4 + [1] * 4


@pytest.mark.parametrize(
    "estimator, grid",
    [
        (DPLogisticRegression(), {"class_weight": [None, "balanced"]}),
        (DPLogisticRegression(), {"clip_norm": [1, 1.0]}),
        (DPSyntheticClassifier(), {"random_state": [0, 1]}),
        (
            DPSyntheticClassifier(),
            {"synthesizer": [DPEmbeddingSynthesizer(), DPEmbeddingSynthesizer()]},
        ),
        (DPLogisticRegression(), {"X_public": [np.ones((3, 2)), np.ones((3, 2))]}),
    ],
)
def test_all_else_is_released_anew(estimator, grid):
    assert groups(estimator, grid) == [0, 1]


def test_a_subclass_may_release_by_what_is_free_in_its_parent():
    class Other(DPSyntheticClassifier):
        pass

    assert groups(Other(None, LogisticRegression()), {"n_samples": [10, 20]}) == [0, 1]


def test_columns_are_those_of_scikit_learn():
    columns = columns_of([{"a": 1}, {"a": [2], "b": None}])
    assert columns["param_a"].tolist() == [1, [2]]
    assert columns["param_b"].mask.tolist() == [True, False]
    assert columns["params"] == [{"a": 1}, {"a": [2], "b": None}]
