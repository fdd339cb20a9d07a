"""Curves are those of a Gaussian of this mean, and are told no lower than that."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from skdpgmm._report.curves import (
    digits_up,
    epsilon_curve,
    largest_gain,
    percent_up,
    power_curve,
)
from skdpgmm.privacy import mu_from_epsilon


@pytest.mark.parametrize("mu", [0.01, 0.5, 3.0, 20.0])
def test_power_is_that_of_the_best_test_between_two_normals(mu):
    alarms, power = np.array(power_curve(mu)[1:-1]).T
    # A test that says yes above a threshold has these errors.
    threshold = norm.isf(alarms)
    assert power == pytest.approx(norm.sf(threshold - mu), rel=1e-9)
    assert np.all(np.diff(power) >= 0.0)
    gain = largest_gain(mu)
    assert gain >= np.max(power - alarms) - 1e-9
    # It is attained where both normals have the same density.
    alarm = norm.sf(mu / 2)
    assert gain == pytest.approx(norm.sf(mu / 2 - mu) - alarm, rel=1e-9)


@pytest.mark.parametrize("mu", [0.05, 1.0])
def test_epsilon_is_the_one_that_costs_this_mu(mu):
    for delta, epsilon in epsilon_curve(mu):
        if epsilon > 0.0:
            assert mu_from_epsilon(epsilon, delta) == pytest.approx(mu, rel=1e-5)


def test_what_is_told_is_never_less():
    rng = np.random.default_rng(0)
    for value in rng.uniform(size=200):
        assert value <= float(percent_up(value).removesuffix(" %")) / 100 + 1e-15
        assert percent_up(value) == percent_up(math.nextafter(value, 0.0))
    for value in 10.0 ** rng.uniform(-9, 9, 200):
        told = float(digits_up(value))
        assert value <= told <= value * (1 + 1.001e-4)
    assert percent_up(1.0) == "100 %"
    assert digits_up(2.0) == "2"
