"""Every estimator can be saved, rebuilt without a record, and verified."""

import json
import math
import pickle
import warnings

import numpy as np
import pytest
from private_fits import (
    ESTIMATORS,
    REGISTRY,
    fit,
    fit_cases,
    fitted_state,
    make_data,
    of_package,
    published,
)
from safetensors import safe_open
from tapes import assert_same, differences

from skdpgmm import DPGaussianMixture, DPLogisticRegression, load, verify

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
D = 3
CASES = fit_cases(D)


@pytest.mark.parametrize(
    "name, epsilon",
    [(name, 0.5) for name in sorted(CASES)]
    + [(facts.case, math.inf) for facts in REGISTRY.values()],
)
def test_a_loaded_estimator_is_the_one_that_was_saved(name, epsilon, tmp_path):
    make, labelled = CASES[name]
    saved = of_package(fit(make(epsilon=epsilon), *make_data(400, D), labelled))
    saved.save(tmp_path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load(tmp_path / "model")
    assert type(loaded) is type(saved)
    assert_same(published(saved), published(loaded))
    assert_same(saved.get_params(), loaded.get_params())


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_persons_types_names_and_labels_are_kept(cls, tmp_path):
    pd = pytest.importorskip("pandas")
    make, labelled = CASES[REGISTRY[cls].case]
    X, codes = make_data(400, D)
    X = pd.DataFrame(X.astype(np.float32), columns=["age", "weight", "größe"])
    y = np.array(["a", "b", "ç"])[codes]
    estimator = make(max_contributions=2, adjacency="replace-one", epsilon=50.0)
    fit(estimator, X, y, labelled, privacy_ids=np.arange(400) // 2)
    estimator.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    # A file has names of columns, and no types: samples are arrays again.
    states = fitted_state(estimator), fitted_state(loaded)
    for state in states:
        for name in ("_frame", "_column"):
            state.pop(name, None)
    assert_same(*states)
    assert list(loaded.feature_names_in_) == list(X.columns)
    assert verify(tmp_path / "model").passed


@pytest.mark.parametrize("seed", [20_261_127, np.random.RandomState(20_261_127)])
def test_a_file_has_no_seed_and_says_that_there_was_one(seed, tmp_path):
    make, labelled = CASES["kmeans"]
    saved = fit(make(random_state=seed), *make_data(400, D), labelled)
    saved.save(tmp_path / "model")
    assert b"20261127" not in (tmp_path / "model").read_bytes()
    loaded = load(tmp_path / "model")
    assert loaded.random_state is None
    assert loaded.privacy_.seeded is isinstance(seed, int)
    assert loaded.privacy_.not_private == saved.privacy_.not_private
    found = list(differences(fitted_state(saved), fitted_state(loaded)))
    # But for the seed, that the report of the fit names.
    assert len(found) == isinstance(seed, int)
    assert ("NOT PRIVATE" in str(verify(tmp_path / "model"))) is isinstance(seed, int)


def test_a_file_is_read_by_others(tmp_path):
    """Arrays by any reader of safetensors, the rest by any of JSON."""
    saved = fit(CASES["kmeans"][0](), *make_data(400, D), False).save(tmp_path / "m")
    assert saved is None
    with safe_open(tmp_path / "m", framework="np") as file:
        document = json.loads(file.metadata()["skdpgmm"])
        centers = file.get_tensor("attributes.cluster_centers_")
    assert centers.shape == (3, D)
    assert document["estimator"] == "DPKMeans"
    assert document["parameters"]["epsilon"] == 1.0
    assert "random_state" not in document["parameters"]


def test_a_fit_that_went_on_from_another_is_not_saved(tmp_path):
    mixture = DPGaussianMixture(2, max_iter=1, warm_start=True)
    mixture.fit(make_data(300, D)[0]).save(tmp_path / "first")
    mixture.fit(make_data(300, D)[0])
    with pytest.raises(ValueError, match="went on from another fit"):
        mixture.save(tmp_path / "second")
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("name", ["kmeans", "synthesizer-labels"])
def test_pickles_can_be_saved_too(name, tmp_path):
    make, labelled = CASES[name]
    fitted = fit(make(), *make_data(400, D), labelled)
    pickle.loads(pickle.dumps(fitted)).save(tmp_path / "model")
    assert_same(fitted_state(fitted), fitted_state(load(tmp_path / "model")))


def test_a_file_is_loaded_that_has_less_than_auto_may_need(tmp_path):
    X = np.random.default_rng(0).standard_normal((300, 20))
    y = np.arange(300) % 2
    saved = DPLogisticRegression(n_random_features="auto", epsilon=0.5).fit(X, y)
    assert saved.random_features_ is None
    saved.save(tmp_path / "model")
    assert load(tmp_path / "model").random_features_ is None
