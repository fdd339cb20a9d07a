"""Distances and densities are right wherever the rows are, against exact arithmetic."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from private_fits import COVARIANCE_TYPES, make_data

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    metrics,
)
from skdpgmm._models.distances import nearest, squared_distances

# Rows on this grid can be moved by any of the offsets without a rounding.
GRID = 2.0**-18
OFFSETS = [0.0, 1.7e9, -3e7]
D = 6


def on_grid(array):
    return np.round(array / GRID) * GRID


def exact_squares(X, centers, weights):
    """Weighted squared distances in rational numbers."""
    rows, middles, factors = (
        [[Fraction(float(value)) for value in row] for row in array]
        for array in (X, centers, weights)
    )
    return [
        [
            sum(w * (a - b) ** 2 for a, b, w in zip(row, middle, factor, strict=True))
            for middle, factor in zip(middles, factors, strict=True)
        ]
        for row in rows
    ]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    d=st.integers(1, 20),
    offset=st.sampled_from([0.0, 1.0, 1.7e9, -1e12, 1e100]),
    width=st.sampled_from([1e-6, 1.0, 1e6]),
    gap=st.sampled_from([0.0, 1e-9, 1e-3, 1.0]),
    spread=st.sampled_from([0.0, 6.0]),
)
def test_squared_distances_are_exact_to_ten_digits(seed, d, offset, width, gap, spread):
    rng = np.random.default_rng(seed)
    centers = offset + width * rng.standard_normal((4, d))
    X = centers[[0, 0, 1, 3, 2]] + width * gap * rng.standard_normal((5, d))
    weights = 10.0 ** rng.uniform(-spread, spread, (4, d))
    for given_weights in (None, weights):
        factors = np.ones_like(weights) if given_weights is None else weights
        exact = exact_squares(X, centers, factors)
        found = squared_distances(X, centers, given_weights)
        assert_allclose(found, np.array(exact, dtype=float), rtol=1e-10, atol=0.0)


def test_nearest_is_the_least_distance_in_blocks_of_any_size(monkeypatch):
    rng = np.random.default_rng(0)
    centers = on_grid(rng.standard_normal((7, 3))) + 1.7e9
    X = on_grid(rng.standard_normal((500, 3))) + 1.7e9
    squares = squared_distances(X, centers)
    monkeypatch.setattr("skdpgmm._models.distances._N_NUMBERS", 70)
    labels, least = nearest(X, centers)
    assert_array_equal(labels, np.argmin(squares, axis=1))
    assert_allclose(least, squares.min(axis=1), rtol=1e-12)
    assert_allclose(squared_distances(X, centers), squares, rtol=1e-12)


def test_rows_whose_squares_overflow_are_infinitely_far():
    squares = squared_distances(np.array([[1e300], [0.5]]), np.array([[0.0], [1.0]]))
    assert_array_equal(squares, [[np.inf, np.inf], [0.25, 0.25]])


# --------------------------------------------------------------------------
# Models and rows that are moved together
# --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data():
    X, y = make_data(900, D)
    return on_grid(X), y


@pytest.mark.parametrize("offset", OFFSETS)
def test_kmeans_far_from_the_origin(data, offset):
    X, _ = data
    kmeans = DPKMeans(8, random_state=0).fit(X)
    centers = on_grid(kmeans.cluster_centers_)
    exact = np.linalg.norm(X[:, None] - centers, axis=2)
    kmeans.cluster_centers_ = centers + offset
    assert_array_equal(kmeans.predict(X + offset), exact.argmin(axis=1))
    assert_allclose(kmeans.transform(X + offset), exact, rtol=1e-12)
    losses = exact.min(axis=1) ** 2
    assert_allclose(kmeans.score(X + offset), -losses.sum(), rtol=1e-12)
    # On a centre the distance is 0, and beside it as small as it is.
    beside = kmeans.cluster_centers_ + GRID * np.eye(D)[0]
    assert_array_equal(np.diag(kmeans.transform(kmeans.cluster_centers_)), 0.0)
    assert_array_equal(np.diag(kmeans.transform(beside)), GRID)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_mixtures_far_from_the_origin(data, kind, offset):
    X, _ = data
    mixture = DPGaussianMixture(
        3, epsilon=8.0, covariance_type=kind, random_state=0
    ).fit(X)
    mixture.means_ = on_grid(mixture.means_)
    methods = ("score_samples", "predict", "predict_proba", "score", "bic", "aic")
    expected = [getattr(mixture, name)(X) for name in methods]
    mixture.means_ = mixture.means_ + offset
    for name, value in zip(methods, expected, strict=True):
        found = getattr(mixture, name)(X + offset)
        assert_allclose(found, value, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("label_model", [False, True])
def test_synthesizers_far_from_the_origin(data, label_model, offset):
    X, y = data
    synthesizer = DPEmbeddingSynthesizer(
        epsilon=8.0, label_model=label_model, random_state=0
    ).fit(X, y)
    fitted = synthesizer._mixture
    means = on_grid(fitted.mixture.means)

    def move(offset):
        """Move all that the synthesizer has fitted."""
        model = fitted.model
        if label_model:
            model = model._replace(center=on_grid(model.center) + offset)
        mixture = replace(fitted.mixture, means=means + offset)
        synthesizer._mixture = replace(fitted, mixture=mixture, model=model)

    def answers(rows):
        names = ("transform", "score_samples", "score")
        values = [getattr(synthesizer, name)(rows) for name in names]
        values.append(synthesizer.score(rows, y))
        if label_model:
            values.append(synthesizer._mixture.model.scores(rows))
        return values

    move(0.0)
    expected = answers(X)
    move(offset)
    for found, value in zip(answers(X + offset), expected, strict=True):
        assert_allclose(found, value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("n_random_features", [0, 20])
def test_logistic_regression_far_from_the_origin(data, n_random_features, offset):
    X, y = data

    def fitted(offset):
        model = DPLogisticRegression(
            epsilon=8.0,
            center=np.full(D, offset),
            scale=None,
            n_random_features=n_random_features,
            random_state=0,
        )
        return model.fit(X + offset, y)

    here, there = fitted(0.0), fitted(offset)
    assert_array_equal(here.coef_, there.coef_)
    found = there.decision_function(X + offset)
    # All that is lost is one rounding of the intercept.
    scale = np.abs(here.coef_.sum(axis=1)).max() * abs(offset)
    expected = here.decision_function(X)
    assert_allclose(found, expected, rtol=1e-9, atol=1e-9 + 2.0**-52 * scale)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("d", [2, 30])  # the search for neighbours has two ways
def test_metrics_far_from_the_origin(d, offset):
    rng = np.random.default_rng(0)
    real, synthetic = (on_grid(rng.standard_normal((200, d))) for _ in range(2))
    for score in (
        metrics.frechet_distance,
        metrics.manifold_scores,
        metrics.nearest_neighbor_distance_ratio,
    ):
        expected = score(real, synthetic)
        assert_allclose(
            score(real + offset, synthetic + offset), expected, rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("d", [2, 30])
def test_duplicates_are_at_distance_zero(d, offset):
    rng = np.random.default_rng(0)
    rows = on_grid(rng.standard_normal((100, d))) + offset
    twice = np.concatenate([rows, rows])
    # A synthetic row is within the radius, 0, of the two that it copies only.
    scores = metrics.manifold_scores(twice, twice, n_neighbors=1)
    assert scores == (1.0, 1.0, 2.0, 1.0)
    ratios = metrics.nearest_neighbor_distance_ratio(twice, rows)
    assert_array_equal(ratios, 1.0)
    assert_array_equal(metrics.nearest_neighbor_distance_ratio(rows, rows), 0.0)
