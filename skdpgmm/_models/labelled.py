"""A mixture whose rows carry labels: draws for a label, and joint densities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from skdpgmm._estimates.units import Units
from skdpgmm._models.mixture import Mixture, log_joint, sample_components
from skdpgmm._models.placement import ScoreSampler, score_sampler
from skdpgmm._models.scores import LabelModel
from skdpgmm._models.slices import row_slices

# Rows are drawn for all labels at once as long as this share of them is asked for.
_USEFUL = 0.2
# Densities or scores that are held at a time.
_N_HELD = 2**22
# Draws of a row with a label before one with another is taken.
_MAX_TRIES = 20
# Draws that show how far linear scores are from those of a label model.
_N_PILOT = 4_000


@dataclass(frozen=True, eq=False)
class LabelledMixture:
    """A mixture of labelled rows, ready to be drawn from and compared with rows.

    Attributes
    ----------
    mixture : Mixture
        Components in the order of their classes.
    unit_norm : bool
        Whether rows are put on the unit sphere.
    whiteners, roots : ndarray
        Factors of the precisions, and roots of the covariances.
    model : LabelModel or None
        Gives rows their labels; without one, components do.
    sampler : ScoreSampler or None
        Draws rows near a label of the model.
    units : Units or None
        Of the mixture; rows that are drawn or compared are in those of the data.
    """

    mixture: Mixture
    unit_norm: bool
    whiteners: np.ndarray
    roots: np.ndarray
    model: LabelModel | None = None
    sampler: ScoreSampler | None = None
    units: Units | None = None

    @classmethod
    def of(cls, mixture, center, unit_norm, model, public_rng, units=None):
        """Return a mixture that was fitted about a centre, with its label model.

        Linear scores are compared with those of the model at draws of the mixture.
        """
        moved = mixture.shifted(center)
        roots = moved.covariance.roots(moved.covariances)
        bare = cls(moved, unit_norm, moved.whiteners(), roots, units=units)
        if model is None:
            return bare
        model = model._replace(units=units)
        rows = bare.draw_any(_N_PILOT, public_rng)
        Z = rows - model.center
        rows = bare.placed(rows)
        slack = 0.0
        for some in row_slices(len(Z), max(1, _N_HELD // len(mixture.weights))):
            noise = model.label_noise(len(Z[some]), public_rng)
            labels = (model.scores(rows[some]) + noise).argmax(axis=1)
            scores = model.linear.scores(Z[some]) + noise
            own = np.take_along_axis(scores, labels[:, None], axis=1)[:, 0]
            slack = max(slack, float(np.max(scores.max(axis=1) - own)))
        sampler = score_sampler(
            mixture, model.linear, slack, model.label_noise, public_rng
        )
        return replace(bare, model=model, sampler=sampler)

    def in_data(self):
        """Return the mixture of rows in the units of the data."""
        units, found = self.units, self.mixture
        if units is None:
            return found
        return found.in_data(units)

    def class_weights(self):
        """Return the weight of each class."""
        return np.bincount(self.mixture.classes, self.mixture.weights)

    def log_joint(self, X):
        """Return the log of weight times density of each component, shape (n, k)."""
        found, stretch = self.mixture, 0.0
        if self.units is not None:
            X = self.units.of_rows(X)
            stretch = np.log(self.units.scale).sum()
        joint = log_joint(
            X, found.weights, found.means, self.whiteners, found.covariance
        )
        return joint - stretch

    def responsibilities(self, X):
        """Return the posterior probabilities of the components, shape (n, k)."""
        return softmax(self.log_joint(X), axis=1)

    def log_densities(self, X):
        """Return the log density of each row."""
        found = [logsumexp(self.log_joint(X[rows]), axis=1) for rows in self.slices(X)]
        return np.concatenate(found)

    def log_by_class(self, X):
        """Return the log joint density of row and label, shape (n, n_classes)."""
        codes = self.mixture.classes
        starts = np.searchsorted(codes, np.arange(codes[-1] + 1))
        return np.logaddexp.reduceat(self.log_joint(X), starts, axis=1)

    def slices(self, X):
        """Return slices of rows whose densities together take little memory."""
        return row_slices(len(X), max(1, _N_HELD // len(self.mixture.weights)))

    def draw(self, codes, dtype, rng):
        """Draw a row of each class code.

        Returns the rows, in a float type, and the component of each; where a model
        gives the labels, there are no components.
        """
        if self.model is not None:
            return self._draw_with_model(codes, dtype, rng), None
        weights = self.mixture.weights
        components = np.empty(len(codes), dtype=np.intp)
        order = np.argsort(codes, kind="stable")
        found, starts = np.unique(codes[order], return_index=True)
        for code, rows in zip(found, np.split(order, starts[1:]), strict=True):
            of_class = np.flatnonzero(self.mixture.classes == code)
            p = weights[of_class] / weights[of_class].sum()
            components[rows] = rng.choice(of_class, size=len(rows), p=p)
        return self._finished(self._rows_of(components, rng), dtype), components

    def draw_any(self, n_rows, rng):
        """Draw rows of any label, in units, as they are before they are finished."""
        p = self.mixture.weights
        return self._rows_of(rng.choice(len(p), size=n_rows, p=p), rng)

    def placed(self, rows):
        """Return rows in the units of the data, on the sphere where the records are."""
        if self.units is not None:
            rows = self.units.rows(rows)
        if self.unit_norm:
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
        return rows

    def _rows_of(self, components, rng):
        found = self.mixture
        return sample_components(
            components, found.means, self.roots, found.covariance, rng
        )

    def _finished(self, rows, dtype):
        limits = np.finfo(dtype)  # where noise has gone beyond
        rows = np.clip(self.placed(rows), limits.min, limits.max)
        return rows.astype(dtype, copy=False)

    def _draw_with_model(self, codes, dtype, rng):
        """Draw rows of the mixture, given the label that the model gives them."""
        X = np.empty((len(codes), self.mixture.means.shape[1]), dtype=dtype)
        missing = np.arange(len(codes))
        share = 1.0
        while share > _USEFUL and len(missing):
            rows, labels = self._labelled(self.draw_any(len(missing), rng), dtype, rng)
            wanted, found = _pairs(codes[missing], labels)
            X[missing[wanted]] = rows[found]
            share = len(wanted) / len(missing)
            missing = np.delete(missing, wanted)
        for _ in range(_MAX_TRIES):
            if not len(missing):
                break
            labels = np.empty_like(missing)
            # Each row with its scores of all classes.
            for some in self.slices(missing):
                rows = missing[some]
                X[rows], labels[some] = self._draw_near(codes[rows], dtype, rng)
            missing = missing[labels != codes[missing]]
        return X

    def _draw_near(self, codes, dtype, rng):
        """Draw rows whose linear scores leave it open that they get the labels."""
        model: Any = self.model
        sampler: Any = self.sampler
        components, scores, noise = sampler.draw(codes, model.label_noise, rng)
        rows = self._rows_of(components, rng)
        gaps = scores - model.linear.scores(rows - model.center)
        rows = self._finished(sampler.move(rows, gaps, components), dtype)
        return rows, (model.scores(rows) + noise).argmax(axis=1)

    def _labelled(self, rows, dtype, rng):
        model: Any = self.model
        rows = self._finished(rows, dtype)
        return rows, model.labels(rows, rng)


def _pairs(wanted, given):
    """Return positions in both of as many equal codes as there are, in order."""
    # The first of a code goes with the first, and so on.
    n = len(wanted) + len(given)
    (first, keys), (second, others) = (_ranked(codes, n) for codes in (wanted, given))
    _, i, j = np.intersect1d(keys, others, assume_unique=True, return_indices=True)
    return first[i], second[j]


def _ranked(codes, n):
    """Return positions by code, and numbers of code and rank among its own below n."""
    order = np.argsort(codes, kind="stable")
    ranked = codes[order]
    return order, ranked * n + np.arange(len(order)) - np.searchsorted(ranked, ranked)
