"""Covariances from matrices under isometric noise, and those that are broken."""

import math

import numpy as np
import pytest

from skdpgmm._estimates.spectrum import (
    fixed_signs,
    lower_root,
    sound,
    spiked_covariance,
    told_apart,
)


def low_rank_release(sd, seed=0, d=60):
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((d, 3))
    truth = 0.2 * np.eye(d) + factor @ factor.T
    noise = rng.standard_normal((d, d))
    return truth, truth + sd * 0.5 * (noise + noise.T)


def test_spikes_keep_the_trace_and_lose_the_noise():
    truth, release = low_rank_release(0.5)
    found = spiked_covariance(release, 0.5, 1e-6)
    assert found.vectors.shape == (60, 3)
    assert np.allclose([found.trace, np.trace(found.matrix())], np.trace(release))
    error = np.linalg.norm(found.matrix() - truth)
    assert error < 0.5 * np.linalg.norm(release - truth)
    # Without noise all of it is believed.
    assert np.allclose(spiked_covariance(truth, 0.0, 1e-6).matrix(), truth)


RNG = np.random.default_rng(0)


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


def test_signs_are_those_of_the_line_and_not_of_the_vector():
    vectors = np.linalg.qr(np.random.default_rng(0).standard_normal((7, 7)))[0]
    found = fixed_signs(vectors)
    assert np.array_equal(np.abs(found), np.abs(vectors))
    assert np.array_equal(found, fixed_signs(vectors * [1, -1, -1, 1, -1, 1, 1]))
    # Also of two classes, whose entries are as large as each other.
    pair = np.array([[1.0], [-1.0]])
    assert np.array_equal(fixed_signs(pair), fixed_signs(-pair))


@pytest.mark.parametrize("shape", [(3, 8), (5, 5), (8, 3)])
def test_one_root_is_that_of_all_coordinates(shape):
    rng = np.random.default_rng(0)
    root = rng.standard_normal(shape)
    turned = np.linalg.qr(rng.standard_normal((shape[1], shape[1])))[0]
    found = lower_root(root)
    assert np.allclose(found @ found.T, root @ root.T)
    assert np.all(np.diagonal(found) > 0.0) and np.allclose(found, np.tril(found))
    assert np.allclose(found, lower_root(root @ turned))


def test_directions_that_are_alike_are_told_apart():
    rng = np.random.default_rng(0)
    alike = np.diag([3.0, 3.0, 3.0, 1.0, 1.0])
    first = np.linalg.eigh(told_apart(alike, 1.0))[1]
    noise = rng.standard_normal((5, 5))
    other = alike + 1e-15 * (noise + noise.T)
    second = np.linalg.eigh(told_apart(other, 1.0))[1]
    assert np.allclose(fixed_signs(first), fixed_signs(second), atol=1e-9)
