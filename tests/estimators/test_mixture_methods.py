"""Draws, densities and responsibilities of a labelled mixture."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from private_fits import COVARIANCE_TYPES
from scipy.special import logsumexp
from simple_rows import CENTERS, D
from sklearn.base import clone
from tapes import assert_same

from skdpgmm import DPEmbeddingSynthesizer


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
    before = copy.deepcopy(vars(fitted))
    fitted.sample(10, y=1, random_state=0)
    list(fitted.iter_samples(10, random_state=0, batch_size=3))
    assert_same(vars(fitted), before)


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
