"""Covariances from matrices under isometric noise, and those that are broken."""

import math

import numpy as np
import pytest

from skdpgmm._estimates.spectrum import sound, spiked_covariance


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
