"""Private axes: what is released, how many axes there are, and what is doubted."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from views import names_of, view_of

from skdpgmm._algorithms.axes import find_axes
from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.doubts import collected_doubts

SDS = np.array([3.0, 1.0, 0.1, 0.1, 0.1, 0.1])
X = np.random.default_rng(0).standard_normal((4000, 6)) * SDS
MEDIAN = float(np.median(np.linalg.norm(X, axis=1)))


def found(wanted, mu, radius=15.0):
    view, ledger = view_of(X, radius=radius, mu=mu)
    with collected_doubts() as doubts:
        axes = find_axes(view, MEDIAN, wanted, Budget(mu))
    return axes, ledger, view, doubts


@pytest.mark.parametrize("mu", [1.0, math.inf])
def test_two_releases_and_all_of_the_budget(mu):
    axes, ledger, _, _ = found(2, mu)
    assert names_of(ledger) == ["total variance", "second moment"]
    assert ledger.spent_mu == pytest.approx(mu)
    assert_allclose(np.abs(axes.components[:, :2]), np.eye(2), atol=0.05)


def test_without_noise_they_are_those_of_the_records():
    axes, _, _, doubts = found(None, math.inf)
    assert len(axes.components) == 6 and not doubts
    assert axes.total == pytest.approx(np.mean(np.sum(X**2, axis=1)), rel=1e-6)
    assert_allclose(np.sqrt(axes.variances), SDS, rtol=0.05)


def test_the_total_makes_up_for_what_is_clipped():
    """Much noise clips at the median radius, which takes half of the variance."""
    axes, *_ = found(2, 0.2, radius=10.0)
    clipped = np.minimum(1.0, MEDIAN / np.linalg.norm(X, axis=1))[:, None] * X
    truth = np.mean(np.sum(X**2, axis=1))
    lost = truth - np.mean(np.sum(clipped**2, axis=1))
    assert lost > 0.4 * truth
    assert abs(axes.total - truth) < 0.5 * lost


@pytest.mark.parametrize("mu, expected", [(1.0, 2), (math.inf, 6)])
def test_auto_takes_those_that_stand_out(mu, expected):
    axes, _, view, doubts = found("auto", mu)
    assert len(axes.components) == expected and not doubts
    (decision,) = view.decisions
    assert (decision.what, decision.value) == ("n_components", expected)
    assert decision.because["clear"] == expected


def test_a_share_of_the_variance():
    assert len(found(0.8, 1.0)[0].components) == 1
    axes, _, view, _ = found(0.95, 1.0)
    assert len(axes.components) == 2
    assert view.decisions[0].value == 2


@pytest.mark.parametrize("wanted, weak", [(2, 0), (3, 1), (None, 4)])
def test_axes_that_do_not_stand_out_are_doubted(wanted, weak):
    _, _, view, doubts = found(wanted, 1.0)
    (quality,) = view.notes
    assert quality.words["direction"].count("noise") == weak
    assert len(quality) == (wanted or 6)
    assert len(doubts) == (weak > 0)
    if weak:
        assert doubts[0].startswith(f"{weak} of {wanted or 6} components")


def test_nothing_stands_out_and_one_is_taken():
    axes, _, _, doubts = found("auto", 1e-4)
    assert len(axes.components) == 1 and len(doubts) == 1
    assert np.isfinite(axes.variances).all() and axes.rest >= 0.0
