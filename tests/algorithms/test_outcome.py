"""What stands out of its noise is told from releases, by one rule."""

import math

import numpy as np
import pytest
from private_fits import LABELLED, PLAIN_CASES, fit, fit_cases, make_data

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPSyntheticClassifier,
)
from skdpgmm._algorithms.doubts import words_of
from skdpgmm._algorithms.outcome import distances, lengths, quality_of, shapes, widths
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm.privacy.records import Release

RNG = np.random.default_rng(0)


def shares(words):
    return {word: words.count(word) / len(words) for word in set(words)}


def test_one_rule():
    assert words_of(9.0, 1.0, 0.1) == ["clear"]
    assert words_of(8.9, 1.0, 0.1) == ["weak"]
    assert words_of(0.2, 1.0, 0.1) == ["noise"]
    # However small the noise is on average, it must not be all.
    assert words_of(9.0, 1.0, 4.0) == ["noise"]
    assert words_of([0.0, -1.0], 0.0, 0.0) == ["clear", "clear"]


@pytest.mark.parametrize("d", [1, 5, 300])
def test_vectors_of_noise_are_noise_and_long_ones_are_clear(d):
    sd = 7.0
    noise = sd * RNG.standard_normal((2000, d))
    assert shares(lengths(noise, sd, d))["noise"] > 0.95
    far = noise + 5.0 * sd * np.sqrt(2.0)  # 50 times the energy of the noise
    assert shares(lengths(far, sd, d)).get("clear", 0.0) > 0.9
    assert "noise" not in shares(lengths(far, sd, d)) or d == 1


@pytest.mark.parametrize("name", COVARIANCES)
def test_moments_of_noise_are_noise(name):
    """In the scale of their release: off the diagonal it is smaller by sqrt(2)."""
    k, d, sd, covariance = 400, 12, 3.0, COVARIANCES[name]
    square = name in ("full", "tied")
    shape = {"diag": (k, d), "spherical": (k,)}.get(name, (k, d, d))
    values = sd * RNG.standard_normal(shape)
    if square:
        upper = np.triu(values, 1) / math.sqrt(2.0)
        diagonal = np.eye(d) * values
        values = upper + np.swapaxes(upper, 1, 2) + diagonal
    ones = np.eye(d) if square else 1.0
    for signal, word in ((0.0, "noise"), (100.0 * sd, "clear")):
        moments = values + signal * ones
        if covariance.one_matrix:
            words = [shapes(Release(m, sd), covariance, 3)[0] for m in moments]
        else:
            words = shapes(Release(moments, sd), covariance, k)
        assert shares(words)[word] > 0.93


def test_means_are_told_by_their_distance_from_the_others():
    centers = np.array([[-5.0, 0], [0, 0], [5, 0]])
    # The one in the middle is where all are on average, and no worse for that.
    assert distances(centers, np.full(3, 0.5)) == ["clear"] * 3
    assert distances(centers, np.full(3, 20.0)) == ["noise"] * 3
    # One that is noise leaves the others what they are.
    lost = np.vstack([centers, [300.0, -80.0]]), np.array([0.5, 0.5, 0.5, 300.0])
    *kept, last = distances(*lost)
    assert kept == ["clear"] * 3 and last == "noise"
    # Without noise there is no doubt, also of the only one that has none.
    assert distances(centers, np.zeros(3)) == ["clear"] * 3
    assert distances(centers, np.array([0.0, 9.0, 9.0])) == ["clear", "noise", "noise"]
    assert distances(centers[:1], np.ones(1)) == []


def test_means_that_are_all_noise_are_not_told_apart():
    found = []
    for _ in range(100):
        found += distances(RNG.standard_normal((8, 30)), np.ones(8))
    assert shares(found)["noise"] > 0.95


def test_the_width_of_a_component_is_the_scale_of_its_mean():
    assert widths(np.array([0.1, 0.8, 4.0]), 10) == ["clear", "weak", "noise"]


