"""Where random bits come from, and that nothing published leads back to the noise."""

import copy
import math
import warnings

import numpy as np
import pytest
from private_fits import make_data
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB

import skdpgmm._estimators.session
from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
    DPSyntheticResampler,
)
from skdpgmm._estimators.randomness import make_keys
from skdpgmm.exceptions import SeededNoiseWarning
from skdpgmm.metrics import private_accuracy


def draws(generator, n=500):
    return generator.standard_normal(n)


@pytest.mark.parametrize(
    "estimator",
    [DPKMeans(2), DPGaussianMixture(2, max_iter=1), DPEmbeddingSynthesizer(1)],
)
def test_fits_without_seed_ignore_numpys_global_generator(estimator):
    # Far from the origin, so that no estimate is shrunk to exactly zero.
    X = np.random.default_rng(0).standard_normal((300, 2)) + 20.0
    fits = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002 - the user's habit must not fix the noise
        fitted = estimator.set_params(epsilon=10.0).fit(X)
        is_kmeans = isinstance(fitted, DPKMeans)
        fits.append(fitted.cluster_centers_ if is_kmeans else fitted.means_)
    assert not np.array_equal(*fits)


@pytest.mark.parametrize("shared", [False, True])
def test_a_random_state_instance_does_not_lead_to_the_noise(shared):
    X = np.random.default_rng(0).standard_normal((300, 2)) + 20.0
    rng = np.random.RandomState(0)
    states = [rng if shared else np.random.RandomState(0) for _ in range(2)]
    first, second = (DPKMeans(1, random_state=state).fit(X) for state in states)
    assert not np.intersect1d(first.cluster_centers_, second.cluster_centers_).size
    assert first.privacy_.not_private is None
    assert first.privacy_.noise == "AES-CTR, seeded by the operating system"


def test_clones_differ_in_their_noise():
    X, y = make_data(300, 3)
    for estimator in (
        DPKMeans(1, random_state=np.random.RandomState(0)),
        DPSyntheticClassifier(
            n_samples=200,
            classifier=GaussianNB(),
            random_state=np.random.RandomState(0),
        ),
    ):
        reports, released = [], []
        for _ in range(2):
            fitted = clone(estimator).fit(X, y)
            reports.append(fitted.privacy_)
            if isinstance(fitted, DPSyntheticClassifier):
                fitted = fitted.synthesizer_
                released.append(fitted.means_)
            else:
                released.append(fitted.cluster_centers_)
        assert not np.intersect1d(*released).size
        assert all(report.not_private is None for report in reports)


@pytest.mark.parametrize("state", [3, np.random.RandomState(3)])
def test_samples_do_not_come_from_the_stream_of_the_random_state(state):
    """What is published must not give away the state of a Mersenne Twister."""
    X, y = make_data(300, 3)
    synthesizer = DPEmbeddingSynthesizer(1, random_state=0, epsilon=100.0).fit(X, y)
    twin = (
        np.random.RandomState(state) if isinstance(state, int) else copy.deepcopy(state)
    )
    uniform = twin.random_sample(5000)
    _, labels = synthesizer.sample(5000, random_state=state)
    p = np.cumsum(synthesizer.class_weights_)
    by_twister = synthesizer.classes_[np.searchsorted(p, uniform)]
    # Independent draws of three classes agree in about a third.
    assert np.mean(labels == by_twister) < 0.45
    _, again = synthesizer.sample(5000, random_state=state)
    assert np.array_equal(labels, again) == isinstance(state, int)


@pytest.mark.parametrize(
    "estimator",
    [
        DPKMeans(2, random_state=0),
        DPGaussianMixture(2, max_iter=1, random_state=0),
        DPEmbeddingSynthesizer(1, random_state=0),
        DPLogisticRegression(random_state=0),
        DPSyntheticClassifier(classifier=GaussianNB(), n_samples=99, random_state=0),
        DPSyntheticResampler(n_samples=99, random_state=0),
    ],
)
def test_a_seed_is_not_private_and_says_so(estimator):
    X, y = make_data(300, 3)
    with pytest.warns(SeededNoiseWarning, match="whoever tries all seeds") as caught:
        report = estimator.fit(X, y).privacy_
    assert caught[0].filename == __file__
    assert str(report).startswith("warning    NOT PRIVATE")
    assert repr(report).startswith("NOT PRIVATE")
    # Also in the table of attributes that scikit-learn makes of an estimator.
    assert "NOT PRIVATE" in estimator._repr_html_()


def test_private_accuracy_with_a_seed_says_so():
    with pytest.warns(SeededNoiseWarning):
        score = private_accuracy([0, 1] * 50, [0, 0] * 50, random_state=0)
    assert score.privacy.not_private


def test_no_seed_no_warning():
    X, y = make_data(300, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SeededNoiseWarning)
        DPEmbeddingSynthesizer(1).fit(X, y)
        # Nothing can be taken away where no noise is.
        DPEmbeddingSynthesizer(1, random_state=0, epsilon=math.inf).fit(X, y)


class RecordingGenerator:
    """Hands out standard normals, which is all that noise may take, and keeps them."""

    def __init__(self, generator):
        self.generator = generator
        self.drawn = []

    def standard_normal(self, shape):
        values = self.generator.standard_normal(shape)
        self.drawn.append(np.ravel(values).copy())
        return values


@pytest.mark.parametrize(
    "estimator",
    [
        DPKMeans(3, random_state=0),
        DPGaussianMixture(3, random_state=0),
        DPEmbeddingSynthesizer(2, random_state=0, covariance_type="full"),
    ],
)
def test_every_number_released_has_a_draw_of_its_own(estimator, monkeypatch):
    noise, public = make_keys(0, seeded=True)
    recorder = RecordingGenerator(noise)
    monkeypatch.setattr(
        skdpgmm._estimators.session, "make_keys", lambda *_: (recorder, public)
    )
    X = np.random.default_rng(0).standard_normal((500, 3))
    estimator.fit(X)
    drawn = np.concatenate(recorder.drawn)
    assert len(np.unique(drawn)) == len(drawn)
    needed = 0
    for entry in estimator.privacy_.ledger:
        n = math.prod(entry.shape)
        # Only matrices are symmetric: (d, d) or (k, d, d).
        if entry.shape[-2:] == (3, 3) and "sums" not in entry.name:
            n = n * 2 // 3  # d (d + 1) / 2 of d^2 entries
        needed += n
    assert len(drawn) == needed
