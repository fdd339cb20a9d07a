"""Densities and responsibilities for an estimator that has fitted a mixture."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skdpgmm._estimators.collected import picked
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import log_joint
from skdpgmm._models.slices import row_slices
from skdpgmm._rows.array_api import as_numpy
from skdpgmm._rows.labels import label_column
from skdpgmm._rows.sources import (
    check_output,
    map_rows,
    mean_of,
    source_of,
)
from skdpgmm._rows.streams import MappedBlocks

# Densities that are held at a time.
_N_NUMBERS = 2**22


class MixtureDensityMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Responsibilities and scores of rows under a fitted, perhaps labelled, mixture."""

    # Declared for the type checker; set by the estimator.
    classes_: Any
    weights_: Any
    means_: Any
    precisions_cholesky_: Any
    covariance_type_: Any
    _codes: Any
    _component_codes: Any

    def _log_joint(self, X):
        return log_joint(
            X,
            self.weights_,
            self.means_,
            self.precisions_cholesky_,
            COVARIANCES[self.covariance_type_],
        )

    def transform(self, X):
        """Return the responsibilities of all components of all classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        responsibilities : ndarray of shape (n_samples, n_total)
            Posterior probabilities; as private as `X`.
        """
        check_is_fitted(self)
        check_output(self, X)
        return map_rows(self._responsibilities, X)

    def _responsibilities(self, X):
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return softmax(self._log_joint(X), axis=1)

    def score_samples(self, X):
        """Return the log density of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats; as private as `X`.
        """
        check_is_fitted(self)
        return map_rows(self._log_densities, X)

    def _log_densities(self, X):
        X = validate_data(self, X, reset=False, dtype=np.float64)
        found = [
            logsumexp(self._log_joint(X[rows]), axis=1) for rows in self._slices(X)
        ]
        return np.concatenate(found)

    def _slices(self, X):
        """Slices of rows whose densities of all components take little memory."""
        return row_slices(len(X), max(1, _N_NUMBERS // len(self.weights_)))

    def score(self, X, y=None):
        """Return the mean log density of rows, or of rows and labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
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
                lambda rows: self._of_classes(X[rows]), self._slices(X)
            )
        return float(np.mean(picked(by_class, self._codes(labels))))

    def _log_by_class(self, X):
        return self._of_classes(validate_data(self, X, reset=False, dtype=np.float64))

    def _of_classes(self, X):
        """Return the log joint density of row and label, for each label."""
        codes = self._component_codes()  # sorted
        starts = np.searchsorted(codes, np.arange(len(self.classes_)))
        return np.logaddexp.reduceat(self._log_joint(X), starts, axis=1)

    @property
    def _n_features_out(self):
        return len(self.weights_)
