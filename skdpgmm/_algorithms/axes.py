"""Private principal axes: one noisy second moment about a noisy mean."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from skdpgmm._algorithms.budget import AXES
from skdpgmm._algorithms.choices import moment_radius
from skdpgmm._algorithms.doubts import doubt
from skdpgmm._algorithms.looks import one_cell, release_second_moment
from skdpgmm._estimates.axes import (
    Axes,
    alike,
    n_clear,
    n_explaining,
    principal_axes,
    spectral_edge,
)
from skdpgmm.privacy.quality import Quality
from skdpgmm.privacy.report import Decision

# Share of the mean variance that the noise may hide, where long records need not be
# shortened for it. Measured on digits, bank questions and drawn power-law spectra of 20
# and 100 features, and on no others: with .25, as for a head, axes were up to four
# times as far off at epsilon 1; with less, variances fell short for longer.
_HIDDEN = 0.03


def find_axes(view, median_radius, wanted, budget) -> Axes:
    """Return private principal axes about the centre of the ball.

    The second moment is that of records clipped to about the median radius: to shorten
    a record turns no axis of a distribution that is symmetric about its axes, and takes
    more off the noise than off the variance. One more number, the noisy total variance
    in the whole ball, makes up for what clipping has taken off.

    Parameters
    ----------
    view : View
        Of known number of records, whose mean is the centre of the ball.
    median_radius : float
        A radius that holds half of the records.
    wanted : int, float, "auto" or None
        Number of axes, the share of the variance that they are to explain, as many as
        stand out of the noise, or all.
    budget : Budget
        For both releases.
    """
    budgets, ball = budget.split(AXES), view.ball
    mu = budgets["moment"].mu
    radius = moment_radius(
        view.n, view.n_features, mu, median_radius, ball.radius, _HIDDEN
    )
    total = _total(view, budgets["total"])
    moment = release_second_moment(view.through(ball.within(radius)), budgets["moment"])
    # Clipping takes no more off than if all records were that long.
    clipped = moment.estimate.trace
    total = float(np.clip(total, clipped, (ball.radius / radius) ** 2 * clipped))
    n_axes = _n_axes(view, moment, wanted)
    n_seen = _n_standing_out(moment, n_axes)
    words = ("clear",) * n_seen + ("noise",) * (n_axes - n_seen)
    view.note(Quality("component", words={"direction": words}))
    if n_seen < n_axes:
        doubt(
            f"{n_axes - n_seen} of {n_axes} components do not stand out of the noise, "
            f"whose spectral edge is a variance of {spectral_edge(moment):.3g}: their "
            "directions are mostly noise. Ask for fewer, for a larger epsilon, or give "
            "more records."
        )
    return principal_axes(moment, n_axes, total)


def _total(view, budget):
    """Return the noisy variance in all directions together."""
    query = one_cell(view.ball, "energy")
    (energy,) = view.release("total variance", query, [budget])
    return float(energy.value[0]) / view.n


def _n_axes(view, moment, wanted):
    if wanted is None:
        return view.n_features
    if isinstance(wanted, Integral):
        return int(wanted)
    clear = n_clear(moment)
    if wanted == "auto":
        n_axes = max(clear, 1)
    else:
        n_axes = n_explaining(moment, wanted)
    because = {"clear": clear, "edge": float(spectral_edge(moment))}
    return view.decide(Decision("n_components", n_axes, because))


def _n_standing_out(moment, n_axes):
    """Return how many of the axes stand out of the noise."""
    # Where all directions are alike, and known to be, none is missed.
    if spectral_edge(moment) <= moment.estimate.bulk and alike(moment):
        return n_axes
    return min(n_clear(moment), n_axes)
