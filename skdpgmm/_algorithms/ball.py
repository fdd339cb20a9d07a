"""Where the records lie: a public ball, or one that is found privately."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdpgmm._algorithms.doubts import doubt
from skdpgmm._algorithms.looks import REMEDY, SLACK, positive_count
from skdpgmm._estimates.quantile import noisy_quantile
from skdpgmm._estimates.shrinkage import james_stein
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.histograms import NormHistogram
from skdpgmm.privacy.accounting import split_mu
from skdpgmm.privacy.grid import Ball

# Norms outside are treated as if they were at the end: beyond them squares of
# squares would leave the range of float64.
_LOG2_RANGE = 100
# Bins for each doubling of the radius. Many make a tighter ball, but spread a thin
# tail, or a small cluster far out, over bins in none of which it can be seen.
_PER_OCTAVE = 4
# Share of the records that a ball should hold.
_INSIDE = 0.99
# Standard deviations of the noise in a bin in which the others may hide, and radii
# beyond which they are taken for errors.
_FEW, _FARTHEST = 4.0, 1e3
# Looks at a mean that is far from where it was looked for, and what each may cost of
# the budget that there is for the first.
_MOST_LOOKS, _LOOK_SHARE = 3, 0.4
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


def find_ball(records, n_features, mu, clip_norm, center):
    """Return the ball to clip to, and a noisy count of the records or None.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    n_features : int
        Their width.
    mu : float
        Budget for it; nothing is spent when `clip_norm` is a number. Each further look
        at a centre that is far away, of at most three, takes 0.4 of its square more.
    clip_norm : float or "auto"
        Radius about `center`, or "auto".
    center : ndarray of shape (n_features,) or None
        Public centre; None is the origin, or, with "auto", found privately.

    Returns
    -------
    ball : Ball
    noisy_n : float or None
    """
    if clip_norm != "auto":
        return Ball(_origin(n_features, center), float(clip_norm)), None
    ball, noisy_n, _ = find_tight_ball(records, n_features, mu, clip_norm, center)
    return ball, noisy_n


def find_tight_ball(records, n_features, mu, clip_norm, center, guess=None):
    """Return the smallest ball about the mean that holds nearly all records.

    A public radius is a bound only, so that the budget is spent in any case.

    Parameters
    ----------
    records, n_features, mu, clip_norm, center
        As in `find_ball`.
    guess : ndarray of shape (n_features,), optional
        Where the mean may be, from public records. The noisy mean is shrunk toward
        it; None is the origin.

    Returns
    -------
    ball : Ball
    noisy_n : float
    middle : float
        A radius about the same centre that holds half of the records.
    """
    origin = _origin(n_features, center)
    move = center is None
    guess = origin if guess is None or not move else guess
    if clip_norm != "auto":
        ball = Ball(origin, float(clip_norm))
        return _refine_ball(records, ball, mu, move, guess)
    origin = guess
    mus = split_mu(mu, {"norms": 0.25, "refine": 0.75})
    exponents = np.arange(-2 * _LOG2_RANGE, 2 * _LOG2_RANGE + 1)
    edges = 2.0 ** (exponents / 2.0) * SLACK
    (counts,) = records.release("norms", NormHistogram(origin, edges), [mus["norms"]])
    radius = _radius(counts, edges)
    if radius is None:
        doubt(_NO_SCALE.format(sd=float(counts.sd)))
        radius = 1.0  # the scale that most encoders have
    ball = Ball(origin, radius)
    return _refine_ball(records, ball, mus["refine"], move, guess)


def _origin(n_features, center):
    return np.zeros(n_features) if center is None else np.array(center, dtype=float)


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


def _refine_ball(records, ball, mu, move, guess):
    """Return a ball about the mean of the records in `ball`, just wide enough."""
    mus = split_mu(mu, {"count": 0.05, "sum": 0.6, "radius": 0.35})
    found = _recentred(records, ball, mus, move, guess, "")
    noisy_n, d = found.noisy_n, ball.n_features
    for look in range(1, _MOST_LOOKS + 1):
        # Far from the origin, the noise in the mean is that of the distance to it.
        far = found.radius < 0.25 * ball.radius
        if not (move and far and found.noise * np.sqrt(d) > 0.25 * found.radius):
            break
        ball = Ball(found.center, found.radius)
        mus = split_mu(mu, {"sum": 0.6 * _LOOK_SHARE, "radius": 0.4 * _LOOK_SHARE})
        name = f" again {look}"
        found = _recentred(records, ball, mus, move, ball.center, name, noisy_n)
    return Ball(found.center, found.radius), noisy_n, found.middle


class _Recentred(NamedTuple):
    """One look at mean and distances: centre, its noise, radii and noisy count."""

    center: np.ndarray
    noise: float
    radius: float
    middle: float
    noisy_n: float


def _recentred(records, ball, mus, move, guess, name, noisy_n=None):
    """Look at the mean of the records in `ball`, and at the distances to it."""
    parts = tuple(part for part in ("count", "sum") if part in mus)
    zero = np.zeros((1, ball.n_features))
    partition = NearestCell(zero, np.zeros(1, dtype=np.intp))
    query = CellMoments(ball, partition, zero, np.array([ball.radius]), parts)
    *counts, sums = records.release("center" + name, query, [mus[p] for p in parts])
    if counts:
        noisy_n = positive_count(counts[0])
    sd = float(np.ravel(sums.sd)[0]) / noisy_n
    center = ball.center
    if move:
        mean = sums.value[0] / noisy_n
        start = guess - center
        mean = start + james_stein(mean - start, sd)
        center = center + np.clip(mean, -ball.radius, ball.radius)
    exponents = np.arange(-20 * _PER_OCTAVE, 1) / _PER_OCTAVE
    edges = 2.0 * ball.radius * 2.0**exponents * SLACK
    norms = NormHistogram(center, edges)
    (counts,) = records.release("radius" + name, norms, [mus["radius"]])
    radius = _radius(counts, edges)
    if radius is None:
        doubt(_NO_RADIUS.format(sd=float(counts.sd)))
        radius = ball.radius
    middle = noisy_quantile(counts.value, counts.sd, edges, 0.5) or ball.radius
    return _Recentred(center, sd, radius, middle, noisy_n)
