"""A plan prints like a report, in the units of the data, and promises nothing."""

import pytest

from skdpgmm import (
    DPKMeans,
)
from skdpgmm.privacy import PrivacyPlan, PrivacyReport


def test_noise_is_in_the_units_of_the_data():
    plan = DPKMeans(1, clip_norm=20.0, max_iter=1, adjacency="replace-one").plan(99, 3)
    count, sums = plan.ledger
    assert plan.noise_sd == pytest.approx((2.0 / count.mu, 2.0 * 20.0 / sums.mu))
    assert "at a distance of clip_norm" in plan.records


def test_a_plan_is_no_report():
    plan = DPKMeans(2, epsilon=0.5).plan(20, 3)
    assert not isinstance(plan, PrivacyReport) and not hasattr(plan, "epsilon_spent")
    for text in (str(plan), repr(plan), plan._repr_html_()):
        assert "would spend" in text and "guarantee" not in text
    assert "no record was seen" in str(plan) and "no record was seen" in (
        plan._repr_html_()
    )
    assert isinstance(plan, PrivacyPlan)
    # So few records are not to be heard.
    assert any("cannot be told from noise" in doubt for doubt in plan.doubts)
    assert str(plan).count("\ndoubt") == len(plan.doubts)
