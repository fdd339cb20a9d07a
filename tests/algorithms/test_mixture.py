"""A mixture from a start to the last pass: what is known is not paid for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.mixture import PublicStart, Wanted, fit_mixture
from skdpgmm._models.covariances import COVARIANCES

FREE = Budget(np.inf)
MEANS = np.array([[6.0, 0.0], [-6.0, 0.0]])
SHAPES = np.stack([np.eye(2), np.diag([2.0, 0.5])])
WEIGHTS = np.array([0.75, 0.25])
FULL = COVARIANCES["full"]


@pytest.fixture
def view():
    rng = np.random.default_rng(0)
    codes = rng.choice(2, 800, p=WEIGHTS)
    noise = rng.standard_normal((800, 2)) * np.sqrt([[1, 1], [2, 0.5]])[codes]
    return view_of(MEANS[codes] + noise, mu=np.inf)


def test_what_is_known_is_left_as_it_is(view):
    view, ledger = view
    start = PublicStart(WEIGHTS, MEANS, SHAPES)
    found, n_made, converged = fit_mixture(view, Wanted(2, FULL, 0, start), FREE)
    assert names_of(ledger) == [] and (n_made, converged) == (0, False)
    assert_array_equal(found.means, MEANS)
    assert_array_equal(found.weights, WEIGHTS)
    assert_array_equal(found.covariances, SHAPES)


@pytest.mark.parametrize(
    "n_passes, start, names",
    [
        (0, PublicStart(), {"codebook", "lloyd", "residual", "residuals"}),
        (1, PublicStart(), {"codebook", "cells", "over-fit", "pass"}),
        (1, PublicStart(means=MEANS), {"start", "residual", "residuals", "pass"}),
        (2, PublicStart(means=MEANS, covariances=SHAPES), {"pass"}),
    ],
)
def test_releases_are_those_of_the_start_and_the_passes(view, n_passes, start, names):
    view, ledger = view
    found, n_made, _ = fit_mixture(view, Wanted(2, FULL, n_passes, start), FREE)
    assert {name.split()[0] for name in names_of(ledger)} == names
    assert n_made == n_passes
    order = np.argsort(-found.weights)
    assert_allclose(found.means[order], MEANS, atol=0.3)
    assert_allclose(found.weights[order], WEIGHTS, atol=0.05)


def test_weights_that_are_given_start_the_passes(view):
    view, _ = view
    start = PublicStart(weights=WEIGHTS[::-1])
    found, *_ = fit_mixture(view, Wanted(2, FULL, 0, start), FREE)
    assert_array_equal(found.weights, WEIGHTS[::-1])


def test_passes_stop_where_nothing_moves(view):
    view, ledger = view
    start = PublicStart(WEIGHTS, MEANS, SHAPES)
    wanted = Wanted(2, FULL, 50, start, tol=0.1)
    _, n_made, converged = fit_mixture(view, wanted, FREE)
    assert converged and n_made == len(names_of(ledger)) < 50
