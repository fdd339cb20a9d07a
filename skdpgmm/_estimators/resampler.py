"""Private synthetic rows as a step of an imbalanced-learn pipeline."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metadata_routing import UNUSED

from skdpgmm._estimators.framed import SetOutput, frame_for
from skdpgmm._estimators.privacy_ids import one_name
from skdpgmm._estimators.training_rows import (
    SynthesizerWrapper,
    draw_training_rows,
    fit_synthesizer,
    make_seeds,
)
from skdpgmm._estimators.transaction import private_fit, tell
from skdpgmm._rows.containers import frame_of, labels_like, one_column, rows_like


class DPSyntheticResampler(SetOutput, OneToOneFeatureMixin, SynthesizerWrapper):
    """A resampler that puts private synthetic rows in the place of the records.

    The step of an ``imblearn.pipeline.Pipeline`` before a classifier: `fit` of the
    pipeline trains the classifier on synthetic rows only, and `predict` passes real
    rows through. It needs nothing of imbalanced-learn itself.

    Parameters
    ----------
    {synthesizer}
    {n_synthetic}
    class_weight : {None, "balanced"}, default=None
        Draw labels by the private class weights, or all equally often.
    {random_state}

    Attributes
    ----------
    synthesizer_ : estimator
        The fitted synthesizer; released.
    classes_ : ndarray of shape (n_classes,)
        The public classes, sorted.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    DPSyntheticClassifier : Synthesizer and classifier as one estimator.

    Notes
    -----
    Privacy: rows, labels and fitted attributes are as private as the synthesizer says.
    The container is taken as public: names and types of columns, and those of `y`.
    Steps before this one must not learn from the private records, and scores on
    private records, by which ``GridSearchCV`` chooses, are not private.

    References
    ----------
    .. [1] {clustering_embeddings}

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from skdpgmm import DPSyntheticResampler
    >>> X, y = make_blobs([2900, 100], n_features=8, random_state=0)
    >>> resampler = DPSyntheticResampler(
    ...     n_samples=1000, class_weight="balanced", random_state=0
    ... )
    >>> rows, labels = resampler.fit_resample(X, y)
    >>> rows.shape, bool(abs(np.mean(labels == 1) - 0.5) < 0.1)
    ((1000, 8), True)
    """

    # Set by the fit.
    classes_: np.ndarray

    __metadata_request__fit_resample = {
        "privacy_ids": True,
        "budget": True,
        "groups": UNUSED,
    }

    _parameter_constraints: dict = {
        "class_weight": [StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        synthesizer: Any = None,
        *,
        n_samples: int = 60_000,
        class_weight: str | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.n_samples = n_samples
        self.class_weight = class_weight
        self.random_state = random_state

    # The synthesizer is validated by its own fit.
    @private_fit(skip_nested_validation=False)
    def fit(self, X, y, groups=None, *, privacy_ids=None, budget=None) -> Self:
        """Fit the synthesizer privately.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        y : array-like of shape (n_samples,)
            Private labels.
        {ids}
        {project_budget}

        Returns
        -------
        self : DPSyntheticResampler
            Fitted estimator.
        """
        privacy_ids = one_name(privacy_ids, groups)
        seeds = make_seeds(self.random_state)
        synthesizer = fit_synthesizer(
            self, X, one_column(y), privacy_ids, budget, seeds, *self._options()
        )
        self._take(synthesizer)
        return self

    def fit_resample(
        self, X, y, groups=None, *, privacy_ids=None, budget=None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fit the synthesizer privately and draw synthetic rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        y : array-like of shape (n_samples,)
            Private labels.
        {ids}
        {project_budget}

        Returns
        -------
        X_synthetic : array-like of shape (n_rows, n_features)
            Synthetic rows; `n_samples` and, where a class is rare, some more. In a
            frame with the columns of `X` and their types, if that is one of pandas,
            polars or Dask, with numbers rounded in columns of integers, or one of the
            library that `set_output` says; in a list for a list, and an array
            otherwise.
        y_synthetic : array-like of shape (n_rows,)
            Their labels, with name and type of `y`.
        """
        privacy_ids = one_name(privacy_ids, groups)
        fitted = self.fit(X, y, privacy_ids=privacy_ids, budget=budget)
        synthesizer = fitted.synthesizer_
        given = getattr(synthesizer, "classes", None)
        classes = None if given is None else self.classes_
        try:
            rows, labels = draw_training_rows(
                synthesizer, self.n_samples, **self._options()
            )
            frame = frame_for(self, frame_of(X), rows.dtype, self.n_features_in_)
            rows = rows_like(rows, X) if frame is None else frame.filled(rows)
            return rows, labels_like(labels, y, classes)
        except BaseException as error:
            tell(error, self.privacy_, synthesizer)
            raise

    def _options(self):
        """What the synthesizer is asked for beside rows."""
        weights = self.class_weight
        return {} if weights is None else {"class_weight": weights}
