"""Covariances that are turned by class are those that they say."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal

from skdpgmm._models.class_shapes import ClassShapes, TurnedByClass
from skdpgmm._models.covariances import Tied
from skdpgmm._models.mixture import Mixture, log_joint, sample_components
from skdpgmm._models.placement import score_sampler
from skdpgmm._models.scores import Head

D, P = 6, 3
CLASSES = np.array([0, 0, 1, 2, 2])


@pytest.fixture(scope="module")
def mixture():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((D, P)))[0]
    factors = np.eye(P) + 0.5 * rng.standard_normal((3, P, P)) / np.sqrt(P)
    root = np.eye(D) + 0.3 * rng.standard_normal((D, D))
    turned = TurnedByClass(ClassShapes(basis, factors), CLASSES)
    means = 3.0 * rng.standard_normal((5, D))
    weights = np.array([0.1, 0.3, 0.2, 0.15, 0.25])
    return Mixture(weights, means, root @ root.T, turned, CLASSES)


def test_covariances_of_classes(mixture):
    basis, factors, _ = mixture.covariance.shapes
    full = mixture.full_covariances()
    for matrix, code in zip(full, CLASSES, strict=True):
        T = np.eye(D) + basis @ (factors[code] - np.eye(P)) @ basis.T
        assert_allclose(matrix, T @ mixture.covariances @ T.T, atol=1e-12)
    identity = ClassShapes(basis, np.stack(3 * [np.eye(P)]))
    assert_allclose(
        identity.covariance(mixture.covariances, 1), mixture.covariances, atol=1e-12
    )


def test_densities_are_those_of_the_full_covariances(mixture):
    X = 4.0 * np.random.default_rng(1).standard_normal((20, D))
    found = log_joint(
        X, mixture.weights, mixture.means, mixture.whiteners(), mixture.covariance
    )
    for j, full in enumerate(mixture.full_covariances()):
        normal = multivariate_normal(mixture.means[j], full)
        expected = np.log(mixture.weights[j]) + normal.logpdf(X)
        assert_allclose(found[:, j], expected, rtol=1e-10)


def test_rows_have_these_covariances(mixture):
    rng = np.random.default_rng(2)
    roots = mixture.covariance.roots(mixture.covariances)
    for j, full in enumerate(mixture.full_covariances()):
        rows = sample_components(
            np.full(60_000, j), mixture.means, roots, mixture.covariance, rng
        )
        assert_allclose(rows.mean(axis=0), mixture.means[j], atol=0.05)
        assert_allclose(np.cov(rows.T), full, atol=0.05 * np.abs(full).max())


def test_distinct_roots(mixture):
    roots, groups = mixture.covariance.distinct_roots(mixture.covariances, 5)
    assert_array_equal(groups, CLASSES)
    roots = list(roots)
    for j, full in enumerate(mixture.full_covariances()):
        assert_allclose(roots[groups[j]] @ roots[groups[j]].T, full, atol=1e-12)
    (root,), groups = Tied().distinct_roots(mixture.covariances, 5)
    assert_array_equal(groups, np.zeros(5))
    assert_allclose(root @ root.T, mixture.covariances, atol=1e-12)


def test_scores_that_are_drawn_are_those_of_the_rows(mixture):
    rng = np.random.default_rng(3)
    head = Head(rng.standard_normal((3, D)), np.zeros(3))

    def no_noise(n_rows, rng):
        return np.zeros((n_rows, 3))

    sampler = score_sampler(mixture, head, np.inf, no_noise, rng)
    codes = np.zeros(60_000, dtype=np.intp)
    components, scores, _ = sampler.draw(codes, no_noise, rng)
    roots = mixture.covariance.roots(mixture.covariances)
    rows = sample_components(components, mixture.means, roots, mixture.covariance, rng)
    own = head.scores(rows)
    moved = sampler.move(rows.copy(), scores - own, components)
    assert_allclose(head.scores(moved), scores, atol=1e-9)
    for j, full in enumerate(mixture.full_covariances()):
        of_one = components == j
        expected = head.coef @ full @ head.coef.T
        tolerance = 0.1 * np.abs(expected).max()
        assert_allclose(np.cov(scores[of_one].T), expected, atol=tolerance)
        assert_allclose(np.cov(moved[of_one].T), full, atol=0.1 * np.abs(full).max())
