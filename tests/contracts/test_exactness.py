"""The same fit to the bit, however the records are stored, cut up or ordered."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from private_fits import fit, fit_cases, fitted_state, make_data
from tapes import assert_same, differences

from skdpgmm import DPGaussianMixture, DPKMeans

# Without noise a fit may say, as in scikit-learn, that it has not met tol.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 457  # no multiple of any block size
FEATURES = (3, 40)
CASES = sorted(fit_cases(3))


def make(name, d, **params):
    constructor, labelled = fit_cases(d)[name]
    return constructor(**{"random_state": 0, "epsilon": 4.0, **params}), labelled


@cache
def reference(name, d, epsilon=4.0):
    X, y = make_data(N, d)
    estimator, labelled = make(name, d, block_size=10_000, n_jobs=1, epsilon=epsilon)
    return fitted_state(fit(estimator, X, y, labelled))


def check(name, d, X, y, dtype_may_differ=False, **params):
    estimator, labelled = make(name, d, **params)
    state = fitted_state(fit(estimator, X, y, labelled))
    expected = dict(reference(name, d, params.get("epsilon", 4.0)))
    if dtype_may_differ:
        # The float type of the samples follows that of the records.
        for values in (state, expected):
            values.pop("_dtype", None)
            values["_transcript"] = values["_transcript"]._replace(dtype=None)
    assert_same(state, expected)


@pytest.mark.parametrize("d", FEATURES)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "params",
    [
        {"block_size": 100},
        {"block_size": 7, "n_jobs": 2},
    ],
    ids=["blocks", "threads"],
)
def test_blocks_and_threads(name, d, params):
    check(name, d, *make_data(N, d), **params)


@pytest.mark.parametrize("d", FEATURES)
@pytest.mark.parametrize("name", CASES)
def test_order_of_rows(name, d):
    X, y = make_data(N, d)
    order = np.random.default_rng(1).permutation(N)
    check(name, d, X[order], y[order], block_size=100)


@pytest.mark.parametrize("d", FEATURES)
@pytest.mark.parametrize("name", CASES)
def test_layout_and_type(name, d):
    X, y = make_data(N, d)
    check(name, d, np.asfortranarray(X, dtype=np.float32), y, dtype_may_differ=True)


@pytest.mark.parametrize("d", FEATURES)
@pytest.mark.parametrize("name", ["kmeans", "mixture-full", "synthesizer-1"])
def test_fortran_and_strided(name, d):
    X, y = make_data(N, d)
    check(name, d, np.asfortranarray(X), y)
    wide = np.zeros((2 * N, 2 * d))
    wide[::2, ::-2] = X
    check(name, d, wide[::2, ::-2], y, block_size=100)


@pytest.mark.parametrize("d", FEATURES)
@pytest.mark.parametrize("name", ["kmeans", "mixture-full", "synthesizer-1"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_memory_map(name, d, dtype, tmp_path):
    X, y = make_data(N, d)
    path = tmp_path / "records.dat"
    np.asarray(X, dtype).tofile(path)
    mapped = np.memmap(path, dtype=dtype, mode="r", shape=X.shape)
    check(name, d, mapped, y, dtype == np.float32, block_size=100, n_jobs=2)


@pytest.mark.parametrize("name", ["kmeans", "mixture-tied", "synthesizer-2"])
@pytest.mark.parametrize("epsilon", [np.inf, 0.1])
def test_all_at_once(name, epsilon):
    # Without noise nothing hides a difference; with much, fits go strange ways.
    X, y = make_data(N, 3)
    order = np.random.default_rng(2).permutation(N)
    params = {"block_size": 16, "n_jobs": 2, "epsilon": epsilon}
    check(name, 3, np.asfortranarray(X[order]), y[order], **params)


@pytest.mark.parametrize("name", ["kmeans", "mixture-full", "synthesizer-1"])
def test_order_of_persons(name):
    # As long as no person has more records than count, order plays no part.
    X, y = make_data(N, 3)
    ids = np.arange(N) // 2
    order = np.random.default_rng(3).permutation(N)
    states = []
    for rows, block_size in ((np.arange(N), 1024), (order, 10)):
        estimator, labelled = make(name, 3, max_contributions=2, block_size=block_size)
        fit(estimator, X[rows], y[rows], labelled, privacy_ids=ids[rows])
        states.append(fitted_state(estimator))
    assert_same(*states)


def test_labels_of_any_type():
    X, y = make_data(N, 3)
    estimator, _ = make("synthesizer-2", 3)
    names = np.array(["a", "b", "c"])[y]
    state = fitted_state(estimator.fit(X, names))
    expected = dict(reference("synthesizer-2", 3))
    for key in ("classes_", "component_classes_"):
        np.testing.assert_array_equal(
            state.pop(key), np.array(["a", "b", "c"])[expected.pop(key)]
        )
    for values in (state, expected):
        values["_transcript"] = values["_transcript"]._replace(classes=None)
        quality = dataclasses.replace(values["privacy_"].quality, classes=None)
        values["privacy_"] = dataclasses.replace(values["privacy_"], quality=quality)
    assert_same(state, expected)


def test_differences_are_seen():
    """One record, one seed or one bit more is not the same fit."""
    X, _ = make_data(N, 3)
    expected = reference("kmeans", 3)
    changed = X.copy()
    changed[0] += 1.0
    for data, params in ((changed, {}), (X[1:], {}), (X, {"random_state": 1})):
        estimator, _ = make("kmeans", 3, **params)
        assert list(differences(fitted_state(estimator.fit(data)), expected))
    for a, b in (
        (np.array([1.0]), np.array([1.0 + 2.0**-52])),
        (np.array([0.0]), np.array([-0.0])),
        (np.array([1.0]), np.array([1.0], dtype=np.float32)),
        ({"x": 1.0}, {"y": 1.0}),
        ((1, 2), (1, 2, 3)),
    ):
        assert list(differences(a, b))
    assert not list(
        differences([np.array([np.nan]), np.nan], [np.array([np.nan]), np.nan])
    )


@pytest.mark.parametrize("estimator", [DPKMeans(2), DPGaussianMixture(2, max_iter=1)])
def test_records_are_not_written_to(estimator):
    # Blocks are clipped in place: they must be copies, whatever the input is.
    X, _ = make_data(N, 3)
    for data in (X.copy(), np.asfortranarray(X), X.astype(np.float32)):
        before = data.copy()
        estimator.set_params(random_state=0).fit(data)
        np.testing.assert_array_equal(data, before)
