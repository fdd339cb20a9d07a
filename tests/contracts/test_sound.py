"""What follows releases never fails: whatever the noise was, attributes are sound."""

import numpy as np
import pytest
from private_fits import COVARIANCE_TYPES, make_data
from scipy.special import logsumexp

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::skdpgmm.exceptions.NoiseDominatedWarning"),
]


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("center", [1e6, -1e3])
def test_a_public_center_far_from_the_records(kind, center):
    X = np.random.default_rng(0).standard_normal((500, 1)) - 1e6
    mixture = DPGaussianMixture(
        20, covariance_type=kind, center=[center], epsilon=10.0, max_iter=2
    ).fit(X)
    assert np.isfinite(mixture.precisions_cholesky_).all()
    assert np.isfinite(mixture.sample(10)[0]).all()


@pytest.mark.parametrize("epsilon", [1e6, 1e9, 1e12])
@pytest.mark.parametrize("kind", ["tied", "full", "auto"])
def test_classes_of_identical_rows(kind, epsilon):
    y = np.arange(300) % 3
    X = np.random.default_rng(1).standard_normal((3, 40))[y]
    for k in (1, 2):
        synthesizer = DPEmbeddingSynthesizer(
            k, covariance_type=kind, label_model=False, epsilon=epsilon
        ).fit(X, y)
        assert np.isfinite(synthesizer.score(X, y))


@pytest.mark.parametrize("max_iter", [0, 1])
def test_a_public_weight_of_zero(max_iter):
    X, _ = make_data(300, 3)
    start = {
        "weights_init": [0.0, 0.4, 0.6],
        "means_init": X[:3],
        "precisions_init": np.ones(3),
    }
    mixture = DPGaussianMixture(
        3, covariance_type="spherical", max_iter=max_iter, **start
    ).fit(X)
    assert np.all(mixture.weights_ > 0.0)
    assert np.isfinite(mixture.score(X))


# --------------------------------------------------------------------------
# Probabilities
# --------------------------------------------------------------------------

FAR = [1.0, 1e8, 1e16, 1e160, 1e300]


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_probabilities_of_rows_however_far(kind):
    X, y = make_data(300, 3)
    mixture = DPGaussianMixture(3, covariance_type=kind, epsilon=100.0).fit(X)
    synthesizer = DPEmbeddingSynthesizer(
        2, covariance_type=kind, epsilon=100.0, label_model=False
    ).fit(X, y)
    for far in FAR:
        rows = far * np.clip(X[:20], -3.0, 3.0)
        for found in (mixture.predict_proba(rows), synthesizer.transform(rows)):
            np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)
            assert np.all(found >= 0.0)
        for estimator in (mixture, synthesizer):
            assert np.isfinite(estimator.score_samples(rows)).all()
        assert np.isfinite(synthesizer.score(rows, y[:20]))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_random_features", [0, 20])
@pytest.mark.parametrize("clip_norm", ["auto", 1e-60])
def test_log_probabilities_are_finite(clip_norm, n_random_features, n_classes):
    X, y = make_data(300, 3)
    classifier = DPLogisticRegression(
        epsilon=1e4, n_random_features=n_random_features, clip_norm=clip_norm
    ).fit(X, y % n_classes)
    for far in FAR:
        rows = far * np.clip(X, -3.0, 3.0)
        found = classifier.predict_log_proba(rows)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(logsumexp(found, axis=1), 0.0, atol=1e-9)
        np.testing.assert_allclose(np.exp(found), classifier.predict_proba(rows))


@pytest.mark.parametrize("clip_norm", [1e-60, 1e60])
@pytest.mark.parametrize("epsilon", [1e-6, 1.0, 1e12])
@pytest.mark.parametrize("d", [2, 40])
def test_the_ends_of_what_clip_norm_may_be(d, epsilon, clip_norm):
    X, y = make_data(100, d)
    X = X / np.abs(X).max() * clip_norm
    params = {"epsilon": epsilon, "clip_norm": clip_norm}
    DPKMeans(3, **params).fit(X)
    for kind in COVARIANCE_TYPES:
        mixture = DPGaussianMixture(3, covariance_type=kind, reg_covar=0.0, **params)
        assert np.isfinite(mixture.fit(X).precisions_cholesky_).all()
        assert np.isfinite(mixture.score(X))
    assert np.isfinite(DPEmbeddingSynthesizer(**params).fit(X, y).score(X, y))
    classifier = DPLogisticRegression(n_random_features=10, **params).fit(X, y)
    assert np.isfinite(classifier.predict_log_proba(X)).all()
