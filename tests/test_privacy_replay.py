"""A fitted model is a function of its releases and of public inputs, of nothing else.

Each estimator is fitted on data A while the releases are recorded, then on
unrelated data B of the same public shape while the recorded releases are played
back. Every attribute must be the same to the bit.
"""

import gc
import pickle
import types

import numpy as np
import pytest
from private_fits import (
    N_CLASSES,
    Tape,
    assert_same,
    differences,
    fit,
    fit_cases,
    fitted_state,
    make_data,
)

from skdpgmm import DPGaussianMixture, DPKMeans
from skdpgmm.privacy.records import PrivateRecords
from skdpgmm.privacy.rows import ArrayRows

CASES = sorted(fit_cases(3))
GRID = [
    pytest.param({"epsilon": 1.0}, id="default"),
    pytest.param({"epsilon": 1e6, "clip_norm": 20.0}, id="huge-epsilon-clip"),
    pytest.param(
        {"epsilon": 1.0, "adjacency": "replace-one", "clip_norm": 20.0}, id="replace"
    ),
    pytest.param(
        {"epsilon": 1e6, "adjacency": "replace-one", "max_contributions": 2},
        id="huge-epsilon-replace",
    ),
]


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    """Reductions fit draws from released mixtures; how many plays no part here."""
    monkeypatch.setattr("skdpgmm._reduce.N_DRAWS", 300)


def data_a(d):
    return make_data(400, d, seed=1)


def data_b(d):
    """Other values, another scale, another number of rows and balance of classes."""
    X, _ = make_data(291, d, seed=2, scale=1e3, offset=-7e3)
    y = np.random.default_rng(3).choice(N_CLASSES, size=291, p=[0.05, 0.15, 0.8])
    y[:N_CLASSES] = np.arange(N_CLASSES)  # the set of classes is public
    return X, y


def replay(make, labelled, d, monkeypatch):
    """Return what is left on the estimator by the recorded and the replayed fit."""
    tape = Tape(monkeypatch)
    with monkeypatch.context() as patch:
        tape.monkeypatch = patch
        tape.record()
        recorded = fit(make(), *data_a(d), labelled)
    with monkeypatch.context() as patch:
        tape.monkeypatch = patch
        left = tape.play()
        replayed = fit(make(), *data_b(d), labelled)
    assert not left, "the replayed fit made fewer releases"
    return fitted_state(recorded), fitted_state(replayed)


@pytest.mark.parametrize("params", GRID)
@pytest.mark.parametrize("name", CASES)
def test_fit_is_a_function_of_its_releases(name, params, monkeypatch):
    constructor, labelled = fit_cases(3)[name]

    def make():
        return constructor(random_state=0, **params)

    recorded, replayed = replay(make, labelled, 3, monkeypatch)
    assert "privacy_" in recorded
    assert_same(recorded, replayed)


@pytest.mark.parametrize("name", CASES)
def test_many_features(name, monkeypatch):
    # Other branches: no scatters of cells.
    constructor, labelled = fit_cases(40)[name]
    states = replay(lambda: constructor(random_state=0), labelled, 40, monkeypatch)
    assert_same(*states)


@pytest.mark.parametrize("center", [None, [1.0, 2.0, 3.0]])
@pytest.mark.parametrize("name", ["kmeans", "mixture-full", "synthesizer-1"])
def test_public_center(name, center, monkeypatch):
    constructor, labelled = fit_cases(3)[name]
    states = replay(
        lambda: constructor(random_state=0, center=center), labelled, 3, monkeypatch
    )
    assert_same(*states)


def test_warm_start(monkeypatch):
    # The first fit is on public data, and not replayed.
    X_public, _ = make_data(300, 3, seed=5)
    mixture = DPGaussianMixture(2, max_iter=1, warm_start=True, random_state=0)
    started = pickle.dumps(mixture.fit(X_public))
    assert_same(*replay(lambda: pickle.loads(started), False, 3, monkeypatch))


def test_declared_classes(monkeypatch):
    # With `classes` given not even the set of labels that occur may show.
    monkeypatch.setattr(
        "test_privacy_replay.data_b", lambda d: (make_data(50, d)[0], np.full(50, 9))
    )
    constructor, _ = fit_cases(3)["synthesizer-2"]
    recorded, replayed = replay(
        lambda: constructor(random_state=0, classes=[2, 0, 1, 9]), True, 3, monkeypatch
    )
    assert_same(recorded, replayed)
    np.testing.assert_array_equal(recorded["classes_"], [0, 1, 2, 9])


