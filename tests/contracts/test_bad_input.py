"""Illegal input is refused by name and leaves no trace; degenerate input is fitted."""

import copy
import math
import re
from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from private_fits import COVARIANCE_TYPES, ESTIMATORS, LABELLED, SAMPLERS, sized
from sklearn.exceptions import NotFittedError

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = np.arange(40) % 2


def changed(value, *index):
    """The records with one entry changed."""
    Z = X.copy()
    Z[index] = value
    return Z


def assert_untouched(estimator, before):
    """Same names, and values of the same type, dtype and bits."""
    after = vars(estimator)
    assert list(after) == list(before)
    for name, old in before.items():
        new = after[name]
        assert type(new) is type(old), name
        if isinstance(old, np.ndarray):
            assert new.dtype == old.dtype and new.shape == old.shape, name
            assert new.tobytes() == old.tobytes(), name
        else:
            assert repr(new) == repr(old), name


def assert_refused(estimator, message, *args, **kwargs):
    """Neither a fresh nor a fitted estimator is changed by a fit that fails."""
    fitted = copy.deepcopy(estimator).set_params(**LEGAL).fit(X, Y)
    fitted.set_params(**estimator.get_params())
    for candidate in (estimator, fitted):
        before = copy.deepcopy(vars(candidate))
        with pytest.raises((ValueError, TypeError), match=message):
            candidate.fit(*args, **kwargs)
        assert_untouched(candidate, before)


# What a fit needs to succeed, whatever the parameter under test is.
LEGAL = {
    "epsilon": 1.0,
    "delta": 1e-5,
    "adjacency": "add-remove",
    "max_contributions": None,
    "clip_norm": 5.0,
    "center": None,
    "bounds": None,
    "random_state": 0,
    "block_size": 64,
    "n_jobs": None,
}

BAD_PARAMETERS = [
    *[("epsilon", value) for value in (0, 0.0, -1.0, math.nan, "1", None, -math.inf)],
    *[("delta", value) for value in (0.0, 1.0, -0.1, 1.5, math.nan, "small", None)],
    *[("adjacency", value) for value in ("add_remove", "replace", None, 1)],
    *[("clip_norm", value) for value in (0.0, -1.0, math.nan, "Auto", None)],
    *[("center", value) for value in ([0.0], [0.0] * 4, [[0.0] * 3], 0.0)],
    *[("center", value) for value in ([0.0, math.nan, 0.0], [0.0, math.inf, 0.0])],
    *[("bounds", value) for value in (1.0, (0.0,), (1.0, 0.0), ([0.0] * 4, 1.0))],
    *[("bounds", value) for value in ((0.0, math.inf), (math.nan, 1.0), (-1e70, 0.0))],
    *[("bounds", value) for value in (([0.0, 0.0, 2.0], 1.0), ("a", "b"), "auto")],
    *[("max_contributions", value) for value in (0, -1, 1.5, "2")],
    *[("random_state", value) for value in ("seed", -1)],
    *[("block_size", value) for value in (0, 1.5, None)],
    *[("n_jobs", value) for value in (1.5, "all")],
]


