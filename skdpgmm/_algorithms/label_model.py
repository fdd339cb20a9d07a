"""A head on rows and random features of them, and the mixture that it places."""

from __future__ import annotations

import math

import numpy as np

from skdpgmm._algorithms.head import fit_head
from skdpgmm._algorithms.looks import release_class_counts, release_second_moment
from skdpgmm._estimates.spectrum import Spikes
from skdpgmm._models.placement import place_components
from skdpgmm._models.scores import Head, LabelModel, draw_features
from skdpgmm._queries.lifts import with_cosines
from skdpgmm.privacy.accounting import split_mu

_SHARES = {"counts": 0.01, "moment": 0.15, "head": 0.84}
_N_FEATURES = 512


def fit_label_model(
    records, ball, middle, n_features, counts, moment, noisy_n, mu, public_rng
):
    """Train a head on the records and features of them.

    Parameters
    ----------
    records : PrivateRecords
        The private rows, with their classes.
    ball : Ball
        Clipping and grid; holds nearly all records.
    middle : float
        A radius that holds half of them.
    n_features : int
        Number of features, at least 1; public.
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    moment : NoisyMoment
        Second moment of the records about the centre.
    noisy_n : float
        Noisy number of records.
    mu : float
        Budget.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    model : LabelModel
    n_steps : int
    """
    features, moments = draw_features(
        n_features, moment.estimate.matrix(), middle, public_rng
    )
    d, joint = ball.n_features, moments.joint
    length = math.sqrt(np.trace(joint[d:, d:]))
    # Features of one record can be longer than that, but hardly twice.
    wide = with_cosines(ball, features, math.hypot(ball.radius, 2.0 * length))
    inner = wide.within(math.hypot(middle, length))
    head, n_steps = fit_head(
        records, wide, inner, counts, Spikes.of(joint), noisy_n, mu
    )
    linear = head.coef[:, :d] + head.coef[:, d:] @ moments.slopes
    model = LabelModel(ball.center, features, head, Head(linear, head.intercept))
    return model, n_steps


def fit_taught_mixture(
    records, ball, middle, n_classes, noisy_n, mu, public_rng, prior=None
):
    """Fit a label model, and a mixture with one component for each class around it.

    Parameters
    ----------
    records : PrivateRecords
        The private rows, with their classes.
    ball : Ball
        Clipping and grid.
    middle : float
        A radius that holds half of the records.
    n_classes : int
        Number of classes, public.
    noisy_n : float
        Noisy number of records.
    mu : float
        Budget.
    public_rng : numpy.random.Generator
        Public randomness.
    prior : ndarray of shape (p, p), optional
        Second moment of public records, of any scale.

    Returns
    -------
    mixture : Mixture
        About the centre of the ball.
    model : LabelModel
    n_steps : int
    """
    mus = split_mu(mu, _SHARES)
    counts = release_class_counts(records, ball, n_classes, mus["counts"])
    weights = counts / counts.sum()
    moment = release_second_moment(records, ball, noisy_n, mus["moment"], prior)
    model, n_steps = fit_label_model(
        records,
        ball,
        middle,
        _N_FEATURES,
        counts,
        moment,
        noisy_n,
        mus["head"],
        public_rng,
    )
    coef = model.linear.coef
    second = moment.along(coef - weights @ coef).matrix()
    mixture = place_components(model.linear, weights, second, public_rng)
    return mixture, model, n_steps
