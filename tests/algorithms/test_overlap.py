"""How far classes overlap: set to what one count says, with the same total."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.overlap import linear_rule, match_agreement
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import Mixture, log_joint
from skdpgmm.privacy.grid import HOST, Ball

FREE = Budget(np.inf)
TIED = COVARIANCES["tied"]


def mixture_of(seed, k=4, d=3, spread=3.0):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(k, 5.0))
    root = rng.standard_normal((d, d + 2))
    covariance = root @ root.T / d
    means = spread * rng.standard_normal((k, d))
    return Mixture(weights, means, covariance, TIED, np.arange(k))


def draws_of(mixture, n, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.choice(len(mixture.weights), n, p=mixture.weights)
    noise = rng.standard_normal((n, 3)) @ np.linalg.cholesky(mixture.covariances).T
    return mixture.means[codes] + noise, codes


def guessed(mixture, X):
    scores = log_joint(
        X, mixture.weights, mixture.means, mixture.whiteners(), mixture.covariance
    )
    return scores.argmax(axis=1)


def total(mixture):
    gaps = mixture.means - mixture.weights @ mixture.means
    return mixture.covariances + (gaps.T * mixture.weights) @ gaps


@pytest.mark.parametrize("seed", range(5))
def test_the_rule_is_that_of_bayes(seed):
    mixture = mixture_of(seed, spread=1.0)
    X, _ = draws_of(mixture, 1000)
    ball = Ball(np.zeros(3), 50.0)
    mean = mixture.weights @ mixture.means
    directions = np.linalg.solve(mixture.covariances, (mixture.means - mean).T).T
    rule = linear_rule(ball, mixture, directions)
    found = rule.assign(ball.to_grid(X.copy()), HOST)
    assert np.mean(found == guessed(mixture, X)) > 0.998
    # Integers, so that scores are exact.
    for numbers in (rule.weights, rule.offsets):
        assert np.array_equal(numbers, np.rint(numbers))
    assert np.linalg.norm(rule.weights, axis=1).max() <= 2.0**25
    assert np.abs(rule.offsets).max() <= 2.0**50


@pytest.mark.parametrize("wrong", [0.1, 0.3])
def test_the_mixture_is_as_often_right_about_its_draws_as_about_records(wrong):
    mixture = mixture_of(1, spread=6.0)
    X, codes = draws_of(mixture, 6000)
    some = np.random.default_rng(2).random(6000) < wrong
    codes[some] = (codes[some] + 1) % 4
    right = np.mean(guessed(mixture, X) == codes)
    view, ledger = view_of(X, codes)
    found = match_agreement(view, mixture, 0.0, FREE)
    assert names_of(ledger) == ["agreement"]
    rows, own = draws_of(found, 20_000, seed=3)
    assert abs(np.mean(guessed(found, rows) == own) - right) < 0.02
    assert_allclose(total(found), total(mixture), rtol=1e-9, atol=1e-9)


def test_a_mixture_that_is_right_is_left_as_it_is():
    mixture = mixture_of(1, spread=1.0)
    X, _ = draws_of(mixture, 2000)
    # All that it says is what the labels are.
    view, _ = view_of(X, guessed(mixture, X))
    found = match_agreement(view, mixture, 0.0, FREE)
    assert_allclose(found.means, mixture.means)


def test_doubt_leaves_the_mixture_as_it_is():
    mixture = mixture_of(1, spread=6.0)
    X, codes = draws_of(mixture, 2000)
    view, _ = view_of(X, np.roll(codes, 1))
    assert match_agreement(view, mixture, 1e6, FREE) is mixture


def test_classes_that_are_very_far_apart_have_a_scale_too():
    """Beside what lies between them, what lies within is below rounding."""
    mixture = mixture_of(1, k=3, spread=6.0)
    mixture = replace(mixture, covariances=1e-20 * mixture.covariances)
    X, codes = draws_of(mixture, 2000)
    codes[:600] = (codes[:600] + 1) % 3
    view, _ = view_of(X, codes)
    found = match_agreement(view, mixture, 0.0, FREE)
    assert np.isfinite(found.means).all() and np.isfinite(found.covariances).all()
    assert np.linalg.norm(found.means) < np.linalg.norm(mixture.means)
