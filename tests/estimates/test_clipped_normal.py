"""Moments of a clipped standard normal vector, against draws of it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm._estimates.clipped_normal import (
    clipped_variance,
    mean_gain,
    solve_scale,
    unclipped,
    variance_gain,
)

CASES = [(1, 0.5), (1, 4.0), (3, 2.0), (8, 10.0)]


def clipped(Y, t):
    norms = np.linalg.norm(Y, axis=1, keepdims=True)
    return Y * np.minimum(1.0, np.sqrt(t) / norms)


def draws(d, n=400_000):
    half = np.random.default_rng(0).standard_normal((n // 2, d))
    return np.concatenate([half, -half])


@pytest.mark.parametrize("d, t", CASES)
def test_moments_are_those_of_draws(d, t):
    Y = draws(d)
    found = np.sum(clipped(Y, t) ** 2, axis=1).mean() / d
    assert_allclose(clipped_variance(d, t), found, rtol=5e-3)
    step = np.eye(d)[0] * 0.05
    shifted = clipped(Y + step, t)[:, 0].mean() / 0.05
    assert_allclose(mean_gain(d, t), shifted, rtol=2e-2)
    if d > 1:
        # Wider along one axis, and narrower along another.
        stretch = np.ones(d)
        gaps = []
        for stretch[:2] in np.sqrt([[1.05, 0.95], [0.95, 1.05]]):
            second = (clipped(Y * stretch, t) ** 2).mean(axis=0)
            gaps.append(second[0] - second[1])
        slope = (gaps[0] - gaps[1]) / 0.2
        assert_allclose(variance_gain(d, t), slope, rtol=2e-2)


@pytest.mark.parametrize("d", [1, 5, 40])
def test_a_wide_clip_changes_nothing(d):
    for function in (clipped_variance, mean_gain, variance_gain):
        assert_allclose(function(d, 1e4), 1.0)
        assert function(d, 0.1) < 1.0


@pytest.mark.parametrize("scale", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("d, t", CASES)
def test_scales_are_found_again(d, t, scale):
    value = scale * clipped_variance(d, t / scale)
    assert_allclose(solve_scale(d, t, value), scale, rtol=1e-6)
    assert solve_scale(d, t, 1e9) == pytest.approx(16.0)
    assert solve_scale(d, t, 0.0) == pytest.approx(1.0 / 16.0)


def test_the_clip_is_undone_and_noise_is_not_believed():
    d, rho = 3, 1.5
    rest = np.diag([0.02, 0.0, -0.02])
    seen = variance_gain(d, rho**2) * rest
    scale = clipped_variance(d, rho**2)
    found = unclipped(scale, seen, d, rho, (0.0, 0.0))
    assert_allclose(found[0], 1.0, rtol=1e-6)
    assert_allclose(found[1], rest, atol=1e-9)
    # Of as much noise nothing is left: the standard normal that it was.
    found = unclipped(scale + 0.01, seen, d, rho, (0.01**2, np.sum(seen**2)))
    assert_allclose(found[0], 1.0, rtol=1e-6)
    assert_allclose(found[1], 0.0, atol=1e-12)
