"""The label model of the synthesizer: whose labels rows carry, and what it costs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from skdpgmm import DPEmbeddingSynthesizer, verify


@pytest.fixture(scope="module")
def fitted():
    X, y = load_digits(return_X_y=True)
    return DPEmbeddingSynthesizer(epsilon=8.0, scale=None, random_state=0).fit(X, y)


def labels_of(synthesizer, X):
    return synthesizer.classes_[synthesizer.label_model_.scores(X).argmax(axis=1)]


def test_rows_carry_the_labels_of_the_label_model(fitted):
    X, y = fitted.sample(3000)
    assert 0.0 < fitted.label_model_.drawn < 1.0
    likeliest = np.mean(labels_of(fitted, X) == y)
    assert 1.0 - fitted.label_model_.drawn < likeliest < 1.0
    shares = np.bincount(y, minlength=10) / 3000
    assert_allclose(shares, fitted.class_weights_, atol=0.03)
    X, y = fitted.sample(500, y=7)
    assert_array_equal(y, np.full(500, 7))
    assert np.mean(labels_of(fitted, X) == 7) > 0.7
    batches = [y for _, y in fitted.iter_samples(50, y=3, batch_size=20)]
    assert_array_equal(np.concatenate(batches), np.full(50, 3))


def test_rows_of_many_records_are_calibrated():
    # A class for each side of a blurred plane: whoever learns from rows with the
    # likeliest labels only is far too sure.
    rng = np.random.default_rng(0)
    X, slopes = rng.standard_normal((6000, 40)), 0.35 * rng.standard_normal(40)
    y = X @ slopes + rng.logistic(size=6000) > 0.0
    synthesizer = DPEmbeddingSynthesizer(epsilon=8.0, random_state=0).fit(X, y)
    found = LogisticRegression().fit(*synthesizer.sample(10_000, random_state=0))
    right = np.logaddexp(0.0, np.where(y, -1.0, 1.0) * (X @ slopes)).mean()
    assert log_loss(y, found.predict_proba(X)) < 1.1 * right


def test_a_majority_does_not_hide_the_other_classes():
    rng = np.random.default_rng(0)
    centers = 7.0 / np.sqrt(2.0) * np.linalg.qr(rng.standard_normal((64, 64)))[0][:3]
    y = np.repeat(np.arange(3), [4000, 400, 40])
    X = centers[y] + rng.standard_normal((len(y), 64))
    fitted = DPEmbeddingSynthesizer(epsilon=8.0, random_state=0).fit(X, y)
    means = [fitted.means_[fitted.component_classes_ == j].mean(axis=0) for j in (0, 1)]
    assert np.linalg.norm(means[0] - means[1]) > 3.5


def test_classes_have_shapes_where_these_can_be_told():
    rng = np.random.default_rng(0)
    y = np.arange(6000) % 2
    X = rng.standard_normal((6000, 40))
    X[:, 0] *= np.where(y, 4.0, 1.0)  # as wide in one direction, and in another
    X[:, 1] *= np.where(y, 1.0, 4.0)
    X[:, 2] += 3.0 * y
    fitted = DPEmbeddingSynthesizer(epsilon=1e3, random_state=0).fit(X, y)
    assert fitted.class_shapes_.factors.shape == (2, 40, 40)
    assert "shapes: scatters" in {entry.name for entry in fitted.privacy_.ledger}
    assert fitted.score(X, y) > fitted.score(X[:, [1, 0, *range(2, 40)]], y)
    spreads = [fitted.sample(3000, y=code)[0].std(axis=0)[:2] for code in (0, 1)]
    assert spreads[0][1] > 1.5 * spreads[0][0]
    assert spreads[1][0] > 1.5 * spreads[1][1]
    one = DPEmbeddingSynthesizer(1, epsilon=1e3, random_state=0).fit(X, y)
    assert one.class_shapes_ is None


def test_its_share_is_in_the_ledger(fitted):
    head = [e for e in fitted.privacy_.ledger if e.name.startswith("head")]
    # The steps, and four last looks; some are several rows of the ledger.
    assert len({e.name.split(":")[0] for e in head}) == fitted.n_iter_ + 4
    share = sum(e.mu**2 for e in head) / fitted.privacy_.mu**2
    assert_allclose(share, 0.948 * 0.70, rtol=1e-9)


def test_classes_have_clusters_where_these_can_be_told():
    X, y = load_digits(return_X_y=True)
    several = DPEmbeddingSynthesizer(epsilon=100.0, random_state=0).fit(X, y)
    assert several.n_components_ > 1
    assert len(several.means_) > 10
    assert_array_equal(np.unique(several.component_classes_), np.arange(10))
    assert several.label_model_ is not None
    one = DPEmbeddingSynthesizer(1, epsilon=100.0, random_state=0).fit(X, y)
    assert one.n_components_ == 1
    assert_array_equal(one.component_classes_, np.arange(10))
    assert not [e for e in one.privacy_.ledger if "lloyd" in e.name]


def test_classes_have_means_where_only_these_can_be_told(tmp_path):
    X, y = make_blobs(1500, n_features=16, centers=2, random_state=0)
    fitted = DPEmbeddingSynthesizer(label_model=True, clip_norm=50.0).fit(X, y)
    names = [e.name for e in fitted.privacy_.ledger]
    assert "class means: sums" in names
    assert not [name for name in names if "lloyd" in name]
    # The replay of the releases, beside the plan.
    fitted.save(tmp_path / "model")
    assert all(check.passed for check in verify(tmp_path / "model").checks)


@pytest.mark.parametrize(
    "params, labelled",
    [
        ({"label_model": False}, True),
        ({"label_model": "auto"}, True),  # two features
        ({"n_components": 2}, True),
        ({"covariance_type": "diag"}, True),
        ({"label_model": "auto"}, False),
    ],
)
def test_the_plain_method_has_none(params, labelled):
    X, y = make_blobs(500, centers=3, random_state=0)
    synthesizer = DPEmbeddingSynthesizer(random_state=0, **params)
    synthesizer.fit(X, y if labelled else None)
    assert synthesizer.label_model_ is None
    names = [e.name for e in synthesizer.privacy_.ledger]
    assert not [name for name in names if name.startswith("head")]
    assert synthesizer.sample(10)[0].shape == (10, 2)


@pytest.mark.parametrize(
    "params", [{"n_components": 2}, {"covariance_type": "full"}, {"y": None}]
)
def test_asked_for_where_it_cannot_be_had(params):
    X, y = make_blobs(100, centers=3, random_state=0)
    y = params.pop("y", y)
    synthesizer = DPEmbeddingSynthesizer(label_model=True, **params)
    with pytest.raises(ValueError, match="label_model=True needs"):
        synthesizer.fit(X, y)
    assert not hasattr(synthesizer, "privacy_")


@pytest.mark.parametrize("epsilon", [100.0, np.inf])
def test_constant_features(epsilon):
    X, y = load_digits(return_X_y=True)
    assert np.any(X.std(axis=0) == 0.0)
    synthesizer = DPEmbeddingSynthesizer(epsilon=epsilon, random_state=0).fit(X, y)
    rows, _ = synthesizer.sample(1000)
    assert np.isfinite(rows).all()
    if np.isinf(epsilon):
        assert np.abs(rows[:, X.std(axis=0) == 0.0]).max() < 1e-3


def test_rows_asked_for_one_label_are_those_that_carry_it_among_all(fitted):
    X, y = fitted.sample(60_000, random_state=0)
    for label in (1, 8):
        rows, _ = fitted.sample(5000, y=label, random_state=1)
        # A mean of their own in every direction, within its noise.
        spread = X[y == label].std(axis=0) * np.sqrt(1 / 5000 + 1 / np.sum(y == label))
        gaps = rows.mean(axis=0) - X[y == label].mean(axis=0)
        assert np.mean((gaps / spread) ** 2) < 1.5
        scores = (
            fitted.label_model_.scores(rows),
            fitted.label_model_.scores(X[y == label]),
        )
        margins = [np.diff(np.sort(s, axis=1)[:, -2:]).mean() for s in scores]
        assert_allclose(*margins, rtol=0.05)


def test_a_label_that_is_never_given_ends_the_search_for_it():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 5)), rng.integers(20, size=300)
    synthesizer = DPEmbeddingSynthesizer(
        epsilon=0.01, label_model=True, random_state=0
    ).fit(X, y)
    for label in range(20):
        rows, labels = synthesizer.sample(200, y=label)
        assert np.isfinite(rows).all()
        assert_array_equal(labels, np.full(200, label))


def test_means_of_many_small_classes_are_more_than_noise_in_the_plain_method():
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((60, 64))
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    y = rng.integers(60, size=6000)
    X = 0.6 * centers[y] + 0.08 * rng.standard_normal((6000, 64))
    synthesizer = DPEmbeddingSynthesizer(label_model=False, random_state=1).fit(X, y)
    assert synthesizer.covariance_type_ == "tied"
    means, truth = (Z - Z.mean(axis=0) for Z in (synthesizer.means_, centers))
    cosines = np.sum(means * truth, axis=1) / np.linalg.norm(means, axis=1)
    assert np.mean(cosines / np.linalg.norm(truth, axis=1)) > 0.4
