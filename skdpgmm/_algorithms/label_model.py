"""A head on rows and random features of them, and the mixture that it places."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._algorithms import choices, class_choices
from skdpgmm._algorithms.budget import (
    HEAD,
    LABEL_MODEL,
    LABEL_MODEL_OF_CLUSTERS,
    LABEL_MODEL_OF_MEANS,
    LABEL_MODEL_OF_SHAPES,
)
from skdpgmm._algorithms.class_clusters import (
    ClassClusters,
    moved_toward,
    release_class_means,
    release_class_shapes,
    spread_components,
)
from skdpgmm._algorithms.doubts import CLEAR, doubt
from skdpgmm._algorithms.head import fit_head, grid_for
from skdpgmm._algorithms.looks import release_class_counts, release_second_moment
from skdpgmm._algorithms.outcome import lengths, quality_of
from skdpgmm._algorithms.overlap import grid_rule
from skdpgmm._estimates.spectrum import Spikes
from skdpgmm._models.class_shapes import TurnedByClass
from skdpgmm._models.placement import placed_means, tied_mixture
from skdpgmm._models.scores import Head, LabelModel, draw_features
from skdpgmm._queries.histograms import AgreementCount
from skdpgmm._queries.lifts import with_cosines

# Features of one record can be longer than they are on average, but hardly twice.
_LONGEST = 2.0
# Share of the records that a head is believed to be right about, at most. Not argued.
_MOST_RIGHT = 0.99
_NO_AGREEMENT = (
    "How often the head is right about the records cannot be told from noise of "
    "standard deviation {sd:.3g} in their number: how far the rows of the classes lie "
    "apart is a guess. A larger epsilon or more records are needed."
)


class ClassSizes(NamedTuple):
    """What is told of each class, beyond where the head places it.

    Attributes
    ----------
    clusters : int
        Clusters of each class; 0 for one component.
    width : int
        Directions in which classes have shapes of their own; 0 for one covariance.
    means : bool
        Whether classes have means of their own where they have no clusters.
    """

    clusters: int = 0
    width: int = 0
    means: bool = False


class Seen(NamedTuple):
    """What a head is trained on: records, and features of them where there are any.

    Attributes
    ----------
    view : View
    radius : float
        Smallest of the steps.
    second : Spikes
        Second moment.
    widest : float or None
        Largest radius of the steps; None is that of the ball.
    features : CosineFeatures or None
    slopes : ndarray of shape (m, d), or None
        The best linear guess of a feature from its row.
    """

    view: Any
    radius: float
    second: Any
    widest: Any
    features: Any = None
    slopes: Any = None


def see(view, median_radius, n_features, counts, moment, budget, widest=None):
    """Return what a head is to be trained on.

    Parameters
    ----------
    view : View
        Through a ball that holds nearly all records.
    median_radius : float
        A radius that holds half of them.
    n_features : int or "auto"
        Number of features; public. Without any, the head is linear.
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    moment : NoisyMoment
        Second moment of the records about the centre.
    budget : Budget
        Of the head.
    widest : float, optional
        Radius to which records were clipped for the second moment; None is that of
        the ball.

    Returns
    -------
    seen : Seen
    """
    ball, second = view.ball, moment.estimate
    drawn = _features(view, median_radius, n_features, counts, second, budget)
    if drawn is None:
        seen = view.through(grid_for(ball, second))
        return Seen(seen, median_radius, second, widest)
    features, moments = drawn
    d, joint = ball.n_features, moments.joint
    length = math.sqrt(np.trace(joint[d:, d:]))
    wide = with_cosines(ball, features, math.hypot(ball.radius, _LONGEST * length))
    wide, radius = grid_for(wide, second), math.hypot(median_radius, length)
    seen = view.through(wide)
    return Seen(seen, radius, Spikes.of(joint), None, features, moments.slopes)


def fit_label_model(seen, counts, budget):
    """Train a head on what is seen.

    Parameters
    ----------
    seen : Seen
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    budget : Budget

    Returns
    -------
    model : LabelModel
    n_steps : int
    """
    view, radius, second, widest, features, slopes = seen
    head, n_steps = fit_head(view, radius, counts, second, budget, widest)
    center, linear = view.ball.center, head
    if features is not None:
        d = len(center)
        coef = head.coef[:, :d] + head.coef[:, d:] @ slopes
        linear = Head(coef, head.intercept)
    return LabelModel(center, features, head, linear), n_steps


def _features(view, median_radius, n_features, counts, second, budget):
    """Return random features and their moments, or None where there are to be none."""
    auto = n_features == "auto"
    m = choices.N_RANDOM_FEATURES if auto else n_features
    if not m:
        return None
    features, moments = draw_features(
        m, second.matrix(), median_radius, view.public_rng
    )
    if auto:
        mu, beyond = budget.split(HEAD)["steps"].mu, moments.beyond()
        choice = choices.n_random_features(counts, mu, second, median_radius, beyond)
        if not view.decide(choice):
            return None
    return features, moments


def fit_labelled_mixture(view, median_radius, n_classes, sizes, budget, prior=None):
    """Fit a label model, and a mixture around it.

    Parameters
    ----------
    view : View
        Through a ball that holds nearly all records.
    median_radius : float
        A radius that holds half of them.
    n_classes : int
    sizes : ClassSizes
    budget : Budget
    prior : ndarray of shape (p, p), optional
        Second moment of public records, of any scale.

    Returns
    -------
    mixture : Mixture
        About the centre of the ball.
    model : LabelModel
    n_steps : int
    """
    k, width = sizes.clusters, sizes.width
    budgets = budget.split(_shares(sizes))
    counts = release_class_counts(view, n_classes, budgets["counts"])
    weights = counts / counts.sum()
    moment = release_second_moment(view, budgets["moment"], prior)
    d = view.n_features
    words = lengths(moment.value[None], moment.sd, d * (d + 1) / 2)
    view.note(quality_of(np.arange(n_classes), shape=words))
    seen = see(view, median_radius, "auto", counts, moment, budgets["head"])
    with seen.view.held():
        model, n_steps = fit_label_model(seen, counts, budgets["head"])
        right = share_right(seen.view, model.head, counts, budgets["agreement"])
    gaps = model.linear.coef - weights @ model.linear.coef
    told = np.empty((0, d))
    if sizes.means:
        square = moment.estimate.trace
        told = release_class_means(
            view, median_radius, counts, square, budgets["means"]
        )
    second = moment.along(np.vstack([gaps, told])).matrix()
    means = placed_means(model.linear, weights, second, right, view.public_rng)
    if sizes.means:
        means = moved_toward(means, told)
    clusters = ClassClusters(means, weights, np.arange(n_classes), means)
    if k:
        clusters = spread_components(
            view, means, weights, moment.value, k, budgets["clusters"]
        )
    mixture = tied_mixture(*clusters[:3], second)
    if width:
        shapes = release_class_shapes(
            view,
            clusters,
            counts,
            second,
            mixture.covariances,
            width,
            budgets["shapes"],
        )
        turned = TurnedByClass(shapes, mixture.classes)
        mixture = replace(mixture, covariance=turned)
    drawn = class_choices.drawn_labels(counts.sum(), n_classes, view.n_features)
    return mixture, model._replace(drawn=view.decide(drawn)), n_steps


def _shares(sizes):
    if sizes.width:
        return LABEL_MODEL_OF_SHAPES
    if sizes.means:
        return LABEL_MODEL_OF_MEANS
    return LABEL_MODEL_OF_CLUSTERS if sizes.clusters else LABEL_MODEL


def share_right(view, head, counts, budget):
    """Return the share of the records to which a head gives their own label, about.

    As often as the largest class at least, and never quite always.
    """
    rule = grid_rule(view.ball, head.coef, head.intercept, np.arange(len(counts)))
    query = AgreementCount(view.ball, rule)
    (count,) = view.release("agreement", query, [budget])
    n, least = counts.sum(), counts.max()
    if CLEAR * float(count.sd) > n - least:
        doubt(_NO_AGREEMENT.format(sd=float(count.sd)))
    return float(np.clip(count.value[0] / n, least / n, _MOST_RIGHT))
