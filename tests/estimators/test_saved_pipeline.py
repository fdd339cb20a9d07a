"""Pipelines in files: every step comes back, and what it cost is that of all."""

import numpy as np
import pytest
from private_fits import make_data
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from tapes import assert_same

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPLogisticRegression,
    DPSyntheticClassifier,
    PrivatePipeline,
    load,
    verify,
)
from skdpgmm._estimators.model_file import read, write
from skdpgmm._estimators.saved import attributes

X, Y = make_data(400, 4)
PIPELINES = {
    "one step": [("regression", DPLogisticRegression())],
    "two private": [("pca", DPPCA(2)), ("synthesizer", DPEmbeddingSynthesizer())],
    "with others": [
        ("unit", Normalizer("max")),
        ("nothing", "passthrough"),
        ("pca", DPPCA(3)),
        ("regression", DPLogisticRegression(n_random_features=4)),
    ],
    "none at the end": [("pca", DPPCA(2)), ("unit", Normalizer())],
}


def fitted(name="two private", rows=X, **params):
    return PrivatePipeline(PIPELINES[name], **{"epsilon": 20.0, **params}).fit(rows, Y)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_loaded_pipeline_is_the_one_that_was_saved(name, tmp_path):
    saved = fitted(name, delta=1e-6)
    saved.save(tmp_path / "saved")
    loaded = load(tmp_path / "saved")
    assert list(loaded.named_steps) == list(saved.named_steps)
    assert loaded.n_features_in_ == 4
    for one, other in zip(saved.steps, loaded.steps, strict=True):
        if one[1] != "passthrough":
            assert_same(dict(attributes(one[1])), dict(attributes(other[1])))
            assert_same(one[1].get_params(), other[1].get_params())
    assert loaded.privacy_ == saved.privacy_
    if name == "two private":
        drawn = (one[-1].sample(9, random_state=0) for one in (saved, loaded))
        assert_same(*drawn)
    else:
        last = "transform" if name == "none at the end" else "predict"
        assert_same(getattr(saved, last)(X), getattr(loaded, last)(X))
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "saved").read_bytes()


@pytest.mark.parametrize("epsilon", [0.5, np.inf])
def test_a_pipeline_is_verified_as_a_whole(epsilon, tmp_path):
    pipeline = fitted(
        "with others", epsilon=epsilon, shares={"pca": 0.5, "regression": 0.5}
    )
    pipeline.save(tmp_path / "saved")
    found = verify(tmp_path / "saved")
    assert found.consistent and found.estimator == "PrivatePipeline"
    assert found.privacy == pipeline.privacy_
    assert ("NOT PRIVATE" in str(found)) is (epsilon == np.inf)


def test_names_of_columns_are_kept(tmp_path):
    pd = pytest.importorskip("pandas")
    rows = pd.DataFrame(X, columns=["a", "b", "c", "größe"])
    fitted("with others", rows).save(tmp_path / "saved")
    loaded = load(tmp_path / "saved")
    assert list(loaded.feature_names_in_) == list(rows.columns)
    loaded.predict(rows)


def test_a_step_that_differs_is_named(tmp_path):
    fitted().save(tmp_path / "saved")
    file = read(tmp_path / "saved")
    name = "steps.0.attributes.components_"
    arrays = {**file.arrays, name: np.nextafter(file.arrays[name], np.inf)}
    write(tmp_path / "changed", file.document, arrays)
    with pytest.warns(UserWarning, match="pca, components_ differs by"):
        load(tmp_path / "changed")
    found = verify(tmp_path / "changed")
    assert not found.passed and "pca, components_ differs by" in str(found)


@pytest.mark.parametrize(
    "change",
    [
        {"epsilon": 10.0},
        {"epsilon": 40.0},
        {"shares": {"pairs": [["pca", 0.4], ["synthesizer", 0.6]]}},
        {"shares": {"pairs": [["pca", 0.4]]}},
        {"epsilon": -1.0},
    ],
    ids=str,
)
def test_another_budget_is_found(change, tmp_path):
    """Those of the steps follow from it, so that their releases are others."""
    fitted().save(tmp_path / "saved")
    file = read(tmp_path / "saved")
    parameters = {**file.document["parameters"], **change}
    document = {**file.document, "parameters": parameters}
    write(tmp_path / "changed", document, file.arrays)
    try:
        passed = verify(tmp_path / "changed").consistent
    except ValueError as error:
        passed = False
        assert "not one of a fit" in str(error)
    assert not passed


@pytest.mark.parametrize(
    "step",
    [
        {"estimator": "StandardScaler", "parameters": {}, "name": "unit"},
        {"estimator": "Normalizer", "parameters": {"norm": "none"}, "name": "unit"},
        {"estimator": "Normalizer", "parameters": {}, "name": "unit", "public": {}},
        {"estimator": "passthrough"},
        {"name": "unit"},
        3,
    ],
    ids=str,
)
def test_other_steps_are_refused(step, tmp_path):
    fitted("with others").save(tmp_path / "saved")
    file = read(tmp_path / "saved")
    _, *others = file.document["steps"]
    document = {**file.document, "steps": [step, *others]}
    write(tmp_path / "changed", document, file.arrays)
    with pytest.raises(ValueError, match="not one of a fit"):
        load(tmp_path / "changed")


@pytest.mark.parametrize(
    "step, message",
    [
        (FunctionTransformer(), r"'first' \(FunctionTransformer\) cannot be written"),
        (FrozenEstimator(StandardScaler().fit(X)), "cannot be written to a file"),
        (
            DPSyntheticClassifier(DPEmbeddingSynthesizer(), LogisticRegression()),
            "has no file of its own",
        ),
    ],
    ids=str,
)
def test_what_a_file_has_no_place_for_is_named(step, message, tmp_path):
    wrapped = isinstance(step, DPSyntheticClassifier)
    steps = [("first", step)] if wrapped else [("first", step), ("pca", DPPCA(2))]
    pipeline = PrivatePipeline(steps, epsilon=20.0).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        pipeline.save(tmp_path / "f")
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_of_what_is_not_fitted(tmp_path):
    with pytest.raises(NotFittedError):
        PrivatePipeline(PIPELINES["one step"]).save(tmp_path / "f")
