"""Single releases: counts, unit norms, a second moment."""

from __future__ import annotations

import numpy as np

from skdpgmm._algorithms.doubts import CLEAR, doubt
from skdpgmm._estimates.second_moment import NoisyMoment
from skdpgmm._estimates.shrinkage import shrink_counts
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.histograms import NormHistogram

# Norms that are a power of sqrt(2) but for rounding, such as those of unit
# vectors in float32, belong to the bin that ends there.
SLACK = 1.0 + 2.0**-10
REMEDY = (
    "Give clip_norm and center if they are public, a larger epsilon, or more records."
)
_NO_COUNT = (
    "The number of records cannot be told from noise of standard deviation {sd:.3g}: "
    f"what is divided by it may be of any size. {REMEDY}"
)


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
    return positive_count(count)


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
    edges = np.array([1.0 / SLACK, SLACK])
    query = NormHistogram(np.zeros(n_features), edges)
    (counts,) = records.release("unit norms", query, [mu])
    return bool(counts.value[1] - 3.0 * counts.sd > 0.9 * noisy_n)


def release_second_moment(records, ball, noisy_n, mu, prior=None):
    """Release the second moment about the centre.

    Parameters
    ----------
    records : PrivateRecords
        The private rows.
    ball : Ball
        Clipping and grid.
    noisy_n : float
        Noisy number of records.
    mu : float
        Budget.
    prior : ndarray of shape (p, p), optional
        Second moment of public records, of any scale.

    Returns
    -------
    moment : NoisyMoment
    """
    zero = np.zeros((1, ball.n_features))
    partition = NearestCell(zero, np.zeros(1, dtype=np.intp))
    query = CellMoments(ball, partition, zero, np.array([ball.radius]), ("tied",))
    (release,) = records.release("second moment", query, [mu])
    sd = float(np.ravel(release.sd)[0])
    return NoisyMoment(release.value / noisy_n, sd / noisy_n, ball.radius, prior)


def release_class_counts(records, ball, n_classes, mu):
    """Release the numbers of records of the classes, and shrink them by their noise.

    Parameters
    ----------
    records : PrivateRecords
        The private rows, with their classes.
    ball : Ball
        Any; no coordinate is looked at.
    n_classes : int
        Number of classes, public.
    mu : float
        Budget.

    Returns
    -------
    counts : ndarray of shape (n_classes,)
        Positive.
    """
    centers = np.zeros((n_classes, ball.n_features))
    partition = NearestCell(centers, np.arange(n_classes))
    query = CellMoments(ball, partition, centers, np.ones(n_classes), ("count",))
    (release,) = records.release("classes", query, [mu])
    return shrink_counts(release.value, float(release.sd))


def positive_count(count):
    """Return a noisy count of all records as a positive number, or doubt it."""
    value, sd = float(np.ravel(count.value)[0]), float(count.sd)
    if value < CLEAR * sd:
        doubt(_NO_COUNT.format(sd=sd))
    return max(value, 1.0)
