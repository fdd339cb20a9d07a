"""What a search has found can be saved, and its file says what the search has cost."""

import json

import numpy as np
import pytest
from private_fits import make_data, search, search_of_classifiers, search_over_epsilon
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdpgmm import DPLogisticRegression, PrivateSearchCV, load, verify
from skdpgmm._estimators.model_file import read, write

X, Y = make_data(300, 3)


@pytest.mark.parametrize("make", [search, search_over_epsilon, search_of_classifiers])
def test_a_winner_has_cost_what_the_search_has(make, tmp_path):
    found = make(epsilon=5.0).fit(X, Y)
    found.save(tmp_path / "winner")
    loaded = load(tmp_path / "winner")
    np.testing.assert_array_equal(loaded.predict(X), found.predict(X))
    assert loaded.privacy_ == found.privacy_
    told = verify(tmp_path / "winner")
    assert told.passed and told.to_the_bit
    assert "those of this fit are among them" in str(told)
    assert "its other releases" in dict(told.believed)["the search"]
    synthesizer = getattr(found.best_estimator_, "synthesizer_", None)
    if synthesizer is not None:
        synthesizer.save(tmp_path / "synthesizer")
        assert load(tmp_path / "synthesizer").privacy_ == found.privacy_


def test_a_seed_of_a_search_is_told_and_not_written(tmp_path):
    found = search(epsilon=5.0, random_state=20_261_127).fit(X, Y)
    found.save(tmp_path / "winner")
    assert b"20261127" not in (tmp_path / "winner").read_bytes()
    assert load(tmp_path / "winner").privacy_.seeded
    assert "NOT PRIVATE" in verify(tmp_path / "winner").answer


@pytest.fixture(scope="module")
def winner(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "winner"
    search(epsilon=5.0).fit(X, Y).save(path)
    return path


def forged(winner, path, change):
    file = read(winner)
    document = json.loads(json.dumps(file.document))
    change(document)
    write(path, document, file.arrays)
    return path


def failed(path):
    return [check.what for check in verify(path).checks if not check.passed]


def test_a_ledger_without_the_fit_is_found(winner, tmp_path):
    def without_refit(document):
        document["ledger"].pop()
        document["search"]["parts"].pop()

    assert failed(forged(winner, tmp_path / "f", without_refit)) == ["ledger"]


def test_a_search_that_claims_less_than_it_cost_is_found(winner, tmp_path):
    def claims_less(document):
        document["search"]["epsilon"] = 4.0

    found = failed(forged(winner, tmp_path / "f", claims_less))
    assert found == ["Gaussian accounting"]


def test_releases_of_nobody_are_refused(winner, tmp_path):
    def of_nobody(document):
        document["search"]["parts"].pop()

    with pytest.raises(ValueError, match="not one of a fit"):
        load(forged(winner, tmp_path / "f", of_nobody))


def test_of_a_pipeline_the_last_step_is_saved(tmp_path):
    model = make_pipeline(FunctionTransformer(), DPLogisticRegression())
    grid = {"dplogisticregression__n_random_features": [0, 4]}
    found = PrivateSearchCV(model, grid).fit(X, Y)
    with pytest.raises(TypeError, match=r"save its last step, best_estimator_\[-1\]"):
        found.save(tmp_path / "winner")
    found.best_estimator_[-1].save(tmp_path / "winner")
    assert load(tmp_path / "winner").privacy_ == found.privacy_
