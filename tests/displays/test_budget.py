"""Bars are the shares of a ledger."""

import math

import numpy as np
import pytest
from private_fits import make_data

from skdpgmm import DPKMeans, DPLogisticRegression, PrivateSearchCV
from skdpgmm.displays import BudgetDisplay

X, Y = make_data(200, 3)


def test_bars_are_the_shares_of_the_ledger():
    model = DPKMeans(2).fit(X)
    display = BudgetDisplay.from_estimator(model, color="black")
    report = model.privacy_
    assert display.shares.sum() == pytest.approx((report.spent_mu / report.mu) ** 2)
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, 100.0 * display.shares)
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == display.names
    assert display.names[0].startswith("norms") and display.ax_.yaxis_inverted()
    assert display.bars_[0].get_facecolor()[:3] == (0, 0, 0)
    assert not display.ax_.get_title()


def test_releases_that_repeat_are_one_bar():
    plan = DPLogisticRegression(clip_norm=1.0).plan(500, 4, 2)
    display = BudgetDisplay.from_report(plan)
    assert any(", x " in name for name in display.names)
    assert len(display.names) < len(plan.ledger)
    assert display.shares.sum() == pytest.approx((plan.spent_mu / plan.mu) ** 2)


def test_a_search_has_a_bar_for_each_fit_and_score():
    grid = {"epsilon": [1.0, 2.0, 4.0]}
    search = PrivateSearchCV(DPLogisticRegression(clip_norm=9.0), grid, epsilon=None)
    display = BudgetDisplay.from_estimator(search.fit(X, Y))
    assert {"fit 0", "score 2", "refit"} <= set(display.names)
    assert max(display.shares) <= 1.0


def test_what_is_not_private_is_said_or_refused():
    seeded = DPKMeans(2, random_state=0).fit(X)
    assert "NOT PRIVATE" in BudgetDisplay.from_estimator(seeded).ax_.get_title()
    with pytest.raises(
        ValueError, match="report must be of a fit with a finite epsilon"
    ):
        BudgetDisplay.from_report(DPKMeans(2, epsilon=math.inf).fit(X).privacy_)
