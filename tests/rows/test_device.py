"""Rows on a device: the same integers and fits, and answers where the rows are.

Array API dispatch needs an environment variable that scipy reads when it is imported,
so that a part of these tests runs in a process of its own.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from devices import DEVICES
from numpy.testing import assert_allclose, assert_array_equal
from private_fits import fit_cases, fitted_state, make_data
from private_queries import QUERIES, center_of, scale_of
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from tapes import assert_same

from skdpgmm import DPLogisticRegression, DPSyntheticClassifier
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.device import DeviceRows

torch = pytest.importorskip("torch")

ON = os.environ.get("SCIPY_ARRAY_API") == "1"
inside = pytest.mark.skipif(not ON, reason="runs in the process of another test")
PLACES = ["in memory", "elsewhere", *(["cuda"] if "cuda" in DEVICES else [])]
CASES = [
    "kmeans",
    "mixture-full",
    "mixture-tied",
    "synthesizer",
    "synthesizer-labels",
    "synthesizer-tied",
    "logistic",
    "logistic-features",
]


@pytest.mark.parametrize("library", DEVICES)
@pytest.mark.parametrize("name", QUERIES)
def test_integers_are_those_of_numpy(name, library):
    device = DEVICES[library]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        query = QUERIES[name](rng, 7, 2)
        center = center_of(query)
        X = scale_of(query) * rng.standard_normal((200, 7)) / np.sqrt(7)
        X[::20] *= 10.0 ** rng.uniform(-300, 300)
        X += center
        codes = rng.integers(0, 2, size=200)
        kept = rng.random(200) < 0.8
        expected = ArrayRows(X, codes, kept).sum(query)
        with np.errstate(all="ignore"):
            rows = DeviceRows(device.from_host(X.copy()), device, codes, kept)
            found = rows.sum(query)
            if query.ball is not None:
                with rows.holding(query.ball):
                    for _ in range(2):  # making the grid, and having it
                        assert_same(rows.sum(query), found)
        assert rows.n_records == kept.sum() and rows.n_rows == 200
        for total, other in zip(found, expected, strict=True):
            assert_array_equal(total, other)


@pytest.mark.skipif(ON, reason="is inside")
def test_with_dispatch():
    # The checks of scikit-learn, too, need the variable.
    checks = Path(__file__).parents[1] / "contracts" / "test_sklearn_api.py"
    options = ["-q", "-p", "no:cacheprovider", "-k", "test_device or array_api"]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *options, __file__, checks],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout
    assert "skipped" in found.stdout and "passed" in found.stdout


@pytest.fixture
def dispatch():
    with config_context(array_api_dispatch=True):
        yield


@pytest.fixture(params=PLACES)
def tensor(request, monkeypatch, dispatch):
    """Make tensors in a place, or that seem to be in it."""
    if request.param == "elsewhere":
        monkeypatch.setattr("skdpgmm._rows.kinds.is_in_memory", lambda X: False)
    device = "cuda" if request.param == "cuda" else "cpu"
    return lambda array: torch.tensor(array, device=device)


def fitted(name, X, y):
    constructor, labelled = fit_cases(X.shape[1])[name]
    return constructor(random_state=0).fit(X, y if labelled else None)


@pytest.fixture(scope="module")
def fits():
    """Estimators that were fitted to tensors, by case and place."""
    return {}


@pytest.fixture
def of_tensors(name, request, tensor, fits):
    """Rows and labels, and the estimator of a case that was fitted to tensors."""
    X, y = make_data(300, 40)
    key = name, request.node.callspec.params["tensor"]
    if key not in fits:
        fits[key] = fitted(name, tensor(X), tensor(y))
    return X, y, fits[key]


@inside
@pytest.mark.parametrize("name", CASES)
def test_tensors_give_the_same_model(name, of_tensors):
    X, y, found = of_tensors
    states = [fitted_state(estimator) for estimator in (fitted(name, X, y), found)]
    assert states[0].pop("_like") is None
    example = states[1].pop("_like")
    assert isinstance(example, torch.Tensor) and example.shape == (0, 1)
    assert_same(*states)


@inside
@pytest.mark.parametrize("name", ["mixture-full", "mixture-diag", "synthesizer"])
def test_draws_of_a_release_are_reduced_where_numpy_is(name, tensor):
    X, y = make_data(300, 3)
    expected = fitted_state(fitted(name, X, y))
    found = fitted_state(fitted(name, tensor(X), y))
    del expected["_like"], found["_like"]
    assert_same(expected, found)


@inside
@pytest.mark.parametrize("name", CASES)
def test_a_pickle_has_no_records(name, of_tensors):
    X, _, estimator = of_tensors
    dumped = pickle.dumps(estimator)
    assert not any(row.tobytes()[:16] in dumped for row in X)
    assert pickle.loads(dumped)._like.device == torch.device("cpu")


def test_a_pickle_needs_no_device():
    X, _ = make_data(300, 3)
    constructor, _ = fit_cases(3)["kmeans"]
    estimator = constructor(random_state=0).fit(X)
    in_memory = torch.zeros((0, 1))
    estimator._like = there = SimpleNamespace(cpu=lambda: in_memory)
    assert estimator.__getstate__()["_like"] is in_memory
    assert estimator._like is there
    assert "_like" not in constructor().__getstate__()


@inside
@pytest.mark.parametrize("name", CASES)
def test_answers_are_where_the_rows_are(name, tensor, of_tensors):
    X, y, estimator = of_tensors
    rows, answered = tensor(X), 0
    for method in ("predict", "transform", "predict_proba", "score_samples"):
        if hasattr(estimator, method):
            answer = getattr(estimator, method)(rows)
            assert isinstance(answer, torch.Tensor)
            with config_context(array_api_dispatch=False):
                expected = getattr(estimator, method)(X)
            assert_array_equal(answer.cpu().numpy(), expected)
            answered += 1
    assert answered
    given = () if name.startswith(("kmeans", "mixture")) else (y,)
    tensors = [tensor(labels) for labels in given]
    if hasattr(estimator, "score"):
        assert_allclose(estimator.score(rows, *tensors), estimator.score(X, *given))
    if hasattr(estimator, "sample"):
        rows, labels = estimator.sample(5, random_state=0)
        assert isinstance(rows, torch.Tensor) and isinstance(labels, torch.Tensor)
        with config_context(array_api_dispatch=False):
            expected = estimator.sample(5, random_state=0)
        assert isinstance(expected[0], np.ndarray)
        assert_array_equal(rows.cpu().numpy(), expected[0])
        assert_array_equal(labels.cpu().numpy(), expected[1])


@inside
def test_names_of_classes_stay_names(tensor):
    X, y = make_data(300, 40)
    names = np.array(["a", "b", "c"])[y]
    constructor, _ = fit_cases(40)["synthesizer-labels"]
    synthesizer = constructor(random_state=0).fit(tensor(X), names)
    rows, labels = synthesizer.sample(20)
    assert isinstance(rows, torch.Tensor) and labels.dtype.kind == "U"


@inside
def test_a_classifier_that_is_not_for_tensors_gets_arrays(dispatch):
    """Such as the network that is the default."""
    X, y = map(torch.tensor, make_data(300, 3))
    network = DPSyntheticClassifier(n_samples=60, random_state=0).fit(X, y)
    for method in ("predict", "predict_proba"):
        assert isinstance(getattr(network, method)(X), torch.Tensor)
    assert 0.0 <= network.score(X, y) <= 1.0
    own = DPSyntheticClassifier(None, LogisticRegression(), n_samples=60)
    assert isinstance(own.fit(X, y).predict(X), torch.Tensor)
    assert isinstance(own.classifier_.coef_, torch.Tensor)
    # What is asked of it later need not be where it was trained.
    found = own.predict(X.numpy())
    assert isinstance(found, np.ndarray)
    assert_array_equal(found, own.predict(X).numpy())
    assert 0.0 <= own.score(X.numpy(), y.numpy()) <= 1.0


@inside
def test_public_knowledge_may_be_tensors(tensor):
    X, y = make_data(300, 40)
    public, center = X[:50] + 1.0, X.mean(axis=0)
    given = [{"X_public": public, "center": center, "classes": np.arange(4)}]
    given.append({name: tensor(value) for name, value in given[0].items()})
    coefs = [
        DPLogisticRegression(random_state=0, **params).fit(tensor(X), y).coef_
        for params in given
    ]
    assert_array_equal(*coefs)


@inside
@pytest.mark.parametrize(
    "bad, message",
    [
        (torch.full((10, 3), torch.nan), "contains NaN"),
        (torch.zeros(10), "2D array|must have shape"),
        (torch.zeros((0, 3)), "0 sample|must have shape"),
        (torch.zeros((10, 3), dtype=torch.complex64), "[Cc]omplex|real numbers"),
    ],
)
def test_bad_tensors(bad, message, tensor):
    constructor, _ = fit_cases(3)["kmeans"]
    estimator = constructor()
    with pytest.raises(ValueError, match=message):
        estimator.fit(tensor(bad.numpy()))
    assert not hasattr(estimator, "privacy_")
