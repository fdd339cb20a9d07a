"""Cosine features have the moments that are claimed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm._models.scores import Head, LabelModel, draw_features


def gaussian(d, n, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((d, d)) * np.geomspace(1.0, 0.1, d)
    return rng.standard_normal((n, d)) @ root.T, root @ root.T


@pytest.fixture(scope="module")
def drawn():
    Z, second = gaussian(6, 200_000)
    length = np.sqrt(np.trace(second))
    rng = np.random.default_rng(1)
    return Z, second, length, *draw_features(20, second, length, rng)


def test_moments_are_those_of_gaussian_rows(drawn):
    Z, _, length, features, moments = drawn
    U = np.hstack([Z, features(Z)])
    assert_allclose(U[:, 6:].mean(axis=0), 0.0, atol=0.01 * features.scale)
    joint = U.T @ U / len(U)
    assert_allclose(joint, moments.joint, atol=0.01 * np.abs(joint).max())
    assert_allclose(np.trace(moments.joint[6:, 6:]), (0.5 * length) ** 2)


def test_slopes_are_the_regression_of_features_on_rows(drawn):
    Z, second, _, features, moments = drawn
    slopes = np.linalg.solve(second, moments.joint[:6, 6:]).T
    assert_allclose(moments.slopes, slopes, rtol=1e-6)
    step = 1e-4
    for i in range(6):
        move = step * np.eye(6)[i]
        rates = (features(Z + move) - features(Z - move)).mean(axis=0) / (2 * step)
        assert_allclose(rates, moments.slopes[:, i], atol=0.01 * features.scale)


def test_what_is_not_linear_in_the_rows_is_the_residual_of_a_regression(drawn):
    Z, _, _, features, moments = drawn
    rest = features(Z) - Z @ moments.slopes.T
    found = np.linalg.eigvalsh(rest.T @ rest / len(rest))
    assert_allclose(found, moments.beyond(), atol=0.02 * found.max())


def test_features_for_rows_about_the_origin(drawn):
    Z, _, _, features, _ = drawn
    center, scale = np.arange(6.0), np.geomspace(1e-3, 1e3, 6)
    about = features.in_data(scale, center)
    assert_allclose(about(Z[:100] * scale + center), features(Z[:100]), atol=1e-10)
    coef = np.random.default_rng(0).standard_normal((3, 20))
    assert_allclose(features.scores(Z[:5000], coef), features(Z[:5000]) @ coef.T)


@pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0])
def test_labels_are_the_likeliest_or_drawn(drawn):
    head = Head(np.zeros((3, 2)), np.log([0.5, 0.3, 0.2]))
    model = LabelModel(np.zeros(2), None, head, head, drawn)
    labels = model.labels(np.zeros((40_000, 2)), np.random.default_rng(0))
    shares = np.bincount(labels, minlength=3) / len(labels)
    asked = drawn * np.array([0.5, 0.3, 0.2]) + (1.0 - drawn) * np.array(
        [1.0, 0.0, 0.0]
    )
    assert_allclose(shares, asked, atol=0.01)
