"""Bounds of an audit: what they promise, by simulation and in other formulas."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom, norm

from skdpgmm._audit.bounds import (
    claimed_mu,
    gaussian_bound,
    ideal_bound,
    inverse_variance,
    is_quiet,
    lower_bound,
    mu_of_errors,
    separation,
    smallest_shown,
    upper_proportion,
)
from skdpgmm.privacy import attack_power, mu_from_epsilon


@pytest.mark.parametrize("delta", [1e-3, 1e-5, 1e-10])
@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 1.0, 4.0, 100.0])
def test_the_claim_is_that_of_the_package(epsilon, delta):
    assert claimed_mu(epsilon, delta) == pytest.approx(
        mu_from_epsilon(epsilon, delta), rel=1e-6
    )


@pytest.mark.parametrize("mu", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("alarms", [0.01, 0.3])
def test_errors_of_the_best_test_give_its_mu(mu, alarms):
    assert mu_of_errors(alarms, 1.0 - attack_power(mu, alarms)) == pytest.approx(mu)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (40, 50)])
def test_a_proportion_at_its_upper_bound_is_as_unlikely_as_it_should_be(k, n):
    upper = upper_proportion(k, n, 0.95)
    assert binom.cdf(k, n, upper) == pytest.approx(0.05)


def test_a_proportion_of_all_is_not_bounded():
    assert upper_proportion(10, 10, 0.95) == 1.0
    assert lower_bound(10, 10, 0, 10, 0.95) == 0.0


@pytest.mark.parametrize("mu", [1.0, 3.0])
def test_a_bound_exceeds_mu_as_rarely_as_it_says(mu):
    n, confidence = 40, 0.9
    error = ndtr(-0.5 * mu)
    counts = np.arange(n + 1)
    bounds = [[lower_bound(a, n, b, n, confidence) for b in counts] for a in counts]
    chances = binom.pmf(counts, n, error)
    wrong = np.array(bounds) > mu
    assert chances @ wrong @ chances <= 1.0 - confidence
    # ... and is not empty: an ideal attacker is bounded at about that.
    found = chances @ np.array(bounds) @ chances
    assert found == pytest.approx(ideal_bound(mu, n, n, confidence), abs=0.15)


def test_more_runs_show_more():
    few, many = (ideal_bound(1.0, n, n, 0.95) for n in (100, 10_000))
    assert few < many < 1.0
    assert smallest_shown(1.0, 100, 100, 0.95) > smallest_shown(1.0, 10**4, 10**4, 0.95)


def test_the_smallest_that_is_shown_is_just_shown():
    found = smallest_shown(1.0, 500, 500, 0.95)
    assert ideal_bound(found, 500, 500, 0.95) == pytest.approx(1.0, abs=1e-4)


def test_few_runs_show_no_large_mu():
    assert smallest_shown(10.0, 20, 20, 0.95) == np.inf


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_gaussian_bound(scale):
    rng = np.random.default_rng(0)
    noise = scale * rng.standard_normal((2000, 50))
    bounds = np.array([gaussian_bound(np.full(50, 2.0), z, 0.9) for z in noise])
    wrong = np.mean(bounds > 2.0 / scale)
    assert 0.07 < wrong < 0.13
    assert bounds.mean() > 0.8 * 2.0 / scale


def test_no_noise_and_no_distance():
    assert gaussian_bound(np.ones(3), np.zeros(3), 0.9) == np.inf
    assert gaussian_bound(np.empty(0), np.empty(0), 0.9) == 0.0
    assert inverse_variance(np.zeros(20)) == np.inf
    assert inverse_variance(np.zeros(2)) == 1.0
    assert not is_quiet(np.zeros(2), 0.95)


def test_inverse_variance_is_unbiased():
    noise = 2.0 * np.random.default_rng(0).standard_normal((20_000, 20))
    found = np.mean([inverse_variance(row) for row in noise])
    assert found == pytest.approx(0.25, rel=0.02)


def test_quiet_noise():
    noise = np.random.default_rng(0).standard_normal((2000, 40))
    assert 0.03 < np.mean([is_quiet(row, 0.95) for row in noise]) < 0.07
    assert np.mean([is_quiet(0.5 * row, 0.95) for row in noise]) > 0.95


def test_separation_is_that_of_two_normals():
    quantiles = norm.ppf((np.arange(1000) + 0.5) / 1000)
    assert separation(quantiles, quantiles + 1.5) == pytest.approx(1.5, rel=0.01)
    assert separation(quantiles, quantiles - 1.5) == 0.0
    assert separation(np.zeros(3), np.ones(3)) == np.inf
