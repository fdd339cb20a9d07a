"""Principal axes and variances from a second moment under known noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm._estimates.axes import (
    alike,
    n_clear,
    n_explaining,
    principal_axes,
    spectral_edge,
)
from skdpgmm._estimates.second_moment import NoisyMoment

D = 40
VALUES = np.array([9.0, 4.0, 0.5, *[0.1] * (D - 3)])
BASIS = np.linalg.qr(np.random.default_rng(1).standard_normal((D, D)))[0]


def release(sd, seed=0):
    noise = np.random.default_rng(seed).standard_normal((D, D))
    moment = (BASIS * VALUES) @ BASIS.T + sd * 0.5 * (noise + noise.T)
    return NoisyMoment(moment, sd, 10.0)


def test_without_noise_they_are_those_of_the_matrix():
    moment = release(0.0)
    axes = principal_axes(moment, 5, VALUES.sum())
    assert_allclose(axes.variances, VALUES[:5])
    assert_allclose(np.abs(axes.components[:3] @ BASIS[:, :3]), np.eye(3), atol=1e-8)
    assert_allclose(axes.components @ axes.components.T, np.eye(5), atol=1e-12)
    assert axes.rest == pytest.approx(0.1)
    assert principal_axes(moment, D, VALUES.sum()).rest == 0.0


def test_the_edge_is_the_largest_eigenvalue_of_noise():
    noise = np.random.default_rng(0).standard_normal((400, 400))
    moment = NoisyMoment(0.5 * (noise + noise.T), 1.0, 1.0)
    largest = np.linalg.eigvalsh(moment.value)[-1]
    assert spectral_edge(moment) == pytest.approx(largest, rel=0.05)


def test_what_noise_hides_is_not_clear_and_shares_one_variance():
    moment = release(0.3, seed=2)
    assert spectral_edge(moment) == pytest.approx(0.3 * np.sqrt(2 * D))
    assert n_clear(moment) == 2
    axes = principal_axes(moment, 4, VALUES.sum())
    assert axes.variances[2] == axes.variances[3] == pytest.approx(axes.rest)
    # A noisy eigenvalue is larger than what it is an estimate of.
    assert axes.variances[1] < np.linalg.eigvalsh(moment.value)[-2]


def test_noise_alone_is_hardly_ever_clear():
    found = []
    for seed in range(200):
        noise = np.random.default_rng(seed).standard_normal((D, D))
        moment = np.eye(D) + 0.5 * (noise + noise.T)
        found.append(n_clear(NoisyMoment(moment, 1.0, 10.0)))
    # One of a hundred; without the quantile it would be one of six.
    assert np.count_nonzero(found) <= 8


def test_the_total_scales_variances_and_turns_nothing():
    moment = release(0.1)
    one, two = (principal_axes(moment, 3, total) for total in (1.0, 2.0))
    assert_allclose(two.variances, 2.0 * one.variances)
    assert two.rest == pytest.approx(2.0 * one.rest)
    np.testing.assert_array_equal(one.components, two.components)


def test_the_sign_is_that_of_the_largest_entry():
    components = principal_axes(release(0.0), 3, 1.0).components
    largest = np.abs(components).argmax(axis=1)
    assert np.all(components[np.arange(3), largest] > 0.0)


@pytest.mark.parametrize("share, expected", [(0.3, 1), (0.6, 2), (0.999999, D)])
def test_how_many_explain_a_share(share, expected):
    assert n_explaining(release(0.0), share) == expected


def test_directions_that_are_all_alike():
    assert alike(NoisyMoment(2.0 * np.eye(3), 1.0, 1.0))
    assert alike(NoisyMoment(np.zeros((3, 3)), 1.0, 1.0))
    assert not alike(release(0.1))
