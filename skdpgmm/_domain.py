"""Where the records lie: a public ball, or one that is found privately."""

from __future__ import annotations

import numpy as np

from skdpgmm._postprocess import james_stein, noisy_quantile
from skdpgmm.privacy.accounting import split_mu
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.sums import CellMoments, NearestCell, NormHistogram

# Norms outside are treated as if they were at the end: beyond them squares of
# squares would leave the range of float64.
_LOG2_RANGE = 100
# Norms that are a power of sqrt(2) but for rounding, such as those of unit
# vectors in float32, belong to the bin that ends there.
_SLACK = 1.0 + 2.0**-10
# Bins for each doubling of the radius. Many make a tighter ball, but spread a thin
# tail, or a small cluster far out, over bins in none of which it can be seen.
_PER_OCTAVE = 4
# Share of the records that a ball should hold.
_INSIDE = 0.99


def find_ball(records, n_features, mu, clip_norm, center):
    """Return the ball to clip to, and a noisy count of the records or None.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    n_features : int
        Their width.
    mu : float
        Budget for it; nothing is spent when `clip_norm` is a number.
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
    edges = 2.0 ** (exponents / 2.0) * _SLACK
    (counts,) = records.release("norms", NormHistogram(origin, edges), [mus["norms"]])
    radius = _radius(counts, edges)
    # Nothing stands out of the noise: one is the scale that most encoders have.
    ball = Ball(origin, 1.0 if radius is None else radius)
    return _refine_ball(records, ball, mus["refine"], move, guess)


def _origin(n_features, center):
    return np.zeros(n_features) if center is None else np.array(center, dtype=float)


def _radius(counts, edges):
    # Without noise a wide ball costs nothing.
    q = 1.0 if counts.sd == 0.0 else _INSIDE
    return noisy_quantile(counts.value, counts.sd, edges, q)


def count_records(records, ball, mu):
    """Return a noisy count of all records, at least 1.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Any.
    mu : float
        Budget.

    Returns
    -------
    noisy_n : float
    """
    zero = np.zeros((1, ball.n_features))
    partition = NearestCell(zero, np.zeros(1, dtype=np.intp))
    query = CellMoments(ball, partition, zero, np.array([ball.radius]), ("count",))
    (count,) = records.release("number of records", query, [mu])
    return max(float(count.value[0]), 1.0)


def on_unit_sphere(records, n_features, noisy_n, mu):
    """Return whether all records seem to have norm 1, as from many encoders.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    n_features : int
        Their width.
    noisy_n : float
        Noisy number of records.
    mu : float
        Budget.

    Returns
    -------
    unit : bool
        False as well when the noise hides it.
    """
    edges = np.array([1.0 / _SLACK, _SLACK])
    query = NormHistogram(np.zeros(n_features), edges)
    (counts,) = records.release("unit norms", query, [mu])
    return bool(counts.value[1] - 3.0 * counts.sd > 0.9 * noisy_n)


def _refine_ball(records, ball, mu, move, guess):
    """Return a ball about the mean of the records in `ball`, just wide enough."""
    d = ball.n_features
    mus = split_mu(mu, {"count": 0.05, "sum": 0.6, "radius": 0.35})
    zero = np.zeros((1, d))
    partition = NearestCell(zero, np.zeros(1, dtype=np.intp))
    radii = np.array([ball.radius])
    query = CellMoments(ball, partition, zero, radii, ("count", "sum"))
    counts, sums = records.release("center", query, [mus["count"], mus["sum"]])
    noisy_n = max(float(counts.value[0]), 1.0)
    center = ball.center
    if move:
        mean = sums.value[0] / noisy_n
        sd = float(np.ravel(sums.sd)[0]) / noisy_n
        start = guess - center
        mean = start + james_stein(mean - start, sd)
        center = center + np.clip(mean, -ball.radius, ball.radius)
    exponents = np.arange(-20 * _PER_OCTAVE, 1) / _PER_OCTAVE
    edges = 2.0 * ball.radius * 2.0**exponents * _SLACK
    (counts,) = records.release("radius", NormHistogram(center, edges), [mus["radius"]])
    radius = _radius(counts, edges) or ball.radius
    middle = noisy_quantile(counts.value, counts.sd, edges, 0.5) or ball.radius
    return Ball(center, radius), noisy_n, middle
