"""What runs add up to: of paths that are made up."""

import numpy as np
import pytest

from skdpgmm._audit.canaries import Guessed
from skdpgmm._audit.one_run import bound_of_guesses, p_value
from skdpgmm._audit.paths import Path
from skdpgmm._audit.verdicts import by_attributes, by_canaries, by_transcript, inside

MUS = np.array([0.6, 0.8])


def made(n, scale=1.0, reached=1.0, smooth=(True, True), seed=0):
    """Paths of fits that claim mu 1."""
    rng = np.random.default_rng(seed)
    found = []
    for there in inside(n):
        shifts = reached * MUS
        noise = scale * rng.standard_normal(2) + there * shifts
        names = ["a: counts", "b: sums"]
        found.append(Path(names, shifts, noise, MUS, np.array(smooth)))
    return found


def test_a_fit_that_keeps_its_claim():
    told = by_transcript(made(2000), 0.99)
    assert told["distance"] == pytest.approx(1.0)
    assert told["estimate"] == pytest.approx(1.0, abs=0.05)
    assert 0.6 < told["bound"] < 1.0
    assert 0.9 < told["gaussian_bound"] < 1.0
    assert [one.attained for one in told["releases"]] == pytest.approx([1.0, 1.0])
    assert [one.share for one in told["releases"]] == pytest.approx([0.36, 0.64])
    assert not any(one.too_quiet for one in told["releases"])


def test_half_of_the_noise():
    told = by_transcript(made(2000, scale=0.5), 0.99)
    assert told["estimate"] == pytest.approx(2.0, abs=0.1)
    assert told["bound"] > 1.2
    assert told["gaussian_bound"] > 1.8
    assert all(one.too_quiet for one in told["releases"])


def test_half_of_the_distance():
    told = by_transcript(made(2000, reached=0.5), 0.99)
    assert told["estimate"] == pytest.approx(0.5, abs=0.03)
    assert told["bound"] < 0.5
    assert [one.attained for one in told["releases"]] == pytest.approx([0.5, 0.5])


def test_noise_that_is_rounded_is_not_taken_for_too_quiet():
    told = by_transcript(made(100, scale=0.0, smooth=(False, False)), 0.99)
    assert told["gaussian_bound"] == 0.0
    assert not any(one.too_quiet for one in told["releases"])
    # Whatever it is like, scores are right.
    assert told["bound"] > 1.0


def test_the_bound_is_above_mu_as_rarely_as_it_says():
    wrong = [
        by_transcript(made(60, seed=seed), 0.9)["bound"] > 1.0 for seed in range(100)
    ]
    assert np.mean(wrong) <= 0.1


def test_attributes_that_tell_everything():
    found = [{"n_": np.array([100.0 + there])} for there in inside(200)]
    told = by_attributes(found, 0.95)
    assert told["bound"] > 2.5
    assert told["estimate"] > 10.0


def test_the_surest_guesses_of_all_runs_are_counted():
    first = Guessed(
        np.array([True, False]), np.array([3.0, 1.0]), np.ones(2), np.ones(6)
    )
    second = Guessed(
        np.array([False, True]), np.array([-2.0, 0.5]), 3.0 * np.ones(2), np.ones(6)
    )
    told = by_canaries([first, second], 3, 0.5, 1e-5, 0.95)
    assert told["guesses"] == (2, 3, 4, p_value(2, 3, 4, 0.5, 1e-5))
    assert told["bound"] == bound_of_guesses(2, 3, 4, 0.95)
    assert told["distance"] == 3.0
    # The root of the mean square, over noise of variance 12 / 10.
    assert told["estimate"] == pytest.approx(np.sqrt(5.0 * 10.0 / 12.0))
