"""Single releases: counts, unit norms, a second moment."""

from __future__ import annotations

import math

import numpy as np

from skdpgmm._algorithms import choices
from skdpgmm._algorithms.doubts import CLEAR, doubt, doubt_rare
from skdpgmm._algorithms.outcome import quality_of
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
_NO_SPHERE = (
    "Whether the records have norm 1 cannot be told from noise of standard deviation "
    "{sd:.3g} in their number, so that rows are not put on the unit sphere. Give "
    "normalize if it is public, a larger epsilon, or more records."
)


def one_cell(ball, *moments):
    """Return the query of moments of all records about the centre of the ball."""
    zero = np.zeros((1, ball.n_features))
    partition = NearestCell(zero, np.zeros(1, dtype=np.intp))
    return CellMoments(ball, partition, zero, np.array([ball.radius]), moments)


def class_counts(ball, n_classes):
    """Return the query of the number of records of each class."""
    centers = np.zeros((n_classes, ball.n_features))
    partition = NearestCell(centers, np.arange(n_classes))
    return CellMoments(ball, partition, centers, np.ones(n_classes), ("count",))


def count_records(view, budget):
    """Return a noisy number of all records, at least 1."""
    query = one_cell(view.ball, "count")
    (count,) = view.release("number of records", query, [budget])
    return positive_count(count)


def on_unit_sphere(view, budget):
    """Return whether all records seem to have norm 1, as from many encoders."""
    counts = _norms_about_one(view, budget)
    choice = choices.normalize(counts.value[1], counts.sd, view.n)
    return decide_on_sphere(view, choice)


def decide_on_sphere(view, choice):
    """Decide whether rows are put on the unit sphere, and say so where noise does."""
    seen = choice.because
    most = seen["noisy_count"] + CLEAR * seen["sd"]
    if not choice.value and most > choices.ON_SPHERE * view.n:
        doubt(_NO_SPHERE.format(sd=seen["sd"]))
    return view.decide(choice)


def number_and_norms(view, budget):
    """Return the records, of known number, and their counts below, at and above norm 1.

    The three counts add up to the number, with somewhat more noise.
    """
    counts = _norms_about_one(view, budget)
    sd = math.sqrt(3.0) * float(counts.sd)
    number = counts._replace(value=counts.value.sum(), sd=sd)
    return view.counted(positive_count(number)), counts


def _norms_about_one(view, budget):
    edges = np.array([1.0 / SLACK, SLACK])
    query = NormHistogram(np.zeros(view.n_features), edges)
    (counts,) = view.release("unit norms", query, [budget])
    return counts


def release_second_moment(view, budget, prior=None):
    """Release the second moment about the centre, a `NoisyMoment`.

    `prior` is that of public records, of any scale.
    """
    query = one_cell(view.ball, "tied")
    (release,) = view.release("second moment", query, [budget])
    sd = float(np.ravel(release.sd)[0])
    return NoisyMoment(release.value / view.n, sd / view.n, view.ball.radius, prior)


def release_class_counts(view, n_classes, budget):
    """Release the numbers of records of the classes, positive, shrunk by their noise.

    No coordinate is looked at.
    """
    (release,) = view.release("classes", class_counts(view.ball, n_classes), [budget])
    view.note(quality_of(np.arange(n_classes), release))
    counts = shrink_counts(release.value, float(release.sd))
    # At the floor of shrunk counts: that many are too few for a head, as it happens.
    doubt_rare(counts <= float(release.sd), counts)
    return counts


def positive_count(count):
    """Return a noisy count of all records as a positive number, or doubt it."""
    value, sd = float(np.ravel(count.value)[0]), float(count.sd)
    if value < CLEAR * sd:
        doubt(_NO_COUNT.format(sd=sd))
    return max(value, 1.0)
