"""Canaries: where they are, and guesses at them."""

import numpy as np
import pytest
from private_fits import PLAIN_CASES, fit_cases, make_data

from skdpgmm import DPPCA
from skdpgmm._audit.canaries import guessed, guesses, made
from skdpgmm._audit.neighbours import Dataset
from skdpgmm._audit.runs import Seeds

X, Y = make_data(60, 6, seed=1)


def seeds():
    return Seeds(np.random.default_rng(0), True)


def test_canaries_are_far_out_and_orthogonal_as_far_as_they_can_be():
    data = Dataset(X, Y, None)
    canaries = made(data, 9, np.random.default_rng(0))
    from_center = canaries.X - X.mean(axis=0)
    lengths = np.linalg.norm(from_center, axis=1)
    np.testing.assert_allclose(lengths, lengths[0])
    assert lengths[0] > 100.0 * np.abs(X).max()
    cosines = from_center @ from_center.T / lengths[0] ** 2
    np.testing.assert_allclose(cosines[:6, :6], np.eye(6), atol=1e-9)
    assert len(canaries.X) == 9
    assert set(canaries.y) <= set(Y)
    assert made(data._replace(y=None), 2, np.random.default_rng(0)).y is None


def regression(n, n_directions, noise, seed=0):
    """Return what is inside, products and what was released along, of made-up sums."""
    rng = np.random.default_rng(seed)
    added = rng.standard_normal((n, n_directions))
    inside = rng.random(n) < 0.5
    released = inside @ added + noise * rng.standard_normal(n_directions)
    return inside, added @ added.T, added @ released


def test_without_noise_every_guess_is_right():
    found = guessed(*regression(30, 40, 0.0))
    assert np.array_equal(found.scores > 0.0, found.inside)
    np.testing.assert_allclose(found.noise, 0.0, atol=1e-6)


@pytest.mark.parametrize("n_directions", [10, 100])
def test_noise_is_that_of_the_release_in_all_directions_there_are(n_directions):
    noise = [guessed(*regression(50, n_directions, 1.0, i)).noise for i in range(100)]
    assert {len(one) for one in noise} == {min(50, n_directions)}
    assert np.concatenate(noise).std() == pytest.approx(1.0, abs=0.05)


def test_the_estimate_of_a_coin_is_the_linear_one():
    inside, products, along = regression(5, 8, 1.0)
    rng = np.random.default_rng(3)
    added = np.linalg.cholesky(products)  # the same products in other coordinates
    coins = rng.random((200_000, 5)) < 0.5
    seen = coins @ products + rng.standard_normal((200_000, 5)) @ added.T
    expected = np.linalg.lstsq(seen - seen.mean(axis=0), coins - 0.5, rcond=None)[0]
    scores = guessed(inside, products, along).scores
    np.testing.assert_allclose(
        scores, (along - 0.5 * products.sum(axis=1)) @ expected, atol=0.02
    )


@pytest.mark.parametrize("name", PLAIN_CASES)
def test_canaries_of_every_estimator_are_told_by_its_transcript(name):
    constructor, labelled = fit_cases(6)[name]
    data = Dataset(X, Y if labelled else None, None)
    (found,) = guesses(constructor(epsilon=1e4), data, 10, seeds(), 1, None, 0)
    assert np.array_equal(found.scores > 0.0, found.inside)
    assert 0.3 < found.noise.std() < 2.0  # of ten


def test_runs_have_coins_and_canaries_of_their_own():
    first, second = guesses(DPPCA(2), Dataset(X, None, None), 30, seeds(), 2, None, 0)
    assert not np.array_equal(first.inside, second.inside)
    assert not np.allclose(first.distances, second.distances, rtol=1e-12)
