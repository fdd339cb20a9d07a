"""Wrappers in files: the synthesizer comes back, and what was trained on its rows."""

import json

import numpy as np
import pytest
from private_fits import make_data
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from skdpgmm import DPSyntheticClassifier, DPSyntheticResampler, load, verify
from skdpgmm._estimators.model_file import read, write
from skdpgmm._estimators.saved_wrapper import check_training

X, Y = make_data(300, 3)
LABELS = np.array(["a", "b", "ç"])[Y]


@pytest.mark.parametrize("seed", [None, 0, np.random.RandomState(0)])
@pytest.mark.parametrize("inner", [None, LogisticRegression(C=0.1, max_iter=500)])
def test_a_loaded_classifier_answers_as_the_one_that_was_saved(inner, seed, tmp_path):
    model = DPSyntheticClassifier(
        classifier=inner, n_samples=200, random_state=seed
    ).fit(X, LABELS)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.random_state is None and loaded.n_samples == 200
    assert type(loaded.classifier) is type(inner)
    assert loaded.privacy_ is loaded.synthesizer_.privacy_
    told = verify(tmp_path / "model")
    assert told.consistent and told.to_the_bit
    assert "trained again on the same rows, it is the same" in str(told)


def test_a_classifier_of_frames_answers_arrays(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = DPSyntheticClassifier(
        classifier=LogisticRegression(max_iter=1000), n_samples=100
    )
    model.fit(frame, Y).save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert list(loaded.feature_names_in_) == list(frame.columns)
    np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))
    assert verify(tmp_path / "model").passed


def test_a_resampler_is_its_synthesizer(tmp_path):
    model = DPSyntheticResampler(n_samples=50, class_weight="balanced")
    model.fit(X, LABELS).save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.get_params()["class_weight"] == "balanced"
    assert list(loaded.classes_) == list(model.classes_)
    one, other = (m.synthesizer_.sample(9, random_state=1) for m in (model, loaded))
    np.testing.assert_array_equal(one[0], other[0])
    assert verify(tmp_path / "model").passed


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model"
    model = DPSyntheticClassifier(
        classifier=LogisticRegression(max_iter=1000), n_samples=100
    )
    model.fit(X, Y).save(path)
    return path


def test_a_classifier_that_was_not_trained_on_these_rows_is_found(saved, tmp_path):
    file, name = read(saved), "trained.classifier_.coef_"
    write(tmp_path / "f", file.document, {**file.arrays, name: -file.arrays[name]})
    found = verify(tmp_path / "f")
    assert [check.what for check in found.checks if not check.passed] == ["classifier"]
    with pytest.warns(UserWarning, match="not to the bit what was saved"):
        load(tmp_path / "f")
    elsewhere = {**file.document, "made_by": {"blas": "abacus"}}
    write(tmp_path / "f", elsewhere, {**file.arrays, name: -file.arrays[name]})
    found = {check.what: check for check in verify(tmp_path / "f").checks}["classifier"]
    assert found.passed is None and "trained again, it is another" in found.found


@pytest.mark.parametrize(
    "change",
    [{"estimator": "DecisionTreeClassifier"}, {"parameters": {"max_iter": 10**12}}],
)
def test_no_other_classifier_and_no_endless_training_is_asked_for(
    change, saved, tmp_path
):
    file = read(saved)
    document = json.loads(json.dumps(file.document))
    document["training"]["classifier"] |= change
    write(tmp_path / "f", document, file.arrays)
    with pytest.raises(ValueError, match="not one of a fit"):
        load(tmp_path / "f")


def test_what_a_file_cannot_name_is_not_saved(tmp_path):
    model = DPSyntheticClassifier(classifier=DecisionTreeClassifier(), n_samples=50)
    with pytest.raises(TypeError, match="Save `synthesizer_`, and train"):
        model.fit(X, Y).save(tmp_path / "f")
    model.synthesizer_.save(tmp_path / "f")
    model.synthesizer_ = object()
    with pytest.raises(TypeError, match="its object is no estimator that a file"):
        model.save(tmp_path / "f")


def test_there_is_an_end_to_what_is_trained():
    check_training(None, 60_000, 1280)
    check_training(LogisticRegression(max_iter=1000), 60_000, 1280)
    for asked in ((None, 10**6, 1280), (LogisticRegression(max_iter=10**6), 60_000, 8)):
        with pytest.raises(ValueError, match="more than a file may ask for"):
            check_training(*asked)
