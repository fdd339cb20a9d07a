"""Drawing labelled rows from mixtures that belong to classes."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from skdpgmm._estimators.randomness import sampling_generator
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import sample_components
from skdpgmm._models.slices import row_slices
from skdpgmm._rows.array_api import like
from skdpgmm._rows.labels import label_column

# Rows are drawn for all labels at once as long as this share of them is asked for.
_USEFUL = 0.2
# Scores that are held at a time.
_N_SCORES = 2**22
# Draws of a row with a label before one with another is taken.
_MAX_TRIES = 20


class ConditionalSamplerMixin:
    """Sampling for an estimator that has fitted a mixture for each class."""

    # Declared for the type checker; set by the estimator.
    random_state: Any
    classes_: Any
    class_weights_: Any
    component_classes_: Any
    weights_: Any
    means_: Any
    covariance_type_: Any
    normalize_: Any
    _factors: Any
    _dtype: Any
    _like: Any
    label_model_: Any
    _score_sampler: Any

    def sample(self, n_samples=1, y=None, random_state=None, class_weight=None):
        """Draw synthetic rows and their labels, in random order.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows, at least 1.
        y : label or array-like of shape (n_samples,), default=None
            Label of all rows, or of each row. None draws labels.
        random_state : int, RandomState instance or None, default=None
            Randomness of the draw; None takes the estimator's own `random_state`.
        class_weight : {None, "balanced"}, default=None
            Draw labels by the private class weights, or all equally often.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Synthetic rows, in the float type that was fitted; under array API
            dispatch, where the rows were.
        y : ndarray of shape (n_samples,)
            Their labels; without labels in `fit`, the component of each row.
        """
        check_is_fitted(self)
        rng = self._rng(random_state)
        codes = self._draw_classes(n_samples, y, class_weight, rng)
        return self._at_home(*self._draw(codes, rng))

    def iter_samples(
        self, n_samples, y=None, random_state=None, class_weight=None, batch_size=1000
    ):
        """Draw synthetic rows in batches, to hold only one of them at a time.

        Parameters
        ----------
        n_samples : int
            Number of rows, at least 1.
        y : label or array-like of shape (n_samples,), default=None
            Label of all rows, or of each row. None draws labels.
        random_state : int, RandomState instance or None, default=None
            Randomness of the draw; None takes the estimator's own `random_state`.
        class_weight : {None, "balanced"}, default=None
            Draw labels by the private class weights, or all equally often.
        batch_size : int, default=1000
            Rows of a batch, at least 1; the last may be smaller.

        Yields
        ------
        X : ndarray of shape (batch_size, n_features)
            Synthetic rows.
        y : ndarray of shape (batch_size,)
            Their labels.
        """
        check_is_fitted(self)
        rng = self._rng(random_state)
        codes = self._draw_classes(n_samples, y, class_weight, rng)
        for batch in gen_batches(n_samples, batch_size):
            yield self._at_home(*self._draw(codes[batch], rng))

    def _at_home(self, *arrays):
        """Return arrays where the rows were that were fitted."""
        return tuple(like(array, self._like) for array in arrays)

    def _rng(self, random_state):
        return sampling_generator(
            self.random_state if random_state is None else random_state
        )

    def _draw_classes(self, n_samples, y, class_weight, rng):
        """Return the class code of each row to draw."""
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(
                f"n_samples must be an integer of at least 1, got {n_samples!r}."
            )
        if class_weight not in (None, "balanced"):
            raise ValueError(
                f"class_weight must be None or 'balanced', got {class_weight!r}."
            )
        n_classes = len(self.class_weights_)
        if y is None:
            p = None if class_weight == "balanced" else self.class_weights_
            return rng.choice(n_classes, size=n_samples, p=p)
        if self.classes_ is None:
            raise ValueError(
                "y must be None: the synthesizer was fitted without labels."
            )
        if np.ndim(y) == 0:
            y = [y.item() if hasattr(y, "item") else y] * n_samples
        labels = label_column(y)
        if len(labels) != n_samples:
            raise ValueError(
                f"y must be one label or have shape ({n_samples},), got {labels.shape}."
            )
        return self._codes(labels)

    def _codes(self, labels):
        position = {label: code for code, label in enumerate(self.classes_.tolist())}
        unknown = sorted(set(labels.tolist()) - set(position), key=str)
        if unknown:
            raise ValueError(
                f"y has labels that are not in classes_={self.classes_.tolist()}: "
                f"{unknown}."
            )
        return np.array([position[label] for label in labels.tolist()])

    def _draw(self, codes, rng):
        """Draw a row, and its label, for each class code."""
        if self.label_model_ is not None:
            return self._draw_labelled(codes, rng)
        component_codes = self._component_codes()
        components = np.empty(len(codes), dtype=np.intp)
        order = np.argsort(codes, kind="stable")
        found, starts = np.unique(codes[order], return_index=True)
        for code, rows in zip(found, np.split(order, starts[1:]), strict=True):
            of_class = np.flatnonzero(component_codes == code)
            p = self.weights_[of_class] / self.weights_[of_class].sum()
            components[rows] = rng.choice(of_class, size=len(rows), p=p)
        X = self._finished(self._draw_rows(components, rng))
        labels = components if self.classes_ is None else self.classes_[codes]
        return X, labels

    def _draw_rows(self, components, rng):
        kind = COVARIANCES[self.covariance_type_]
        return sample_components(components, self.means_, self._factors, kind, rng)

    def _finished(self, rows):
        limits = np.finfo(self._dtype)  # where noise has gone beyond
        rows = np.clip(self._placed(rows), limits.min, limits.max)
        return rows.astype(self._dtype, copy=False)

    def _placed(self, rows):
        """Put rows on the sphere, where the records are."""
        if self.normalize_:
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
        return rows

    def _draw_labelled(self, codes, rng):
        """Draw rows of the mixture, given the label that the label model gives them."""
        X = np.empty((len(codes), self.means_.shape[1]), dtype=self._dtype)
        missing = np.arange(len(codes))
        share = 1.0
        while share > _USEFUL and len(missing):
            rows, labels = self._labelled(self._draw_any(len(missing), rng))
            wanted, found = _pairs(codes[missing], labels)
            X[missing[wanted]] = rows[found]
            share = len(wanted) / len(missing)
            missing = np.delete(missing, wanted)
        for _ in range(_MAX_TRIES):
            if not len(missing):
                break
            labels = np.empty_like(missing)
            # Each row with its scores of all classes.
            for some in row_slices(
                len(missing), max(1, _N_SCORES // len(self.weights_))
            ):
                rows = missing[some]
                X[rows], labels[some] = self._draw_near(codes[rows], rng)
            missing = missing[labels != codes[missing]]
        return X, self.classes_[codes]

    def _draw_any(self, n_rows, rng):
        """Draw rows of any label, as they are before they are finished."""
        p = self.weights_
        return self._draw_rows(rng.choice(len(p), size=n_rows, p=p), rng)

    def _draw_near(self, codes, rng):
        """Draw rows whose linear scores leave it open that they get the labels."""
        components, scores = self._score_sampler.draw(codes, rng)
        rows = self._draw_rows(components, rng)
        model = self.label_model_
        gaps = scores - model.linear.scores(rows - model.center)
        return self._labelled(self._score_sampler.move(rows, gaps))

    def _labelled(self, rows):
        rows = self._finished(rows)
        return rows, self.label_model_.labels(rows)

    def _component_codes(self):
        if self.classes_ is None:
            return np.zeros(len(self.weights_), dtype=np.intp)
        return np.searchsorted(self.classes_, self.component_classes_)


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
