"""What all displays share."""

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skdpgmm import DPKMeans
from skdpgmm.displays import (
    AccuracyEpsilonDisplay,
    BudgetDisplay,
    PrivacyCurveDisplay,
    SpectrumDisplay,
    SyntheticRowsDisplay,
)
from skdpgmm.displays._figure import new_axes, report_of

DISPLAYS = [
    AccuracyEpsilonDisplay.from_results([1.0, 2.0], [0.5, 0.6]),
    BudgetDisplay(names=["counts", "sums"], shares=np.array([0.25, 0.75])),
    PrivacyCurveDisplay.from_mu(1.0),
    SpectrumDisplay(variances=np.array([[3.0, 1.0]])),
    SyntheticRowsDisplay(
        rows=np.zeros((3, 2)),
        labels=np.zeros(3),
        centers=np.zeros((1, 2)),
        covariances=np.eye(2)[None],
        component_labels=np.zeros(1),
        axis_names=("a", "b"),
    ),
]
over_displays = pytest.mark.parametrize(
    "display", DISPLAYS, ids=lambda d: type(d).__name__
)


@over_displays
def test_draws_where_it_is_told_and_in_a_figure_of_its_own_otherwise(display, pyplot):
    _, ax = pyplot.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax and display.figure_ is ax.figure
    display.plot()
    assert display.ax_ is not ax and display.figure_ is not ax.figure


@over_displays
def test_without_matplotlib_it_says_what_to_install(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"plot needs matplotlib: pip install"):
        display.plot()


def test_several_panels_share_their_axes():
    axes = new_axes(None, None, 2)
    axes[0].set_xlim(3, 4)
    assert axes.shape == (2,) and axes[1].get_xlim() == (3, 4)


def test_reports_of_what_has_one():
    plan = DPKMeans(2).plan(100, 2)
    assert report_of(plan) is plan
    with pytest.raises(NotFittedError):
        report_of(DPKMeans())
    with pytest.raises(TypeError, match=r"a fitted private estimator.*got float"):
        report_of(1.0)
