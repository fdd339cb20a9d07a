"""Random cosine features, and what a released second moment tells about them.

With frequencies drawn from a Gaussian, linear functions of them are functions of the
space of a Gaussian kernel [1]_. Their moments under a Gaussian of the released second
moment have closed forms, so that they cost no budget.

References
----------
.. [1] A. Rahimi, B. Recht, "Random Features for Large-Scale Kernel Machines",
   NeurIPS 2007.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdpgmm._estimates.units import Units
from skdpgmm._models.slices import row_slices

# Frequencies times the root mean square norm of a record.
_BANDWIDTH = 0.9
# Root mean square norm of the features over that of the records: with it, the norm of
# both, and the noise, is larger by an eighth.
_WEIGHT = 0.5
# By which share the norm, and the noise, of rows is smaller without features.
FEATURE_SHARE = 1.0 - (1.0 + _WEIGHT**2) ** -0.5
_ROWS = 4096
# Scores that are held at a time where only the largest matters.
_N_SCORES = 2**22


class CosineFeatures(NamedTuple):
    """Features ``scale * (cos((x - center) @ frequencies + phases) - means)`` of rows.

    Attributes
    ----------
    frequencies : ndarray of shape (d, m)
    phases, means : ndarray of shape (m,)
    scale : float
    center : ndarray of shape (d,), or 0.0 for rows that are about the centre
    """

    frequencies: np.ndarray
    phases: np.ndarray
    means: np.ndarray
    scale: float
    center: np.ndarray | float = 0.0

    def __call__(self, X):
        """Return the features of rows."""
        angles = (X - self.center) @ self.frequencies + self.phases
        return self.scale * (np.cos(angles) - self.means)

    def scores(self, X, coef):
        """Return ``self(X) @ coef.T``, a few rows at a time."""
        scores = np.empty((len(X), len(coef)))
        for rows in row_slices(len(X), _ROWS):
            scores[rows] = self(X[rows]) @ coef.T
        return scores

    def in_data(self, scale, center):
        """Return the features for rows about the origin, in the units of the data."""
        return self._replace(
            frequencies=self.frequencies / scale[:, None], center=center
        )


class Head(NamedTuple):
    """Linear scores ``coef @ (x - center) + intercept`` of the classes.

    Attributes
    ----------
    coef : ndarray of shape (k, p)
    intercept : ndarray of shape (k,)
    """

    coef: np.ndarray
    intercept: np.ndarray

    def scores(self, X):
        """Return the scores of rows about the centre of the ball."""
        return X @ self.coef.T + self.intercept


class LabelModel(NamedTuple):
    """A softmax head on rows, and random cosine features of them where it has any.

    Attributes
    ----------
    center : ndarray of shape (d,)
        Released.
    features : CosineFeatures or None
        Of rows about the centre; made of public randomness and released scales.
    head : Head
        Of rows about the centre, and then the features; released.
    linear : Head
        The best guess of the scores that is linear in rows about the centre.
    drawn : float
        Share of synthetic rows whose label is drawn from the probabilities of the
        classes; the others carry that of the largest score. Released.
    units : Units or None
        In which all of it measures rows; None is the units of the data. Released, or
        public.
    """

    center: np.ndarray
    features: CosineFeatures | None
    head: Head
    linear: Head
    drawn: float = 0.0
    units: Units | None = None

    def scores(self, X):
        """Return the scores of the classes, of rows in the units of the data."""
        scores = np.empty((len(X), len(self.head.intercept)))
        for rows in row_slices(len(X), _ROWS):
            scores[rows] = self._scores(X[rows])
        return scores

    def label_noise(self, n_rows, rng):
        """Return what is added to scores before the largest gives a row its label.

        The largest of scores with Gumbel noise has their softmax.
        """
        noise = np.zeros((n_rows, len(self.head.intercept)))
        drawn = rng.uniform(size=n_rows) < self.drawn
        noise[drawn] = rng.gumbel(size=(np.count_nonzero(drawn), noise.shape[1]))
        return noise

    def labels(self, X, rng):
        """Return labels of synthetic rows, in the units of the data."""
        k = len(self.head.intercept)
        codes = np.empty(len(X), dtype=np.intp)
        for rows in row_slices(len(X), min(_ROWS, max(1, _N_SCORES // k))):
            scores = self._scores(X[rows])
            codes[rows] = (scores + self.label_noise(len(scores), rng)).argmax(axis=1)
        return codes

    def _scores(self, X):
        Z = X if self.units is None else self.units.of_rows(X)
        Z = Z - self.center
        if self.features is not None:
            Z = np.hstack([Z, self.features(Z)])
        return self.head.scores(Z)


class FeatureMoments(NamedTuple):
    """What features of Gaussian rows are like.

    Attributes
    ----------
    joint : ndarray of shape (d + m, d + m)
        Second moment of rows and features.
    slopes : ndarray of shape (m, d)
        Mean derivatives of the features: the best linear guess of a feature from its
        row.
    """

    joint: np.ndarray
    slopes: np.ndarray

    def beyond(self):
        """Return the eigenvalues of what of the features is not linear in the rows."""
        d = self.slopes.shape[1]
        linear = self.slopes @ self.joint[:d, d:]
        return np.maximum(np.linalg.eigvalsh(self.joint[d:, d:] - linear), 0.0)


def draw_features(n_features, second, length, public_rng):
    """Draw features for rows of a second moment.

    Parameters
    ----------
    n_features : int
        How many, at least 1; public.
    second : ndarray of shape (d, d)
        Second moment about the centre; released.
    length : float
        Typical norm of a row about the centre; released.
    public_rng : numpy.random.Generator
        Public randomness.

    Returns
    -------
    features : CosineFeatures
    moments : FeatureMoments
        Of a Gaussian of that second moment.
    """
    d, m = len(second), n_features
    frequencies = public_rng.standard_normal((d, m))
    frequencies *= _BANDWIDTH / np.sqrt(np.trace(second))
    phases = public_rng.uniform(0.0, 2.0 * np.pi, m)
    spread = second @ frequencies  # (d, m)
    inner = frequencies.T @ spread
    squares = np.diag(inner)
    # E exp(i u) = exp(-Var(u) / 2), for angles and for their sums and differences.
    damping = np.exp(-0.5 * squares)
    means = damping * np.cos(phases)
    base = -0.5 * (squares[:, None] + squares)
    among = np.exp(base + inner) * np.cos(phases[:, None] - phases)
    among += np.exp(base - inner) * np.cos(phases[:, None] + phases)
    among = 0.5 * among - np.outer(means, means)
    # A single feature may hardly vary.
    scale = float(_WEIGHT * length / np.sqrt(max(np.trace(among), 1e-12)))
    rates = -scale * damping * np.sin(phases)
    across = spread * rates
    joint = np.block([[second, across], [across.T, scale**2 * among]])
    features = CosineFeatures(frequencies, phases, means, scale)
    return features, FeatureMoments(joint, (frequencies * rates).T)
