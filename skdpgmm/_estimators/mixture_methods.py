"""What an estimator does with a mixture of labelled rows: draw, transform, score."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from skdpgmm._estimators.collected import picked
from skdpgmm._estimators.framed import FramedSamples
from skdpgmm._estimators.parameters import SharedTexts
from skdpgmm._estimators.randomness import sampling_generator
from skdpgmm._models.labelled import LabelledMixture
from skdpgmm._rows.array_api import as_numpy
from skdpgmm._rows.labels import label_column
from skdpgmm._rows.sources import map_rows, mean_of, over_blocks, source_of
from skdpgmm._rows.streams import MappedBlocks


class LabelledMixtureMethods(
    FramedSamples, SharedTexts, ClassNamePrefixFeaturesOutMixin, TransformerMixin
):
    """Methods of an estimator that has fitted a `LabelledMixture`.

    They check what they are given; the mixture does the mathematics.
    """

    # Set by the fit.
    _mixture: LabelledMixture
    _dtype: Any
    random_state: Any
    classes_: Any

    def sample(
        self, n_samples=1, y=None, random_state=None, class_weight=None
    ) -> tuple[np.ndarray, np.ndarray]:
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
        X : ndarray or DataFrame of shape (n_samples, n_features)
            Synthetic rows, in the float type that was fitted; under array API
            dispatch, where the rows were. After a fit to a frame of pandas, polars or
            Dask, a frame with its columns and their types, with numbers rounded in
            columns of integers; `set_output` sets another library.
        y : ndarray, Series or DataFrame of shape (n_samples,)
            Their labels, beside a frame with name and type of those of `fit`; without
            labels in `fit`, the component of each row.
        """
        check_is_fitted(self)
        rng = self._rng(random_state)
        codes = self._draw_classes(n_samples, y, class_weight, rng)
        return self._draw(codes, rng)

    def iter_samples(
        self, n_samples, y=None, random_state=None, class_weight=None, batch_size=1000
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
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
        X : ndarray or DataFrame of shape (batch_size, n_features)
            Synthetic rows, as those of `sample`.
        y : ndarray, Series or DataFrame of shape (batch_size,)
            Their labels.
        """
        check_is_fitted(self)
        rng = self._rng(random_state)
        codes = self._draw_classes(n_samples, y, class_weight, rng)
        for batch in gen_batches(n_samples, batch_size):
            yield self._draw(codes[batch], rng)

    def _draw(self, codes, rng):
        """Draw rows and their labels, to where the rows were that were fitted."""
        X, components = self._mixture.draw(codes, self._dtype, rng)
        labels = components if self.classes_ is None else self.classes_[codes]
        return self._contained(X, labels)

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
        weights = self._mixture.class_weights()
        if y is None:
            p = None if class_weight == "balanced" else weights
            return rng.choice(len(weights), size=n_samples, p=p)
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

    @over_blocks
    def transform(self, X) -> np.ndarray:
        """Return the responsibilities of all components of all classes.

        Parameters
        ----------
        {rows}

        Returns
        -------
        responsibilities : ndarray of shape (n_samples, n_total)
            Posterior probabilities; as private as `X`.
        """
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self._mixture.responsibilities(X)

    @over_blocks
    def score_samples(self, X) -> np.ndarray:
        """Return the log density of each row.

        Parameters
        ----------
        {rows}

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats; as private as `X`.
        """
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self._mixture.log_densities(X)

    def score(self, X, y=None) -> float:
        """Return the mean log density of rows, or of rows and labels.

        Parameters
        ----------
        {rows}
        y : array-like of shape (n_samples,), default=None
            Labels; with them, the joint density of row and label.

        Returns
        -------
        score : float
            In nats; as private as `X` and `y`.
        """
        check_is_fitted(self)
        if y is None or self.classes_ is None:
            return mean_of(self.score_samples(X))
        labels = label_column(y)
        X = as_numpy(X)
        if not source_of(X).in_memory:
            by_class = map_rows(self._log_by_class, X)
        else:
            # A few rows at a time: there is a column for each class.
            X = validate_data(self, X, reset=False, dtype=np.float64)
            by_class = MappedBlocks(
                lambda rows: self._mixture.log_by_class(X[rows]),
                self._mixture.slices(X),
            )
        return float(np.mean(picked(by_class, self._codes(labels))))

    def _log_by_class(self, X):
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self._mixture.log_by_class(X)

    @property
    def _n_features_out(self):
        return len(self._mixture.mixture.weights)
