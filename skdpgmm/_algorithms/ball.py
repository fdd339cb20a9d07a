"""Where the records lie: a public ball, or one that is found privately."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms.budget import (
    BALL,
    LOOK_AGAIN,
    REFINE,
    REFINE_OF_KNOWN_NUMBER,
)
from skdpgmm._algorithms.doubts import doubt
from skdpgmm._algorithms.looks import (
    REMEDY,
    SLACK,
    count_records,
    one_cell,
    positive_count,
)
from skdpgmm._algorithms.view import View
from skdpgmm._estimates.quantile import noisy_quantile
from skdpgmm._estimates.shrinkage import james_stein
from skdpgmm._queries.histograms import NormHistogram
from skdpgmm.privacy.report import Decision

# Larger norms fall into the last bin, smaller ones into the first: beyond, squares of
# squares would leave the range of float64.
_LOG2_RANGE = 100
# Bins for each doubling of the radius. Many make a tighter ball, but spread a thin
# tail, or a small cluster far out, over bins in none of which it can be seen.
_PER_OCTAVE = 4
# Halvings of the ball that a histogram of distances resolves. Not argued: less than a
# millionth of the radius is hardly ever all that there is.
_OCTAVES = 20
# Share of the records that a ball should hold.
_INSIDE = 0.99
# Standard deviations of the noise in a bin in which the others may hide, and radii
# beyond which they are taken for errors.
_FEW, _FARTHEST = 4.0, 1e3
# Looks at a mean that is far from where it was looked for, after the first one.
_MOST_LOOKS = 3
# Share of the ball, or of the distance, below which one is small beside the other. Not
# argued.
_SMALL = 0.25
_NO_SCALE = (
    "The scale of the records cannot be told from noise of standard deviation {sd:.3g} "
    "in each bin of the histogram of their norms, so that a radius of 1 is taken: "
    f"records of another scale are lost. {REMEDY}"
)
_NO_RADIUS = (
    "The distances of the records to their centre cannot be told from noise of "
    "standard deviation {sd:.3g} in each bin of their histogram, so that the ball "
    f"stays as wide as the first look at it, or clip_norm, says. {REMEDY}"
)


def find_ball(view, budget, clip_norm, center, guess=None, *, tighten=True):
    """Return a view through a ball that holds nearly all records, and a median radius.

    Parameters
    ----------
    view : View
        Of the records as they are.
    budget : Budget
        For all of it; more is spent where the records lie far from the origin: each
        further look at their centre, of at most three, takes 0.4 of the first one.
    clip_norm : float or "auto"
        Public radius about `center`, or "auto".
    center : ndarray of shape (n_features,) or None
        Public centre; None is found privately, unless a public ball about the
        origin is not to be tightened.
    guess : ndarray of shape (n_features,), optional
        Where the mean may be, from public records. The noisy mean is shrunk toward
        it; None is the origin.
    tighten : bool
        Whether a public radius is a bound only, and the smallest ball in it is looked
        for. Otherwise the budget, if there is any, buys the number of records.

    Returns
    -------
    view : View
        Of known number, but for a public radius without a budget.
    median_radius : float
        A radius about the same centre that holds half of the records; that of the ball
        where no distances were looked at.
    """
    move = center is None
    origin = np.zeros(view.n_features) if move else np.array(center, dtype=float)
    if clip_norm != "auto":
        view = view.within(origin, float(clip_norm))
        if tighten:
            return _tightened(view, budget, move, guess if move else None)
        if budget:
            view = view.counted(count_records(view, budget))
        return view, view.ball.radius
    if move and guess is not None:
        origin = guess
    budgets = budget.split(BALL)
    exponents = np.arange(-2 * _LOG2_RANGE, 2 * _LOG2_RANGE + 1)
    edges = 2.0 ** (exponents / 2.0) * SLACK
    query = NormHistogram(origin, edges, view.units)
    (counts,) = view.release("norms", query, [budgets["norms"]])
    radius = _radius(counts, edges)
    if radius is None:
        doubt(_NO_SCALE.format(sd=float(counts.sd)))
        radius = 1.0  # the scale that most encoders have
    view = view.within(origin, radius)
    view, median_radius = _tightened(view, budgets["refine"], move, origin)
    because = {"noisy_n": view.n, "norms_below": radius, "noise_of_a_bin": counts.sd}
    view.decide(Decision("clip_norm", view.ball.radius, because))
    return view, median_radius


def _radius(counts, edges):
    """Return a radius that holds all records but for very few, or None.

    Of what is cut off, nothing is left to be found; of a wider ball, all is measured
    with more noise. The one costs in proportion to the records above the edge, the
    other to the noise: so no more are left out than could hide in it, however rare a
    class they are, and none where there is no noise. What lies a thousand radii farther
    out is taken for an error: beside it, the grid could not resolve the rest.
    """
    sd = float(counts.sd)
    tight = noisy_quantile(counts.value, sd, edges, _INSIDE)
    if tight is None:
        return None
    n_edges = int(np.searchsorted(edges, _FARTHEST * tight, side="right"))
    near = np.append(counts.value[:n_edges], 0.0)
    return noisy_quantile(near, sd, edges[:n_edges], _INSIDE, _FEW * sd)


def _tightened(view, budget, move, guess):
    """Return a view through a ball about the mean of its records, just wide enough."""
    guess = view.ball.center if guess is None else guess
    shares = REFINE if view.n is None else REFINE_OF_KNOWN_NUMBER
    found = _look(view, budget.split(shares), move, guess, "")
    for look in range(1, _MOST_LOOKS + 1):
        # Far from the origin, the noise in the mean is that of the distance to it.
        far = found.view.ball.radius < _SMALL * view.ball.radius
        noise = found.noise * np.sqrt(view.n_features)
        if not (move and far and noise > _SMALL * found.view.ball.radius):
            break
        view = found.view
        budgets = budget.split(LOOK_AGAIN)
        found = _look(view, budgets, move, view.ball.center, f" again {look}")
    return found.view, found.median_radius


class _Look(NamedTuple):
    """One look at mean and distances: a ball about the mean, and the noise in it."""

    view: View
    noise: float
    median_radius: float


def _look(view, budgets, move, guess, name):
    """Look at the mean of the records, and at the distances to it."""
    ball = view.ball
    parts = tuple(part for part in ("count", "sum") if part in budgets)
    query = one_cell(ball, *parts)
    *counts, sums = view.release("center" + name, query, [budgets[p] for p in parts])
    if counts:
        view = view.counted(positive_count(counts[0]))
    sd = float(np.ravel(sums.sd)[0]) / view.n
    center = ball.center
    if move:
        mean = sums.value[0] / view.n
        start = guess - center
        mean = start + james_stein(mean - start, sd)
        center = center + np.clip(mean, -ball.radius, ball.radius)
    exponents = np.arange(-_OCTAVES * _PER_OCTAVE, 1) / _PER_OCTAVE
    edges = 2.0 * ball.radius * 2.0**exponents * SLACK
    norms = NormHistogram(center, edges, view.units)
    (counts,) = view.release("radius" + name, norms, [budgets["radius"]])
    radius = _radius(counts, edges)
    if radius is None:
        doubt(_NO_RADIUS.format(sd=float(counts.sd)))
        radius = ball.radius
    median = noisy_quantile(counts.value, counts.sd, edges, 0.5) or ball.radius
    return _Look(view.within(center, radius), sd, median)
