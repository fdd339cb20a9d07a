"""Curves are those of the accounting."""

import math

import numpy as np
import pytest

from skdpgmm import DPKMeans
from skdpgmm.displays import PrivacyCurveDisplay
from skdpgmm.privacy import attack_power, epsilon_from_mu

FUNCTIONS = {"attacker": attack_power, "epsilon": epsilon_from_mu}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_the_line_is_the_function(kind):
    display = PrivacyCurveDisplay.from_mu(0.7, kind=kind).plot(color="red")
    x, y = display.line_.get_data()
    np.testing.assert_array_equal(y, [FUNCTIONS[kind](0.7, point) for point in x])
    assert display.line_.get_label() == "mu = 0.7"
    assert display.line_.get_color() == "red"
    assert display.ax_.get_xscale() == ("linear" if kind == "attacker" else "log")


def test_several_in_one_axes_share_one_guess(pyplot):
    _, ax = pyplot.subplots()
    for mu in (0.0, 1.0):
        PrivacyCurveDisplay.from_mu(mu).plot(ax, name=f"{mu}")
    assert ax.get_legend_handles_labels()[1] == ["0.0", "guessing", "1.0"]


@pytest.mark.parametrize("params", [{"epsilon": math.inf}, {"random_state": 0}])
def test_who_is_not_protected_is_found(params):
    model = DPKMeans(2, **params).fit(np.arange(40.0).reshape(20, 2))
    display = PrivacyCurveDisplay.from_estimator(model, name="mine")
    assert np.all(display.line_.get_ydata() == 1.0)
    assert display.line_.get_label() == "mine: NOT PRIVATE"
    with pytest.raises(ValueError, match="kind must be 'attacker' where nobody"):
        PrivacyCurveDisplay.from_report(model.privacy_, kind="epsilon")


def test_a_plan_has_the_curve_of_its_fit():
    plan = DPKMeans(2, epsilon=2.0).plan(100, 2)
    display = PrivacyCurveDisplay.from_report(plan)
    np.testing.assert_array_equal(display.y, PrivacyCurveDisplay.from_mu(plan.mu).y)
    assert display.not_private is None


def test_bad_input():
    with pytest.raises(ValueError, match="kind must be one of"):
        PrivacyCurveDisplay.from_mu(1.0, kind="roc")
    with pytest.raises(ValueError, match="mu must be a number"):
        PrivacyCurveDisplay.from_mu(-1.0)