def test_sampling_needs_the_model_only(monkeypatch):
    constructor, labelled = fit_cases(3)["synthesizer-2"]
    made = []

    def make():
        made.append(constructor(random_state=0))
        return made[-1]

    replay(make, labelled, 3, monkeypatch)
    a, b = (estimator.sample(20, random_state=1) for estimator in made)
    assert_same(a, b)


# --------------------------------------------------------------------------
# The test can fail
# --------------------------------------------------------------------------


class LeakyAttribute(DPKMeans):
    """Publishes the exact mean."""

    def fit(self, X, y=None, groups=None):
        super().fit(X)
        self.mean_ = X.mean(axis=0)
        return self


class LeakyLoop(DPKMeans):
    """Chooses the number of passes from the exact number of records."""

    def fit(self, X, y=None, groups=None):
        self.max_iter = 2 + len(X) % 2
        return super().fit(X)


class LeakyQuery(DPKMeans):
    """Clips to a range taken from the data."""

    def fit(self, X, y=None, groups=None):
        self.clip_norm = float(np.linalg.norm(X, axis=1).max())
        return super().fit(X)


@pytest.mark.parametrize("leaky", [LeakyAttribute, LeakyLoop, LeakyQuery])
def test_leaks_are_caught(leaky, monkeypatch):
    assert len(data_a(3)[0]) % 2 != len(data_b(3)[0]) % 2
    with pytest.raises((AssertionError, IndexError)):
        assert_same(*replay(lambda: leaky(2, random_state=0), False, 3, monkeypatch))


def test_unrelated_data_give_another_model():
    # Otherwise equality of the replayed fits would mean nothing.
    for name in ("kmeans", "mixture-full", "synthesizer-1"):
        constructor, labelled = fit_cases(3)[name]
        states = [
            fitted_state(fit(constructor(random_state=0), *data, labelled))
            for data in (data_a(3), data_b(3))
        ]
        changed = " ".join(differences(*states))
        assert "cluster_centers_" in changed or "means_" in changed


# --------------------------------------------------------------------------
# Nothing of the data stays behind
# --------------------------------------------------------------------------


def reachable(root):
    """Yield every object that can be reached from `root`, classes and modules apart."""
    seen, stack = set(), [root]
    while stack:
        obj = stack.pop()
        if id(obj) in seen or isinstance(obj, type | types.ModuleType):
            continue
        seen.add(id(obj))
        yield obj
        if isinstance(obj, np.ndarray):
            stack.append(obj.base)
        if isinstance(obj, types.FunctionType):
            stack += [cell.cell_contents for cell in obj.__closure__ or ()]
        else:
            stack += gc.get_referents(obj)


@pytest.mark.parametrize("d", [3, 40])
@pytest.mark.parametrize("name", CASES)
def test_no_reference_to_the_data(name, d):
    constructor, labelled = fit_cases(d)[name]
    n = 307  # a prime that no public shape has
    X, y = make_data(n, d)
    groups = np.arange(n)
    estimator = fit(constructor(random_state=0), X, y, labelled, groups=groups)
    forbidden = (
        PrivateRecords,
        ArrayRows,
        np.random.Generator,
        np.random.BitGenerator,
        types.GeneratorType,
        types.FrameType,
    )
    arrays = 0
    for obj in reachable(estimator):
        assert not isinstance(obj, forbidden), type(obj)
        if isinstance(obj, np.ndarray):
            arrays += 1
            assert n not in obj.shape
            for private in (X, y, groups):
                assert not np.shares_memory(obj, private)
    assert arrays  # the walk has seen the attributes


def test_the_walk_finds_what_is_hidden():
    X, _ = make_data(307, 3)
    estimator = DPKMeans(1, random_state=0).fit(X)
    for hidden in (X[3:5, :1].T, {"a": [(X,)]}, lambda: X):
        estimator._cache = hidden
        arrays = [o for o in reachable(estimator) if isinstance(o, np.ndarray)]
        assert any(np.shares_memory(o, X) for o in arrays)


@pytest.mark.parametrize("name", CASES)
def test_pickle_does_not_grow_with_the_data(name):
    constructor, labelled = fit_cases(3)[name]
    sizes = [
        len(pickle.dumps(fit(constructor(random_state=0), *make_data(n, 3), labelled)))
        for n in (300, 3000)
    ]
    # The ledger may differ by a few rows; the records are 24 bytes each.
    assert abs(sizes[1] - sizes[0]) < 4000
