"""Scores of the classes that are linear in rows and random features of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from skdpgmm._blocks import row_slices
from skdpgmm._features import CosineFeatures, draw_features
from skdpgmm._head import Head, fit_head
from skdpgmm._spectrum import Spikes
from skdpgmm.privacy.features import FeatureBall

_ROWS = 4096
# Scores that are held at a time where only the largest matters.
_N_SCORES = 2**22


class LabelModel(NamedTuple):
    """A softmax head on rows and random cosine features of them.

    Attributes
    ----------
    center : ndarray of shape (d,)
        Released.
    features : CosineFeatures
        Of rows about the centre; made of public randomness and released scales.
    head : Head
        Of rows about the centre, and then the features; released.
    linear : Head
        The best guess of the scores that is linear in rows about the centre.
    """

    center: np.ndarray
    features: CosineFeatures
    head: Head
    linear: Head

    def scores(self, X):
        """Return the scores of the classes, of rows about the origin."""
        scores = np.empty((len(X), len(self.head.intercept)))
        for rows in row_slices(len(X), _ROWS):
            scores[rows] = self._scores(X[rows])
        return scores

    def labels(self, X):
        """Return the class with the largest score, of rows about the origin."""
        k = len(self.head.intercept)
        codes = np.empty(len(X), dtype=np.intp)
        for rows in row_slices(len(X), min(_ROWS, max(1, _N_SCORES // k))):
            codes[rows] = self._scores(X[rows]).argmax(axis=1)
        return codes

    def _scores(self, X):
        Z = X - self.center
        return self.head.scores(np.hstack([Z, self.features(Z)]))


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
    wide = FeatureBall.of(
        ball,
        features.frequencies,
        features.phases,
        features.means,
        features.scale,
        math.hypot(ball.radius, 2.0 * length),
    )
    inner = wide.within(math.hypot(middle, length))
    head, n_steps = fit_head(
        records, wide, inner, counts, Spikes.of(joint), noisy_n, mu
    )
    linear = head.coef[:, :d] + head.coef[:, d:] @ moments.slopes
    model = LabelModel(ball.center, features, head, Head(linear, head.intercept))
    return model, n_steps