@pytest.mark.parametrize("name, value", BAD_PARAMETERS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_bad_parameters(cls, name, value):
    params = {"clip_norm": 5.0, "random_state": 0, name: value}
    assert_refused(cls(**params), name, X, Y)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_infinite_clip_norm(cls):
    """No bound is no privacy."""
    assert_refused(cls(clip_norm=math.inf), "clip_norm", X, Y)


@pytest.mark.parametrize(
    "cls, name, value",
    [
        *[(DPKMeans, "n_clusters", value) for value in (0, -1, 1.5, "auto", None)],
        *[(DPKMeans, "max_iter", value) for value in (0, 2.5, None)],
        *[(cls, "n_components", value) for cls in SAMPLERS for value in (0, 1.5, "a")],
        *[(cls, "covariance_type", value) for cls in SAMPLERS for value in ("x", 1)],
        *[(cls, "max_iter", value) for cls in SAMPLERS for value in (-1, 1.5)],
        (DPGaussianMixture, "tol", -1.0),
        (DPGaussianMixture, "reg_covar", -1.0),
        (DPGaussianMixture, "n_init", 0),
        (DPGaussianMixture, "init_params", "codebook"),
        (DPGaussianMixture, "weights", {"weights_init": [0.5, 0.5]}),
        (DPGaussianMixture, "weights", {"weights_init": [0.9]}),
        (DPGaussianMixture, "means", {"means_init": [[0.0, 0.0]]}),
        (DPGaussianMixture, "precision", {"precisions_init": [[1.0, 0.0]]}),
        (DPEmbeddingSynthesizer, "classes", "all"),
        (DPEmbeddingSynthesizer, "classes", [[0, 1], [2, 3]]),
        (DPEmbeddingSynthesizer, "classes", [0, math.nan]),
    ],
)
def test_bad_parameters_of_one_class(cls, name, value):
    params = value if isinstance(value, dict) else {name: value}
    estimator = cls(clip_norm=5.0, random_state=0, **params)
    before = copy.deepcopy(vars(estimator))
    with pytest.raises((ValueError, TypeError), match=name):
        estimator.fit(X, Y)
    assert_untouched(estimator, before)


BAD_X = {
    "nan": (changed(np.nan, 3, 1), "X contains NaN"),
    "infinity": (changed(np.inf, 3, 1), "X contains infinity"),
    "sparse": (sp.csr_matrix(X), "[Ss]parse"),
    "strings": (X.astype(str).astype(object) + "a", "could not convert string"),
    "one dimension": (X[:, 0], "Expected 2D array"),
    "three dimensions": (X[None], "dim"),
    "no rows": (X[:0], "0 sample"),
    "no columns": (X[:, :0], "0 feature"),
    "complex": (X + 1j, "Complex data"),
    "a number": (3.0, "Expected 2D array"),
    "None": (None, "Expected 2D array"),
}


@pytest.mark.parametrize("kind", BAD_X)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_bad_records(cls, kind):
    bad, message = BAD_X[kind]
    n = len(bad) if isinstance(bad, np.ndarray) else 40
    y = None if cls not in LABELLED or n == 1 else Y[:n]
    assert_refused(cls(clip_norm=5.0, random_state=0), message, bad, y)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_bad_rows_after_fit(cls):
    estimator = cls(clip_norm=5.0, random_state=0).fit(X, Y)
    methods = {"predict", "transform", "predict_proba", "score_samples", "score"}
    methods = {name for name in methods if hasattr(estimator, name)}
    assert methods
    for name in methods:
        call = getattr(estimator, name)
        if (cls, name) == (DPLogisticRegression, "score"):
            call = partial(estimator.score, y=Y)
        with pytest.raises(ValueError, match=r"X has 2 features.*expecting 3"):
            call(X[:, :2])
        for kind in ("nan", "infinity", "one dimension", "no rows"):
            bad, message = BAD_X[kind]
            with pytest.raises(ValueError, match=message):
                call(bad)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_before_fit(cls):
    estimator = cls()
    for name in ("predict", "transform", "predict_proba", "score_samples", "score"):
        if hasattr(estimator, name):
            with pytest.raises(NotFittedError, match=f"This {cls.__name__} instance"):
                getattr(estimator, name)(X, *([Y] if name == "score" else []))
    if cls in SAMPLERS:
        with pytest.raises(NotFittedError, match=f"This {cls.__name__} instance"):
            estimator.sample()
    if cls is DPEmbeddingSynthesizer:
        with pytest.raises(NotFittedError, match=f"This {cls.__name__} instance"):
            next(estimator.iter_samples(3))


@pytest.mark.parametrize(
    "classes, y, message",
    [
        ([0, 1], Y + 1, r"y has labels that are not in classes=\[0, 1\]: \[2\]"),
        (["a", "b"], np.array(["a", "c"] * 20), r"y has labels .* \['c'\]"),
        ([1], Y, r"y has labels .* \[0\]"),
        (None, np.where(Y, np.nan, 0.0), "y contains NaN"),
        ([0.0, 1.0], np.where(Y, np.nan, 0.0), "y contains NaN"),
        (None, Y[:-1], "y must have 40 labels"),
        (None, Y[:0], "y must have 40 labels"),
        (None, np.stack([Y, Y], axis=1), "y should be a 1d array"),
        (None, Y + 0.5 * rng.random(40), "Unknown label type"),
        ([0, 1], None, "classes is given, so fit needs y"),
    ],
)
@pytest.mark.parametrize("cls", LABELLED)
def test_bad_labels(cls, classes, y, message):
    estimator = cls(clip_norm=5.0, random_state=0, classes=classes)
    if y is None and cls is DPLogisticRegression:
        message = "requires y to be passed"
    before = copy.deepcopy(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)
    assert_untouched(estimator, before)


@pytest.mark.parametrize(
    "ids",
    [np.zeros(39), np.zeros(41), np.zeros((40, 2)), np.full(40, np.nan)],
    ids=["short", "long", "2d", "nan"],
)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_bad_privacy_ids(cls, ids):
    estimator = cls(clip_norm=5.0, random_state=0)
    assert_refused(estimator, "privacy_ids", X, Y, privacy_ids=ids)


@pytest.mark.parametrize("n_samples", [0, -1])
@pytest.mark.parametrize("cls", SAMPLERS)
def test_bad_number_of_samples(cls, n_samples):
    estimator = cls(clip_norm=5.0, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="n_samples"):
        estimator.sample(n_samples)


def test_bad_arguments_of_sample():
    estimator = DPEmbeddingSynthesizer(clip_norm=5.0, random_state=0).fit(X, Y)
    for arguments, message in [
        ({"n_samples": 1.5}, "n_samples"),
        ({"y": 2}, r"y has labels that are not in classes_=\[0, 1\]: \[2\]"),
        ({"y": [0, 1]}, "y must be one label or have shape"),
        ({"class_weight": "even"}, "class_weight"),
    ]:
        with pytest.raises(ValueError, match=message):
            estimator.sample(**{"n_samples": 3, **arguments})
    with pytest.raises(ValueError, match="batch_size"):
        list(estimator.iter_samples(3, batch_size=0))
    with pytest.raises(ValueError, match=re.escape("y")):
        estimator.score(X, Y[:-1])


# --------------------------------------------------------------------------
# Degenerate data
# --------------------------------------------------------------------------

DEGENERATE = {
    "constant": np.full((30, 3), 2.5),
    "zero": np.zeros((30, 3)),
    "one row": X[:1],
    "two rows": X[:2],
    "duplicates": np.repeat(X[:3], 10, axis=0),
    "wide": rng.normal(size=(5, 20)),
    "wider than an over-fit": rng.normal(size=(5, 40)),
    "one feature": X[:, :1],
    "huge": 1e300 * X,
    "huge and tiny": X * 10.0 ** rng.integers(-300, 300, size=X.shape),
    "one huge": changed(1e300, 0, 0),
    # Of one sign: with both, scikit-learn's own check of finiteness warns.
    "largest": np.full((30, 3), np.finfo(float).max),
    "subnormal": 5e-324 * rng.integers(0, 9, size=(30, 3)),
    "smallest normal": 2.3e-308 * X,
    "constant column": np.column_stack([X[:, :2], np.ones(40)]),
    "duplicated columns": X[:, [0, 0, 1]],
    "cluster of one": changed(50.0, 0, 0),
    "far away": X + 1e8,
    "float32": (1e38 * abs(X)).clip(max=3e38).astype(np.float32),
}


def variants():
    yield DPKMeans(4)
    for kind in COVARIANCE_TYPES:
        yield DPGaussianMixture(4, covariance_type=kind)
        yield DPEmbeddingSynthesizer(2, covariance_type=kind)
    yield DPEmbeddingSynthesizer()
    yield DPGaussianMixture(2, max_iter=0)


def as_matrices(array, kind, k, d):
    """Covariances or precisions of any type as full matrices."""
    if kind == "full":
        return array
    if kind == "tied":
        return array[None]
    return np.reshape(array, (k, -1))[:, :, None] * np.eye(d)


def assert_valid(estimator, Z):
    """Finite parameters, and a mixture that can be evaluated and sampled."""
    d = Z.shape[1]
    if isinstance(estimator, DPKMeans):
        assert estimator.cluster_centers_.shape == (4, d)
        assert np.isfinite(estimator.cluster_centers_).all()
        assert np.isfinite(estimator.cluster_counts_).all()
        return
    k = len(estimator.weights_)
    kind = getattr(estimator, "covariance_type_", estimator.covariance_type)
    assert estimator.means_.shape == (k, d)
    assert np.isfinite(estimator.means_).all()
    assert_allclose(estimator.weights_.sum(), 1.0)
    assert np.all(estimator.weights_ > 0)
    assert np.isfinite(estimator.covariances_).all()
    assert np.isfinite(estimator.precisions_cholesky_).all()
    for C in as_matrices(estimator.covariances_, kind, k, d):
        C = C / np.trace(C)
        assert_allclose(C, C.T, atol=1e-9)
        assert np.linalg.eigvalsh(C).min() > 0
    for factor in as_matrices(estimator.precisions_cholesky_, kind, k, d):
        assert np.all(np.diagonal(factor) > 0)
    assert np.isfinite(estimator.sample(20, random_state=0)[0]).all()


@pytest.mark.parametrize("estimator", list(variants()), ids=repr)
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_records_are_fitted(name, estimator):
    """Whether a fit succeeds would say something of the records."""
    Z = DEGENERATE[name]
    y = np.arange(len(Z)) % 2
    for epsilon in (0.01, 1.0, 1e6):
        for adjacency in ("add-remove", "replace-one"):
            estimator.set_params(epsilon=epsilon, adjacency=adjacency, random_state=0)
            assert_valid(estimator.fit(Z, y), Z)


@pytest.mark.parametrize("seed", range(1, 7))
@pytest.mark.parametrize("name", ["constant", "one row", "huge", "subnormal"])
def test_degenerate_records_with_other_seeds(name, seed):
    Z = DEGENERATE[name]
    for estimator in variants():
        for epsilon in (0.01, 1.0):
            estimator.set_params(epsilon=epsilon, random_state=seed)
            assert_valid(estimator.fit(Z, np.arange(len(Z)) % 2), Z)


@pytest.mark.parametrize("estimator", list(variants()), ids=repr)
@pytest.mark.parametrize("epsilon", [0.01, 1.0, 1e6])
def test_public_ball_far_from_the_records(estimator, epsilon):
    for clip_norm in (1e-6, 1.0, 1e6):
        estimator.set_params(
            epsilon=epsilon, clip_norm=clip_norm, center=[1e3] * 3, random_state=0
        )
        assert_valid(estimator.fit(X, Y), X)


@pytest.mark.parametrize("epsilon", [0.01, 1.0, 1e6])
@pytest.mark.parametrize("cls", [DPKMeans, *SAMPLERS])
def test_fewer_rows_than_components(cls, epsilon):
    """The number of records is private, so it must not decide about an error."""
    for n in (1, 2, 7):
        estimator = cls(8, epsilon=epsilon, random_state=0).fit(X[:n], np.zeros(n, int))
        name = "cluster_centers_" if cls is DPKMeans else "means_"
        assert getattr(estimator, name).shape == (8, 3)
        assert np.isfinite(getattr(estimator, name)).all()


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_records_are_not_written_to(cls):
    Z = X.copy()
    Z.setflags(write=False)
    sized(cls, 2, random_state=0).fit(Z, Y)
    assert Z.tobytes() == X.tobytes()
