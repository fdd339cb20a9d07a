"""Methods of what a search has found, as its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdpgmm._estimators.parameters import SharedTexts
from skdpgmm._estimators.search_candidates import last_of
from skdpgmm._estimators.training_rows import SynthesizerWrapper
from skdpgmm._typed import available_if


def _best_has(name):
    def check(self):
        getattr(getattr(self, "best_estimator_", self.estimator), name)
        return True

    return check


def _samples(self):
    return isinstance(last_of(self.estimator), SynthesizerWrapper)


class DelegatingMixin(SharedTexts):
    """What is asked of a search is asked of its best estimator."""

    estimator: Any
    scoring: Any
    best_estimator_: Any

    def _best(self):
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_

    def predict(self, X) -> np.ndarray:
        """Return the class of each row.

        Parameters
        ----------
        {rows}

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            As private as `X`.
        """
        return self._best().predict(X)

    @available_if(_best_has("predict_proba"))
    def predict_proba(self, X) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        {rows}

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            As private as `X`.
        """
        return self._best().predict_proba(X)

    @available_if(_best_has("predict_log_proba"))
    def predict_log_proba(self, X) -> np.ndarray:
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        {rows}

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            As private as `X`.
        """
        return self._best().predict_log_proba(X)

    @available_if(_best_has("decision_function"))
    def decision_function(self, X) -> np.ndarray:
        """Return the scores of the classes.

        Parameters
        ----------
        {rows}

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As private as `X`.
        """
        return self._best().decision_function(X)

    @available_if(_samples)
    def sample(self, n_samples=1, **options) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows and labels from the synthesizer of the best estimator.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows, at least 1. They cost no privacy.
        **options : dict
            As `sample` of the synthesizer has them.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Synthetic rows.
        y : ndarray of shape (n_samples,)
            Their labels.
        """
        fitted = last_of(self._best())
        return fitted.synthesizer_.sample(n_samples, **options)

    def save(self, path, *, signing_key=None) -> None:
        """Write the best estimator to a file that `skdpgmm.load` reads.

        The file has the ledger of the whole search, and the guarantee of it; scores
        and settings of the candidates are not in it.

        Parameters
        ----------
        {saved}

        Raises
        ------
        TypeError
            When the best estimator is a ``Pipeline``, or cannot be saved.
        """
        found = self._best()
        if isinstance(found, Pipeline):
            raise TypeError(
                "best_estimator_ is a Pipeline, whose steps a file does not know: save "
                "its last step, best_estimator_[-1], and have the others at hand."
            )
        found.save(path, signing_key=signing_key)

    def score(self, X, y) -> float:
        """Return the score of the best estimator, by `scoring`, without noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Their labels.

        Returns
        -------
        score : float
            In [0, 1]; as private as `X` and `y`.
        """
        return float(get_scorer(self.scoring)(self._best(), X, y))
