"""Soft passes: steps of EM on what is clear, and nothing on what is not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.soft_passes import m_step, refine
from skdpgmm._estimates.clipped_normal import clipped_variance, mean_gain
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import Mixture
from skdpgmm.privacy.records import Release

FREE = Budget(np.inf)
MEANS = np.array([[4.0, 0.0], [-4.0, 0.0]])
FULL = COVARIANCES["full"]


def start(means=MEANS):
    k, d = means.shape
    shapes = np.broadcast_to(np.eye(d), (k, d, d)).copy()
    return Mixture(np.full(k, 1.0 / k), means, shapes, FULL, np.zeros(k, dtype=int))


def rows_of(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.repeat(MEANS, n // 2, axis=0) + rng.standard_normal((n, 2))


def moments(n=1000.0, rho=2.0, shift=0.0, sd=0.0):
    """Releases of components that are what the mixture says, but for a shift."""
    d, t = 2, rho**2
    sums = np.full((2, d), shift * n * mean_gain(d, t))
    second = np.broadcast_to(n * clipped_variance(d, t) * np.eye(d), (2, d, d)).copy()
    counts = Release(np.full(2, n), sd)
    return counts, Release(sums, np.full((2, 1), sd)), Release(second, sd), rho


def test_where_a_mixture_fits_it_stays():
    mixture, moved, clear = m_step(start(), *moments(), 1e-12)
    assert_allclose(mixture.means, MEANS)
    assert_allclose(mixture.covariances, start().covariances, atol=1e-6)
    assert clear.all() and moved < 1e-9


@pytest.mark.parametrize("rho", [0.5, 2.0, 5.0])
def test_a_shift_is_found_whatever_is_clipped(rho):
    mixture, moved, _ = m_step(start(), *moments(rho=rho, shift=0.01), 1e-12)
    assert_allclose(mixture.means, MEANS + 0.01)
    assert_allclose(moved, 0.5 * 2 * 0.01**2, rtol=1e-2)


def test_what_is_not_clear_stays():
    counts, sums, second, rho = moments(shift=0.5)
    counts = Release(np.array([1000.0, 2.0]), 1.0)
    mixture, _, clear = m_step(start(), counts, sums, second, rho, 1e-12)
    assert_array_equal(clear, [True, False])
    assert_array_equal(mixture.means[1], MEANS[1])
    assert_array_equal(mixture.covariances[1], np.eye(2))
    assert np.all(mixture.means[0] != MEANS[0]) and np.all(mixture.weights > 0.0)


def test_passes_lead_to_the_records():
    X = rows_of(2000)
    view, ledger = view_of(X)
    found = refine(view, start(MEANS + 0.7), FREE, 4, name="trial")
    assert names_of(ledger) == [f"trial {i}" for i in range(4)]
    assert (found.n_made, found.converged) == (4, False)
    expected = [part.mean(axis=0) for part in np.split(X, 2)]
    assert_allclose(found.mixture.means, expected, atol=0.02)


def test_passes_end_when_little_moves():
    view, ledger = view_of(rows_of(2000))
    found = refine(view, start(), FREE, 9, tol=0.5)
    assert found.converged and found.n_made == len(names_of(ledger)) == 1


@pytest.mark.parametrize("n_passes", [1, 3])
def test_passes_share_their_budget(n_passes):
    view, ledger = view_of(rows_of(200), mu=1.0)
    refine(view, start(), Budget(0.5), n_passes)
    spent = [entry.mu for entry in ledger.entries]
    assert len(spent) == 3 * n_passes
    assert 0.5 * (1.0 - 1e-9) < ledger.spent_mu <= 0.5
