"""A fit warns of what its releases cannot tell from noise, and of nothing else."""

import warnings

import numpy as np
import pytest
from private_fits import make_data
from sklearn.datasets import load_digits, make_blobs

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
)
from skdpgmm._algorithms.doubts import (
    collected_doubts,
    doubt,
    doubt_counts,
    doubt_differences,
)
from skdpgmm.exceptions import NoiseDominatedWarning

RNG = np.random.default_rng(0)
# What people have measured, and asked too much of.
FEW = RNG.normal([130.0, 80.0, 37.0, 70.0], 3.0, size=(200, 4))
LABELS = np.arange(100) % 10
UNIT = RNG.standard_normal((100, 384)) + RNG.standard_normal((10, 384))[LABELS]
UNIT /= np.linalg.norm(UNIT, axis=1, keepdims=True)


def doubts_of(fit):
    """Messages of the warnings of a fit."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", NoiseDominatedWarning)
        fit()
    return [str(warning.message) for warning in found]


@pytest.mark.parametrize("cls", [DPKMeans, DPGaussianMixture])
def test_a_scale_that_is_not_found(cls):
    found = doubts_of(lambda: cls(3, scale=None, random_state=0).fit(FEW[:60]))
    assert "The scale of the records cannot be told from noise" in found[0]
    assert all(word in found[0] for word in ("clip_norm", "center", "larger epsilon"))
    assert len(found) == len(set(found))
    # What somebody knows is no reason for doubt.
    known = cls(1, epsilon=100.0, clip_norm=20.0, center=FEW[0], random_state=0)
    assert doubts_of(lambda: known.fit(FEW)) == []


@pytest.mark.parametrize("label_model", ["auto", False])
@pytest.mark.parametrize("clip_norm", ["auto", 1.0])
def test_a_hundred_embeddings_in_ten_classes(clip_norm, label_model):
    params = {"clip_norm": clip_norm, "label_model": label_model}
    assert doubts_of(lambda: DPEmbeddingSynthesizer(**params).fit(UNIT, LABELS))


def test_classes_that_do_not_differ():
    X, y = RNG.standard_normal((2000, 40)), RNG.integers(3, size=2000)
    synthesizer = DPEmbeddingSynthesizer(label_model=False, random_state=0)
    (found,) = doubts_of(lambda: synthesizer.fit(X, y))
    assert "means of the classes cannot be told from noise" in found


@pytest.mark.parametrize("n", [300, 8_000])
def test_classes_of_few_records(n):
    X, y = make_blobs(n, centers=20, n_features=40, random_state=0)
    for estimator in (DPEmbeddingSynthesizer(), DPLogisticRegression()):
        found = doubts_of(lambda estimator=estimator: estimator.fit(X, y))
        assert any("differ in is drowned" in message for message in found) == (n == 300)


@pytest.mark.parametrize("n_rare, expected", [(3, True), (300, False)])
def test_a_rare_class(n_rare, expected):
    X, y = make_blobs([3000, 3000, n_rare], n_features=8, random_state=0)
    one_each = DPEmbeddingSynthesizer(1, label_model=False, random_state=1)
    for estimator in (one_each, DPLogisticRegression(random_state=1)):
        found = doubts_of(lambda estimator=estimator: estimator.fit(X, y))
        assert any("1 of 3 classes have so few" in text for text in found) == expected


def test_labels_at_random():
    X, y = RNG.standard_normal((1000, 40)), np.arange(1000) % 4
    head = DPLogisticRegression(scale=None, random_state=0)
    found = doubts_of(lambda: head.fit(X, y))
    assert any("The weights of the head cannot be told" in text for text in found)


def test_any_component_that_is_lost():
    X, _ = make_blobs(5000, centers=[[-5, 0], [5, 0]], random_state=0)
    for cls in (DPKMeans, DPGaussianMixture):
        found = doubts_of(lambda cls=cls: cls(60, random_state=0).fit(X))
        assert any("of 60 c" in text and "have counts" in text for text in found)


def test_clusters_of_a_rare_class():
    X, y = make_blobs([6000, 6000, 20], n_features=40, random_state=0)
    found = doubts_of(lambda: DPEmbeddingSynthesizer(random_state=0).fit(X, y))
    assert any("1 of 3 classes most clusters have" in text for text in found)


@pytest.mark.parametrize("n, expected", [(400, True), (20_000, False)])
def test_a_norm_of_one_that_is_hidden(n, expected):
    X = np.random.default_rng(1).standard_normal((n, 8))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    synthesizer = DPEmbeddingSynthesizer(1, clip_norm=1.0, random_state=0)
    found = doubts_of(lambda: synthesizer.fit(X))
    assert any("have norm 1 cannot be told" in text for text in found) == expected
    assert synthesizer.normalize_ != expected


def test_a_start_of_noise_only():
    mixture = DPGaussianMixture(3, clip_norm=20.0, max_iter=1, random_state=0)
    found = doubts_of(lambda: mixture.set_params(epsilon=0.1).fit(FEW - FEW.mean(0)))
    assert any("No cell that the components start from" in text for text in found)


def test_an_agreement_that_is_noise():
    labels = np.arange(100) % 2
    synthesizer = DPEmbeddingSynthesizer(label_model=True, random_state=0)
    found = doubts_of(lambda: synthesizer.fit(UNIT, labels))
    assert any("How often the head is right" in text for text in found)


def test_imagined_records_are_all_alike_and_no_doubt_is_made_of_it():
    synthesizer = DPEmbeddingSynthesizer(label_model=False)
    assert synthesizer.plan(20_000, 64, 10).doubts == ()
    assert DPLogisticRegression().plan(20_000, 64, 10).doubts == ()
    assert synthesizer.plan(20, 64, 10).doubts


def test_the_warning_of_a_part_reaches_whoever_fits_the_whole():
    model = DPSyntheticClassifier(DPEmbeddingSynthesizer(), n_samples=50)
    assert doubts_of(lambda: model.fit(UNIT, LABELS))


def test_a_warning_that_is_an_error_tells_what_was_spent_and_the_fit_is_there():
    kmeans = DPKMeans(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NoiseDominatedWarning)
        with pytest.raises(NoiseDominatedWarning) as caught:
            kmeans.fit(FEW)
    assert caught.value.privacy_ is kmeans.privacy_


def test_ordinary_fits_do_not_warn():
    blobs, two = make_blobs(5000, centers=[[-5, 0], [5, 0]], random_state=0)
    digits = load_digits(return_X_y=True)
    for epsilon in (0.5, 8.0, np.inf):
        params = {"epsilon": epsilon, "random_state": 0}
        for fit in (
            lambda params=params: DPKMeans(2, **params).fit(blobs),
            lambda params=params: DPGaussianMixture(2, **params).fit(blobs),
            lambda params=params: DPEmbeddingSynthesizer(**params).fit(blobs, two),
            lambda params=params: DPLogisticRegression(**params).fit(*digits),
            lambda params=params: DPEmbeddingSynthesizer(**params).fit(*digits),
        ):
            assert doubts_of(fit) == []


def test_doubts_belong_to_one_fit():
    with collected_doubts() as outer:
        doubt("of the outer")
        with collected_doubts() as inner:
            doubt("of the inner")
            doubt("of the inner")
        doubt("of the outer again")
    doubt("of nobody")
    assert (outer, inner) == (["of the outer", "of the outer again"], ["of the inner"])


def test_of_what_has_no_noise_there_is_no_doubt():
    with collected_doubts() as found:
        doubt_differences(np.zeros(3), 0.0, 3, "These")
        doubt_counts(np.zeros(3), 0.0, "parts")
    assert found == []


def test_noise_alone_is_doubted_and_more_is_not():
    sd, n_doubts = 7.0, {0.0: 0, 10.0: 0}
    for seed in range(200):
        noise = np.random.default_rng(seed).standard_normal(50)
        for signal in n_doubts:
            with collected_doubts() as found:
                doubt_differences(sd * (noise + signal), sd, 50, "These")
                doubt_counts(sd * (noise + signal), sd, "parts")
            n_doubts[signal] += len(found)
    assert n_doubts[10.0] == 0
    assert n_doubts[0.0] > 390


# --------------------------------------------------------------------------
# Where the records lie
# --------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [100.0, 1e6, np.inf])
def test_a_rare_class_far_out_is_not_cut_off(epsilon):
    X, y = RNG.standard_normal((10_000, 2)), np.zeros(10_000, dtype=int)
    y[:10], X[:10, 0] = 1, X[:10, 0] + 15.0
    synthesizer = DPEmbeddingSynthesizer(epsilon=epsilon, label_model=False).fit(X, y)
    mean = synthesizer.means_[synthesizer.component_classes_ == 1].mean(axis=0)
    np.testing.assert_allclose(mean, X[:10].mean(axis=0), atol=5.0)


@pytest.mark.parametrize("epsilon", [1.0, 1e6, np.inf])
def test_an_error_far_out_does_not_hide_the_rest(epsilon):
    X, y = make_blobs(5000, centers=[[-5, 0], [5, 0], [0, 8]], random_state=0)
    X[0] = 1e9
    classifier = DPLogisticRegression(epsilon=epsilon, random_state=0).fit(X, y)
    assert classifier.score(X, y) > 0.99


@pytest.mark.parametrize("offset", [1e4, 1e6, -1e8])
def test_records_far_from_the_origin(offset):
    """Each look at the centre brings it nearer by the noise of the one before."""
    X = RNG.standard_normal((5000, 4)) + 4.0 * (np.arange(5000) % 2)[:, None] + offset
    kmeans = DPKMeans(2, random_state=0).fit(X)
    centers = np.sort(kmeans.cluster_centers_[:, 0]) - offset
    np.testing.assert_allclose(centers, [0.0, 4.0], atol=0.5)
    report = kmeans.privacy_
    assert any(entry.name.startswith("center again") for entry in report.ledger)
    assert 0.99 * report.mu < report.spent_mu <= report.mu


def test_one_look_is_enough_near_the_origin():
    X, _ = make_data(2000, 4)
    ledger = DPKMeans(2).fit(X).privacy_.ledger
    assert not any(entry.name.startswith("center again") for entry in ledger)
