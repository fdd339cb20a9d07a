"""Tests of DPEmbeddingSynthesizer: what is fitted, what is sampled, for whom."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from private_fits import COVARIANCE_TYPES
from simple_rows import CENTERS, SIZES, D
from sklearn.base import clone
from sklearn.datasets import make_moons

from skdpgmm import DPEmbeddingSynthesizer

# --------------------------------------------------------------------------
# Fitted attributes
# --------------------------------------------------------------------------


def covariance_shape(kind, k):
    return {"full": (k, D, D), "tied": (D, D), "diag": (k, D), "spherical": (k,)}[kind]


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("n_components", [1, 2])
@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_attributes_are_as_documented(data, kind, n_components, labelled):
    X, y = data
    synthesizer = DPEmbeddingSynthesizer(
        n_components, covariance_type=kind, random_state=0
    ).fit(X, y if labelled else None)
    k = n_components * (3 if labelled else 1)
    assert synthesizer.weights_.shape == (k,)
    assert_allclose(synthesizer.weights_.sum(), 1.0)
    assert np.all(synthesizer.weights_ > 0)
    assert synthesizer.means_.shape == (k, D)
    assert synthesizer.covariances_.shape == covariance_shape(kind, k)
    assert synthesizer.precisions_cholesky_.shape == covariance_shape(kind, k)
    assert synthesizer.covariance_type_ == kind
    assert synthesizer.n_components_ == n_components
    assert synthesizer.component_classes_.shape == (k,)
    assert synthesizer.n_features_in_ == D
    if labelled:
        assert_array_equal(synthesizer.classes_, [0, 1, 2])
        assert_array_equal(
            synthesizer.component_classes_, np.repeat([0, 1, 2], n_components)
        )
        totals = synthesizer.weights_.reshape(3, n_components).sum(axis=1)
        assert_allclose(synthesizer.class_weights_, totals)
    else:
        assert synthesizer.classes_ is None
        assert_allclose(synthesizer.class_weights_, [1.0])
    report = synthesizer.privacy_
    assert sum(entry.mu**2 for entry in report.ledger) <= report.mu**2
    assert sum(entry.mu**2 for entry in report.ledger) > 0.99 * report.mu**2


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_without_noise_classes_are_described_by_their_moments(data, kind):
    X, y = data
    # A public ball that holds all records: nothing is clipped at its edge.
    synthesizer = DPEmbeddingSynthesizer(
        1, epsilon=math.inf, covariance_type=kind, clip_norm=20.0, random_state=0
    ).fit(X, y)
    assert_allclose(synthesizer.class_weights_, np.array(SIZES) / sum(SIZES), atol=1e-3)
    scatters = np.array([np.cov(X[y == c].T, bias=True) for c in range(3)])
    expected = {
        "full": scatters,
        "tied": np.average(scatters, axis=0, weights=SIZES),
        "diag": np.array([np.diag(s) for s in scatters]),
        "spherical": np.array([np.trace(s) / D for s in scatters]),
    }[kind]
    for c in range(3):
        assert_allclose(synthesizer.means_[c], X[y == c].mean(axis=0), atol=0.01)
    assert_allclose(synthesizer.covariances_, expected, rtol=0.05, atol=0.01)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["auto", *COVARIANCE_TYPES])
def test_at_epsilon_one_classes_are_where_they_were(data, kind, seed):
    synthesizer = DPEmbeddingSynthesizer(
        1, epsilon=1.0, covariance_type=kind, random_state=seed
    ).fit(*data)
    assert_allclose(synthesizer.means_, CENTERS, atol=0.3)
    assert_allclose(synthesizer.class_weights_, np.array(SIZES) / 6000, atol=0.05)
    X, y = synthesizer.sample(3000)
    for c in range(3):
        assert_allclose(X[y == c].mean(axis=0), CENTERS[c], atol=0.4)
        assert_allclose(X[y == c].std(axis=0).mean(), 0.5, rtol=0.5)


def test_components_of_a_class_share_it(data):
    """Two components in each class find the two halves of it."""
    X, y = data
    synthesizer = DPEmbeddingSynthesizer(
        2, epsilon=math.inf, classes=[0, 1], random_state=0
    )
    # class 0 is the first two blobs, class 1 the third one and a copy far away
    far = X[y == 2] + np.array([0.0, 0.0, 10.0, 0.0])
    X, y = np.concatenate([X, far]), np.concatenate([(y == 2) * 1, np.ones(1000, int)])
    synthesizer.fit(X, y)
    moved = CENTERS[2] + np.array([0.0, 0.0, 10.0, 0.0])
    for c, pair in enumerate([CENTERS[:2], [CENTERS[2], moved]]):
        means = synthesizer.means_[synthesizer.component_classes_ == c]
        distances = np.linalg.norm(means[:, None] - np.array(pair)[None], axis=2)
        assert distances.min(axis=0).max() < 0.3
    X_of_1, labels = synthesizer.sample(400, y=1)
    assert set(labels) == {1}
    assert 0.3 < np.mean(X_of_1[:, 2] > 9.0) < 0.7


def test_public_classes_that_do_not_occur_get_finite_samples(data):
    X, y = data
    for epsilon in (0.01, 1.0, 1e6, math.inf):
        for kind in COVARIANCE_TYPES:
            synthesizer = DPEmbeddingSynthesizer(
                epsilon=epsilon,
                classes=[3, 2, 1, 0, -1],
                covariance_type=kind,
                random_state=0,
            ).fit(X, y)
            assert_array_equal(synthesizer.classes_, [-1, 0, 1, 2, 3])
            assert np.all(synthesizer.class_weights_ > 0)
            for empty in (-1, 3):
                rows, labels = synthesizer.sample(50, y=empty)
                assert np.isfinite(rows).all()
                assert_array_equal(labels, empty)
                # no further out than the records are
                assert np.abs(rows).max() < 30 * np.abs(X).max()


# --------------------------------------------------------------------------
# Labels of all kinds
# --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        np.array(["bird", "cat", "dog"]),
        np.array(["bird", "cat", "dog"], dtype=object),
        np.array([-5, 0, 1000]),
        np.array([0.0, 1.0, 2.0]),
    ],
    ids=["str", "object", "int", "float"],
)
def test_labels_keep_their_names(data, fitted, names):
    X, y = data
    synthesizer = clone(fitted).fit(X, names[y])
    assert_array_equal(synthesizer.classes_, names)
    k = synthesizer.n_components_
    assert_array_equal(synthesizer.component_classes_, np.repeat(names, k))
    # Only the names differ: the private part is the same.
    assert_array_equal(synthesizer.means_, fitted.means_)
    rows, labels = synthesizer.sample(20, random_state=1)
    expected_rows, codes = fitted.sample(20, random_state=1)
    assert_array_equal(rows, expected_rows)
    assert_array_equal(labels, names[codes])
    rows, labels = synthesizer.sample(3, y=names[1], random_state=1)
    assert_array_equal(labels, [names[1]] * 3)
    order = names[[2, 0, 2, 1]]
    rows, labels = synthesizer.sample(4, y=list(order), random_state=1)
    assert_array_equal(labels, order)
    assert_allclose(synthesizer.score(X, names[y]), fitted.score(X, y))


def test_labels_as_lists_and_columns(data, fitted):
    X, y = data
    listed = clone(fitted).fit(X.tolist(), y.tolist())
    assert_array_equal(listed.means_, fitted.means_)
    given = clone(fitted).set_params(classes=[2, 0, 1]).fit(X, y)
    assert_array_equal(given.means_, fitted.means_)
    assert_array_equal(given.classes_, fitted.classes_)


# --------------------------------------------------------------------------
# Densities
# --------------------------------------------------------------------------


def test_covariance_type_auto_says_what_it_chose():
    rng = np.random.default_rng(0)
    wide = DPEmbeddingSynthesizer(epsilon=1.0, random_state=0)
    wide.fit(rng.normal(size=(200, 40)), np.arange(200) % 2)
    assert wide.covariance_type_ == "tied"
    tall = DPEmbeddingSynthesizer(epsilon=8.0, random_state=0)
    tall.fit(rng.normal(size=(20_000, 2)), np.arange(20_000) % 2)
    assert tall.covariance_type_ == "full"


def test_n_components_auto_follows_the_shape_of_large_classes():
    X, y = make_moons(10_000, noise=0.15, random_state=0)
    many = DPEmbeddingSynthesizer(epsilon=1.0, random_state=0).fit(X, y)
    assert many.n_components_ > 1
    few = clone(many).fit(X[:200], y[:200])
    assert few.n_components_ == 1
    taught = clone(many).set_params(label_model=True, n_components=1).fit(X, y)
    assert taught.n_components_ == 1

    def right(synthesizer):
        """Whether the more probable class is the own one."""
        posterior = synthesizer.transform(X)
        of_one = synthesizer.component_classes_ == 1
        return np.mean((posterior[:, of_one].sum(axis=1) > 0.5) == y)

    # One ellipse cannot follow a moon.
    one = clone(many).set_params(n_components=1).fit(X, y)
    assert right(one) < 0.9 < 0.95 < right(many)