def test_a_mean_over_a_count_that_is_noise_is_noise():
    counts = Release(np.array([100.0, 2.0]), 1.0)
    codes = np.zeros(2, dtype=int)
    note = quality_of(codes, counts, mean=["clear", "clear"], shape=["weak"])
    assert note.words == {"mean": ("clear", "noise"), "shape": ("weak", "weak")}
    assert (note.what, note.classes) == ("component", None)
    assert quality_of(np.arange(2), counts, mean=[]).what == "class"
    assert quality_of(np.array([0, 0, 1, 1])).classes == (0, 0, 1, 1)


# --------------------------------------------------------------------------
# Whole fits
# --------------------------------------------------------------------------


# Directions and features have no counts: test_pca.py and test_scaler.py have them.
@pytest.mark.parametrize("name", sorted(set(PLAIN_CASES) - {"pca", "scaler"}))
@pytest.mark.parametrize("epsilon", [8.0, math.inf])
def test_every_estimator_tells_of_every_part(name, epsilon):
    make, labelled = fit_cases(40)[name]
    X, y = make_data(3000, 40)
    names = np.array(["x", "y", "z"])[y]
    report = fit(make(epsilon=epsilon, random_state=0), X, names, labelled).privacy_
    quality = report.quality
    assert len(quality) == 3
    assert set(quality.words) <= {"mean", "shape", "weights", "clusters"}
    assert quality.words
    for column in quality.words.values():
        assert len(column) == 3 and "noise" not in column
    np.testing.assert_allclose(quality.counts, 1000.0, rtol=0.2)
    assert (quality.noise_sd == 0.0) == math.isinf(epsilon)
    assert quality.classes == (("x", "y", "z") if labelled else None)
    assert f"came out   {quality.summary()}" in str(report)


def test_counts_are_those_that_were_released():
    X, _ = make_data(900, 4)
    kmeans = DPKMeans(3, random_state=0).fit(X)
    quality = kmeans.privacy_.quality
    assert quality.what == "cluster"
    assert quality.counts == tuple(kmeans.cluster_counts_)
    ledger = kmeans.privacy_.ledger
    entry = next(entry for entry in ledger if entry.name == "lloyd pass 4: counts")
    assert quality.noise_sd == pytest.approx(entry.noise_multiplier)


@pytest.mark.parametrize("cls", [DPKMeans, DPGaussianMixture])
def test_a_fit_of_noise_says_so(cls):
    X = RNG.standard_normal((60, 4))
    quality = cls(4, epsilon=0.1, random_state=0).fit(X).privacy_.quality
    assert set(quality.words["mean"]) == {"noise"}


@pytest.mark.parametrize("cls", LABELLED)
def test_labels_at_random(cls):
    X, y = RNG.standard_normal((3000, 40)), np.arange(3000) % 3
    for signal, epsilon, expected in ((0.0, 0.1, "noise"), (1.0, 8.0, "clear")):
        rows = X + signal * np.eye(3, 40)[y]
        model = cls(epsilon=epsilon, random_state=0).fit(rows, y)
        assert set(model.privacy_.quality.words["weights"]) == {expected}


def test_components_of_classes():
    X, y = make_data(3000, 6)
    model = DPEmbeddingSynthesizer(2, label_model=False, random_state=0).fit(X, y)
    quality = model.privacy_.quality
    assert (quality.what, quality.classes) == ("component", (0, 0, 1, 1, 2, 2))
    assert quality.table()[0] == (
        "component",
        "class",
        "count",
        "± noise",
        "mean",
        "shape",
    )


def test_wrappers_tell_what_their_synthesizer_does():
    X, y = make_data(900, 4)
    model = DPSyntheticClassifier(n_samples=60, random_state=0).fit(X, y)
    assert model.privacy_.quality == model.synthesizer_.privacy_.quality
