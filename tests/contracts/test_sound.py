"""What follows releases never fails: whatever the noise was, attributes are sound."""

import math

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
from skdpgmm._estimates.spectrum import sound
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import Mixture
from skdpgmm._models.reduction import reduce_mixture, runnalls

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::skdpgmm.exceptions.NoiseDominatedWarning"),
]

RNG = np.random.default_rng(0)


# --------------------------------------------------------------------------
# Covariances
# --------------------------------------------------------------------------


@pytest.mark.parametrize("least", [1.0, 1e-9, 1e-17, 0.0, -1e-3])
@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e120])
def test_sound_covariances_have_factors(least, scale):
    d = 20
    Q = np.linalg.qr(RNG.standard_normal((d, d)))[0]
    C = scale * (Q * np.append(np.linspace(0.5, 1.0, d - 1), least)) @ Q.T
    C = 0.5 * (C + C.T)
    found = sound(C)
    factor = np.linalg.cholesky(found)
    assert np.isfinite(np.linalg.inv(factor / math.sqrt(scale))).all()
    np.testing.assert_allclose(found, C, rtol=0.0, atol=scale * max(-least, 1e-11))
    if least >= 1e-9:
        assert found is C


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_a_mixture_of_broken_covariances_can_be_used(kind):
    k, d = 3, 4
    broken = {
        "full": np.zeros((k, d, d)),
        "tied": -np.eye(d),
        "diag": np.zeros((k, d)),
        "spherical": np.full(k, -1.0),
    }[kind]
    weights, means = np.full(k, 1.0 / k), np.zeros((k, d))
    classes = np.zeros(k, dtype=int)
    mixture = Mixture(weights, means, broken, COVARIANCES[kind], classes)
    assert np.isfinite(mixture.whiteners()).all()
    assert np.isfinite(mixture.log_weights()).all()


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("offset", [0.0, -1e6, 1e12])
def test_a_reduction_far_from_the_origin(kind, offset):
    """Components of width 1e-3 whose squares would cancel."""
    m, d = 40, 2
    weights = RNG.dirichlet(np.ones(m))
    means = RNG.standard_normal((m, d)) + offset
    covariances = np.tile(1e-6 * np.eye(d), (m, 1, 1))
    mixture = reduce_mixture(
        weights, means, covariances, 20, COVARIANCES[kind], 1, np.random.default_rng(1)
    )
    assert np.isfinite(mixture.whiteners()).all()
    assert np.abs(mixture.means - offset).max() < 10.0


def test_greedy_merges_are_those_of_all_pairs():
    """Found again without a table of costs."""
    m, d, k = 9, 3, 4
    weights, means = RNG.dirichlet(np.ones(m)), 3.0 * RNG.standard_normal((m, d))
    roots = RNG.standard_normal((m, d, d + 1))
    parts = list(zip(weights, means, roots @ roots.transpose(0, 2, 1), strict=True))

    def merge(a, b):
        total = a[0] + b[0]
        mean = (a[0] * a[1] + b[0] * b[1]) / total
        second = sum(w * (S + np.outer(m - mean, m - mean)) for w, m, S in (a, b))
        return total, mean, second / total

    def size(part):
        return 0.5 * part[0] * np.linalg.slogdet(part[2])[1]

    expected = list(parts)
    while len(expected) > k:
        pairs = [(i, j) for i in range(len(expected)) for j in range(i)]
        i, j = min(
            pairs,
            key=lambda p: (
                size(merge(expected[p[0]], expected[p[1]]))
                - size(expected[p[0]])
                - size(expected[p[1]])
            ),
        )
        merged = merge(expected[i], expected[j])
        expected = [p for t, p in enumerate(expected) if t not in (i, j)] + [merged]
    found = zip(*runnalls(*map(np.array, zip(*parts, strict=True)), k), strict=True)
    by_weight = [sorted(x, key=lambda part: part[0]) for x in (found, expected)]
    for a, b in zip(*by_weight, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


# --------------------------------------------------------------------------
# Whole fits
# --------------------------------------------------------------------------


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
