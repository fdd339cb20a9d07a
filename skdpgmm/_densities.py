"""Densities and responsibilities for an estimator that has fitted a mixture."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skdpgmm._array_api import as_numpy
from skdpgmm._gaussian import log_joint, normalize_log
from skdpgmm._inputs import is_lazy, map_rows, mean_of


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
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return log_joint(
            X,
            self.weights_,
            self.means_,
            self.precisions_cholesky_,
            self.covariance_type_,
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
        return map_rows(self._responsibilities, X)

    def _responsibilities(self, X):
        return normalize_log(self._log_joint(X))

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
        return logsumexp(self._log_joint(X), axis=1)

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
        if is_lazy(X):
            raise TypeError(f"score with y needs arrays, got X of {type(X).__name__}.")
        log_joint = self._log_joint(as_numpy(X))
        labels = check_array(as_numpy(y), ensure_2d=False, dtype=None, input_name="y")
        if len(labels) != len(log_joint):
            raise ValueError(
                f"y must have {len(log_joint)} labels, one a row, got {len(labels)}."
            )
        other = self._component_codes()[None, :] != self._codes(labels)[:, None]
        log_joint[other] = -np.inf
        return float(np.mean(logsumexp(log_joint, axis=1)))

    @property
    def _n_features_out(self):
        return len(self.weights_)
