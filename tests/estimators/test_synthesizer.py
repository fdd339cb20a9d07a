"""Tests of DPEmbeddingSynthesizer: what is fitted, what is sampled, for whom."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from private_fits import COVARIANCE_TYPES
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_moons

from skdpgmm import DPEmbeddingSynthesizer

CENTERS = np.array([[4.0, 0.0, 0.0, 0.0], [0.0, 4.0, 0.0, 0.0], [0.0, 0.0, 4.0, 4.0]])
SIZES = [3000, 2000, 1000]
D = CENTERS.shape[1]


@pytest.fixture(scope="module")
def data():
    X, y = make_blobs(SIZES, centers=CENTERS, cluster_std=0.5, random_state=0)
    return X, y


@pytest.fixture(scope="module")
def fitted(data):
    return DPEmbeddingSynthesizer(epsilon=1.0, random_state=0).fit(*data)


@pytest.fixture(scope="module")
def unlabelled(data):
    return DPEmbeddingSynthesizer(3, epsilon=1.0, random_state=0).fit(data[0])


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
# Sampling
# --------------------------------------------------------------------------


def test_sample_draws_classes_by_their_private_weights(fitted):
    _, y = fitted.sample(20_000, random_state=0)
    shares = np.bincount(y) / len(y)
    # six standard deviations
    assert_allclose(shares, fitted.class_weights_, atol=0.02)
    assert shares[0] > 1.5 * shares[2]
    assert np.any(np.diff(y) < 0), "rows must come in random order"


def test_balanced_sample_draws_all_classes_equally_often(fitted):
    _, y = fitted.sample(20_000, random_state=0, class_weight="balanced")
    assert_allclose(np.bincount(y) / len(y), 1 / 3, atol=0.02)


def test_sample_of_given_labels_keeps_their_order(fitted):
    rows, labels = fitted.sample(200, y=2, random_state=0)
    assert_array_equal(labels, np.full(200, 2))
    assert_allclose(rows.mean(axis=0), CENTERS[2], atol=0.4)
    wanted = np.random.default_rng(0).integers(3, size=300)
    rows, labels = fitted.sample(300, y=wanted, random_state=0)
    assert_array_equal(labels, wanted)
    nearest = np.linalg.norm(rows[:, None] - CENTERS[None], axis=2).argmin(axis=1)
    assert np.mean(nearest == wanted) > 0.97


@pytest.mark.parametrize("n, size", [(1, 10), (10, 10), (25, 10), (7, 1)])
def test_iter_samples_cuts_the_draw_into_batches(fitted, n, size):
    batches = list(fitted.iter_samples(n, random_state=0, batch_size=size))
    assert [len(X) for X, _ in batches] == [min(size, n - i) for i in range(0, n, size)]
    assert all(len(X) == len(y) for X, y in batches)
    assert all(X.shape[1] == D for X, _ in batches)
    rows = np.concatenate([X for X, _ in batches])
    assert len(np.unique(rows, axis=0)) == n, "batches must not repeat each other"


def test_iter_samples_takes_labels_and_balance(fitted):
    wanted = np.arange(50) % 3
    batches = fitted.iter_samples(50, y=wanted, random_state=0, batch_size=16)
    assert_array_equal(np.concatenate([y for _, y in batches]), wanted)
    batches = fitted.iter_samples(
        9000, random_state=0, class_weight="balanced", batch_size=1000
    )
    counts = sum(np.bincount(y, minlength=3) for _, y in batches)
    assert_allclose(counts / 9000, 1 / 3, atol=0.03)
    stream = fitted.iter_samples(10**9, y=None, random_state=0, batch_size=4)
    assert stream is iter(stream), "a generator: nothing is drawn before it is asked"


def test_random_state_of_sample(data, fitted):
    one, again, other = (fitted.sample(5, random_state=s)[0] for s in (1, 1, 2))
    assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    # None takes the estimator's own seed, here 0.
    assert_array_equal(fitted.sample(5)[0], fitted.sample(5, random_state=0)[0])
    rng = np.random.RandomState(0)
    first, second = (fitted.sample(5, random_state=rng)[0] for _ in range(2))
    assert not np.array_equal(first, second)
    unseeded = DPEmbeddingSynthesizer().fit(*data)
    assert not np.array_equal(unseeded.sample(5)[0], unseeded.sample(5)[0])


def test_sample_changes_nothing_in_the_estimator(fitted):
    before = {
        name: np.array(value, dtype=object) for name, value in vars(fitted).items()
    }
    fitted.sample(10, y=1, random_state=0)
    list(fitted.iter_samples(10, random_state=0, batch_size=3))
    assert vars(fitted).keys() == before.keys()
    for name, value in vars(fitted).items():
        assert_array_equal(np.array(value, dtype=object), before[name])


def test_samples_without_labels_carry_their_component(unlabelled):
    rows, components = unlabelled.sample(3000, random_state=0)
    shares = np.bincount(components, minlength=3) / 3000
    assert_allclose(shares, unlabelled.weights_, atol=0.05)
    for j in range(3):
        assert_allclose(
            rows[components == j].mean(axis=0), unlabelled.means_[j], atol=0.3
        )
    with pytest.raises(ValueError, match="y must be None"):
        unlabelled.sample(3, y=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_have_the_float_type_that_was_fitted(data, dtype):
    X, y = data
    synthesizer = DPEmbeddingSynthesizer(random_state=0).fit(X.astype(dtype), y)
    assert synthesizer.sample(3)[0].dtype == dtype
    assert next(synthesizer.iter_samples(3))[0].dtype == dtype
    whole = np.round(X).astype(int)
    assert clone(synthesizer).fit(whole, y).sample(3)[0].dtype == np.float64


# --------------------------------------------------------------------------
# Densities
# --------------------------------------------------------------------------


def naive_log_joint(synthesizer, X):
    """Log of weight times density from the definition, for full covariances."""
    columns = []
    for w, m, C in zip(
        synthesizer.weights_, synthesizer.means_, synthesizer.covariances_, strict=True
    ):
        distance = np.einsum("ni,ij,nj->n", X - m, np.linalg.inv(C), X - m)
        log_det = np.linalg.slogdet(2 * np.pi * C)[1]
        columns.append(np.log(w) - 0.5 * (distance + log_det))
    return np.stack(columns, axis=1)


def test_densities_and_responsibilities_are_those_of_the_mixture(data):
    X, y = data
    synthesizer = DPEmbeddingSynthesizer(2, covariance_type="full", random_state=0)
    log_joint = naive_log_joint(synthesizer.fit(X, y), X)
    density = logsumexp(log_joint, axis=1)
    assert_allclose(synthesizer.score_samples(X), density, rtol=1e-6)
    assert_allclose(synthesizer.score(X), density.mean(), rtol=1e-6)
    own = np.where(
        synthesizer.component_classes_[None] == y[:, None], log_joint, -np.inf
    )
    expected = logsumexp(own, axis=1).mean()
    assert_allclose(synthesizer.score(X, y), expected, rtol=1e-6)
    # A label narrows the density down, and wrong labels cost a lot.
    assert synthesizer.score(X, y) <= synthesizer.score(X)
    assert synthesizer.score(X, (y + 1) % 3) < synthesizer.score(X, y) - 5
    Z = synthesizer.transform(X)
    assert_allclose(Z, np.exp(log_joint - density[:, None]), atol=1e-6)


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_transform_gives_responsibilities(data, kind):
    X, y = data
    synthesizer = DPEmbeddingSynthesizer(2, covariance_type=kind, random_state=0)
    Z = synthesizer.fit(X, y).transform(X)
    assert Z.shape == (len(X), 6)
    assert_allclose(Z.sum(axis=1), 1.0)
    assert np.all(Z >= 0)
    of_class = np.stack(
        [Z[:, synthesizer.component_classes_ == c].sum(axis=1) for c in range(3)], 1
    )
    assert np.mean(of_class.argmax(axis=1) == y) > 0.95
    names = synthesizer.get_feature_names_out()
    assert list(names) == [f"dpembeddingsynthesizer{i}" for i in range(6)]
    # far away from all components the densities underflow, their ratios do not
    far = synthesizer.transform(np.full((1, D), 1e6))
    assert_allclose(far.sum(), 1.0)


def test_score_without_labels_ignores_y(data, unlabelled):
    X, y = data
    assert unlabelled.score(X, y) == unlabelled.score(X)


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
    taught = clone(many).set_params(label_model=True).fit(X, y)
    assert taught.n_components_ == 1

    def right(synthesizer):
        """Whether the more probable class is the own one."""
        posterior = synthesizer.transform(X)
        of_one = synthesizer.component_classes_ == 1
        return np.mean((posterior[:, of_one].sum(axis=1) > 0.5) == y)

    # One ellipse cannot follow a moon.
    one = clone(many).set_params(n_components=1).fit(X, y)
    assert right(one) < 0.9 < 0.95 < right(many)
