"""Where random bits come from, and that nothing published leads back to the noise."""

import copy
import hashlib
import math
import os
import pickle
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
from skdpgmm.exceptions import SeededNoiseWarning
from skdpgmm.metrics import private_accuracy
from skdpgmm.privacy.noise import GaussianSource, derive_key, make_generators


def draws(generator, n=500):
    return generator.standard_normal(n)


def test_seeds_are_reproducible():
    def streams(seed):
        return make_generators(seed, seeded=True)

    for a, b in zip(streams(7), streams(7), strict=True):
        np.testing.assert_array_equal(draws(a), draws(b))
    for a, b in zip(streams(7), streams(8), strict=True):
        assert not np.intersect1d(draws(a), draws(b)).size


def test_noise_that_is_not_seeded_does_not_follow_from_the_entropy():
    (noise, public), (other, same) = (
        make_generators(7, seeded=False) for _ in range(2)
    )
    assert not np.intersect1d(draws(noise), draws(other)).size
    np.testing.assert_array_equal(draws(public), draws(same))


PURPOSES = ("noise", "public", "sampling")


def test_every_purpose_has_a_key_of_its_own():
    keys = [derive_key(seed, p) for seed in (0, 1, 2**127) for p in PURPOSES]
    keys += [derive_key(None, p) for p in PURPOSES for _ in range(2)]
    assert len(set(keys)) == 9 + 6
    assert all(0 <= key < 2**128 for key in keys)
    # Of all bits: what comes from the system is not short.
    assert max(derive_key(None, "noise").bit_length() for _ in range(64)) == 128


def test_keys_are_hashes():
    """Known answer: blake2b is one-way, so that a key tells nothing of its entropy."""
    digest = hashlib.blake2b(b"5", digest_size=16, person=b"sampling").digest()
    assert derive_key(5, "sampling") == int.from_bytes(digest, "little")


def test_a_source_cannot_be_copied():
    for copying in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="must not be copied"):
            copying(GaussianSource())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_noise_after_a_fork_is_refused():
    source = GaussianSource()
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks while there are threads
        child = os.fork()
    if not child:
        try:
            source.standard_normal(1)
            os.write(write, b"drawn")
        except RuntimeError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert "forked during a fit" in pipe.read()
    source.standard_normal(1)  # the process that fits goes on


@pytest.mark.parametrize("seed", [0, None])
def test_noise_and_public_streams_differ(seed):
    # Public randomness is published; the noise must not follow from it.
    streams = make_generators(seed, seeded=seed is not None)
    noise, public = (draws(g, 5000) for g in streams)
    assert not np.intersect1d(noise, public).size
    assert abs(np.corrcoef(noise, public)[0, 1]) < 6.5 / math.sqrt(5000)


def test_no_seed_means_fresh_entropy():
    streams = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002 - anybody may do this to a process
        streams += [draws(g) for g in make_generators(None, seeded=False)]
    assert len(np.unique(np.concatenate(streams))) == 4 * 500


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
    noise, public = make_generators(0, seeded=True)
    recorder = RecordingGenerator(noise)
    monkeypatch.setattr(
        skdpgmm._estimators.session, "make_generators", lambda *_: (recorder, public)
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
