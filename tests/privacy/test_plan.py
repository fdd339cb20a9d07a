"""A plan prints like a report, in the units of the data, and promises nothing."""

import math

import pytest

from skdpgmm import DPKMeans
from skdpgmm.privacy import PrivacyPlan, PrivacyReport


def test_noise_is_in_the_units_of_the_data():
    plan = DPKMeans(1, clip_norm=20.0, max_iter=1, adjacency="replace-one").plan(99, 3)
    count, sums = plan.ledger
    expected = math.sqrt(2.0) / count.mu, 2.0 * 20.0 / sums.mu
    assert plan.noise_sd == pytest.approx(expected)
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
    assert "an attacker" in str(plan) and "nobody" not in str(plan)
    # So few records are not to be heard.
    assert any("cannot be told from noise" in doubt for doubt in plan.doubts)
    assert str(plan).count("\ndoubt") == len(plan.doubts)


def test_a_plan_of_steps_has_all_of_them():
    plans = {"a": DPKMeans(2).plan(20, 3), "b": DPKMeans(2, clip_norm=9.0).plan(20, 4)}
    both = PrivacyPlan.of_steps(plans, 1.0, 0.5)
    one, two = plans.values()
    assert (both.epsilon, both.mu) == (1.0, 0.5)
    assert both.noise_sd == one.noise_sd + two.noise_sd
    assert [e.mu for e in both.ledger] == [e.mu for e in one.ledger + two.ledger]
    assert both.ledger[0].name == f"a, {one.ledger[0].name}"
    assert both.records == f"{one.records}; then {two.records}"
    assert all(doubt.startswith(("a, ", "b, ")) for doubt in both.doubts)
    assert len(both.doubts) == len(one.doubts) + len(two.doubts)
    assert both.not_private is None
    assert PrivacyPlan.of_steps({"a": one}, 1.0, 0.5).noise_sd == one.noise_sd
    plans["b"] = DPKMeans(2, random_state=0).plan(20, 4)
    told = str(PrivacyPlan.of_steps(plans, 1.0, 0.5))
    assert "NOT PRIVATE" in told.splitlines()[0]
    assert "an attacker" not in told and "nobody would be protected" in told
