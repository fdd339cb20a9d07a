"""Shapes of classes: what noise does not hide of them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm._estimates.scatter import shape_factors


def random_covariances(k, p, rng):
    A = 0.3 * rng.standard_normal((k, p, p)) / np.sqrt(p) + np.eye(p)
    return A @ A.transpose(0, 2, 1)


def covariances_of(factors, shared):
    return factors @ shared @ factors.transpose(0, 2, 1)


def with_noise(scatters, sd, rng):
    noise = rng.standard_normal(scatters.shape)
    return scatters + sd * (noise + noise.transpose(0, 2, 1)) / 2.0


def test_without_noise_they_are_those_of_the_records():
    rng = np.random.default_rng(0)
    expected, shared = random_covariances(3, 5, rng), random_covariances(1, 5, rng)[0]
    counts = np.full(3, 1e9)
    factors = shape_factors(counts[:, None, None] * expected, 0.0, counts, shared)
    assert_allclose(covariances_of(factors, shared), expected, atol=1e-4)


def test_scatters_that_are_noise_leave_what_is_shared():
    rng = np.random.default_rng(0)
    shared = random_covariances(1, 6, rng)[0]
    counts = np.array([100.0, 200.0, 50.0])
    scatters = with_noise(counts[:, None, None] * shared, 1e5, rng)
    factors = shape_factors(scatters, 1e5, counts, shared)
    assert_allclose(covariances_of(factors, shared), np.stack(3 * [shared]), atol=0.3)
    twins = shape_factors(counts[:, None, None] * shared, 1e-9, counts, shared)
    assert_allclose(covariances_of(twins, shared), np.stack(3 * [shared]), atol=1e-9)


@pytest.mark.parametrize("sd", [30.0, 300.0])
def test_what_is_estimated_is_nearer_than_what_was_released(sd):
    rng = np.random.default_rng(1)
    shared = np.diag([8.0, 4.0, 2.0, 1.0, 0.5, 0.25])
    turns = np.eye(6) + 0.3 * rng.standard_normal((4, 6, 6)) / np.sqrt(6.0)
    expected = covariances_of(turns, shared)
    counts = np.array([400.0, 300.0, 200.0, 100.0])
    ways = np.zeros(3)
    for _ in range(20):
        scatters = with_noise(counts[:, None, None] * expected, sd, rng)
        factors = shape_factors(scatters, sd, counts, shared)
        found = covariances_of(factors, shared)
        assert np.linalg.eigvalsh(found).min() > 0.0
        released = scatters / counts[:, None, None]
        white = 1.0 / np.sqrt(np.diag(shared))
        for i, guess in enumerate((found, released, shared)):
            gaps = (guess - expected) * white[:, None] * white
            ways[i] += np.sum(gaps**2)
    assert ways[0] < ways[1]
    assert ways[0] < 1.02 * ways[2]


def test_classes_share_what_is_common_to_them():
    # Of eight small classes alike, no scatter stands out alone.
    rng = np.random.default_rng(2)
    shared, counts = np.eye(5), np.full(8, 300.0)
    expected = np.diag([0.2, 0.4, 1.0, 1.0, 1.0])
    scatters = with_noise(counts[:, None, None] * np.stack(8 * [expected]), 60.0, rng)
    found = covariances_of(shape_factors(scatters, 60.0, counts, shared), shared)
    assert np.abs(found.mean(axis=0) - expected).max() < 0.25
    assert np.std(found[:, 0, 0]) < np.std(scatters[:, 0, 0] / 300.0)
