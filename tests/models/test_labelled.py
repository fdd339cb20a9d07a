"""A mixture of labelled rows: its draws and its densities are of one distribution."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp, softmax
from scipy.stats import multivariate_normal

from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.labelled import LabelledMixture
from skdpgmm._models.mixture import Mixture
from skdpgmm._models.scores import Head, LabelModel, draw_features

CLASSES = np.array([0, 0, 1, 2])
WEIGHTS = np.array([0.1, 0.2, 0.3, 0.4])
MEANS = 8.0 * np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
SHAPES = np.array([0.25, 1.0, 4.0, 1.0])
CENTER = np.array([1.0, -2.0])
CODES = np.arange(4)


def labelled(model=None, unit_norm=False, classes=CLASSES):
    shape, kind = (SHAPES, "spherical") if model is None else (2.0 * np.eye(2), "tied")
    mixture = Mixture(WEIGHTS, MEANS, shape, COVARIANCES[kind], classes)
    rng = np.random.default_rng(0)
    return LabelledMixture.of(mixture, CENTER, unit_norm, model, rng)


def label_model():
    """Scores that are nearly linear: those of the means, and a little of features."""
    rng = np.random.default_rng(0)
    features, moments = draw_features(5, 30.0 * np.eye(2), 5.0, rng)
    coef = np.hstack([MEANS / 8.0, 0.01 * rng.standard_normal((4, 5))])
    linear = coef[:, :2] + coef[:, 2:] @ moments.slopes
    return LabelModel(CENTER, features, Head(coef, np.zeros(4)), Head(linear, 0.0))


def test_densities_are_those_of_the_components():
    mixture = labelled()
    X = 5.0 * np.random.default_rng(1).standard_normal((50, 2))
    expected = np.stack(
        [
            np.log(w) + multivariate_normal(m + CENTER, s).logpdf(X)
            for w, m, s in zip(WEIGHTS, MEANS, SHAPES, strict=True)
        ],
        axis=1,
    )
    assert_allclose(mixture.log_joint(X), expected)
    assert_allclose(mixture.log_densities(X), logsumexp(expected, axis=1))
    by_class = mixture.log_by_class(X)
    assert_allclose(by_class[:, 0], logsumexp(expected[:, :2], axis=1))
    assert_allclose(by_class[:, 1:], expected[:, 2:])
    assert_allclose(mixture.responsibilities(X).sum(axis=1), 1.0)
    assert_allclose(mixture.class_weights(), [0.3, 0.3, 0.4])


def test_rows_of_a_class_come_from_its_components():
    codes = np.random.default_rng(2).integers(3, size=3000)
    rows, components = labelled().draw(codes, np.float32, np.random.default_rng(3))
    assert rows.dtype == np.float32
    assert_array_equal(CLASSES[components], codes)
    shares = np.bincount(components[codes == 0]) / np.count_nonzero(codes == 0)
    assert_allclose(shares, [1 / 3, 2 / 3], atol=0.05)
    for j in range(4):
        own = rows[components == j]
        assert_allclose(own.mean(axis=0), MEANS[j] + CENTER, atol=0.3)
        assert_allclose(own.var(axis=0), SHAPES[j], rtol=0.3)


@pytest.mark.parametrize("with_model", [True, False])
def test_rows_on_the_sphere(with_model):
    model = label_model() if with_model else None
    mixture = labelled(model, unit_norm=True, classes=np.arange(4))
    rows, _ = mixture.draw(np.arange(40) % 4, np.float64, np.random.default_rng(0))
    assert_allclose(np.linalg.norm(rows, axis=1), 1.0)


@pytest.mark.parametrize(
    "codes", [np.arange(400) % 4, np.full(300, 2), np.array([3, 0, 0])]
)
def test_rows_have_the_label_that_the_model_gives_them(codes):
    model = label_model()
    mixture = labelled(model, classes=np.arange(4))
    rows, components = mixture.draw(codes, np.float64, np.random.default_rng(0))
    assert components is None
    assert_array_equal(model.scores(rows).argmax(axis=1), codes)
    assert len(np.unique(rows, axis=0)) == len(codes)


def test_slices_hold_all_rows(monkeypatch):
    monkeypatch.setattr("skdpgmm._models.labelled._N_HELD", 12)
    X = np.random.default_rng(0).standard_normal((10, 2))
    mixture = labelled()
    assert [rows.stop - rows.start for rows in mixture.slices(X)] == [3, 3, 3, 1]
    whole = logsumexp(mixture.log_joint(X), axis=1)
    assert_allclose(mixture.log_densities(X), whole)


def test_rows_of_a_rare_label_are_those_that_draws_carry_it():
    # Of a label that is drawn, all but few rows have another likeliest one.
    head = Head(MEANS / 8.0, np.array([2.0, 2.0, 2.0, -3.0]))
    model = LabelModel(CENTER, None, head, head, drawn=1.0)
    weights = np.array([0.5, 0.3, 0.198, 0.002])
    mixture = Mixture(weights, MEANS / 4.0, 2.0 * np.eye(2), COVARIANCES["tied"], CODES)
    rng = np.random.default_rng(1)
    mixture = LabelledMixture.of(mixture, CENTER, False, model, rng)
    rows = mixture.draw_any(400_000, rng)
    expected = rows[model.labels(rows, rng) == 3]
    assert 100 < len(expected) < 10_000
    found, _ = mixture.draw(np.full(4000, 3), np.float64, rng)
    assert_allclose(found.mean(axis=0), expected.mean(axis=0), atol=0.2)
    sure = [softmax(model.scores(X), axis=1)[:, 3].mean() for X in (found, expected)]
    assert_allclose(*sure, rtol=0.2)
