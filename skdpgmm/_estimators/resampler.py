"""Private synthetic rows as a step of an imbalanced-learn pipeline."""

from __future__ import annotations

from numbers import Integral

from sklearn.base import BaseEstimator, MetaEstimatorMixin, OneToOneFeatureMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import UNUSED

from skdpgmm._estimators.privacy_ids import one_name
from skdpgmm._estimators.training_rows import (
    copy_features_in,
    draw_training_rows,
    fit_synthesizer,
    make_seeds,
)
from skdpgmm._estimators.transaction import private_fit, tell
from skdpgmm._rows.containers import labels_like, one_column, rows_like


class DPSyntheticResampler(
    CallbackSupportMixin, OneToOneFeatureMixin, MetaEstimatorMixin, BaseEstimator
):
    """A resampler that puts private synthetic rows in the place of the records.

    The step of an ``imblearn.pipeline.Pipeline`` before a classifier: `fit` of the
    pipeline trains the classifier on synthetic rows only, and `predict` passes real
    rows through. It needs nothing of imbalanced-learn itself.

    Parameters
    ----------
    synthesizer : estimator, default=None
        With `fit` and `sample`; None is ``DPEmbeddingSynthesizer()``.
    n_samples : int, default=60000
        Number of synthetic rows, at least 1. They cost time, and no privacy. A class
        that is drawn less often than 10 times gets more rows: up to 10, or up to an
        equal share where that is less, and one in any case.
    class_weight : {None, "balanced"}, default=None
        Draw labels by the private class weights, or all equally often.
    random_state : int, RandomState instance or None, default=None
        None takes all randomness from the operating system. A RandomState seeds public
        randomness and the synthesizer, never the noise. An int makes `fit_resample`
        reproducible, noise included: that is for tests, and not private, as whoever
        tries all seeds can take the noise away.

    Attributes
    ----------
    synthesizer_ : estimator
        The fitted synthesizer; released.
    classes_ : ndarray of shape (n_classes,)
        The public classes, sorted.
    privacy_ : PrivacyReport
        The guarantee and the ledger of the synthesizer; released.
    n_features_in_ : int
        Number of features; public.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings; public.

    Raises
    ------
    ValueError
        When `X`, `y` or a parameter is not legal; nothing is spent then.

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
    .. [1] F. Zhou, S. Zhou, V. Mirrokni, A. Epasto, V. Cohen-Addad, "Private
       Training & Data Generation by Clustering Embeddings", 2025,
       arXiv:2506.16661.

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

    # Asked for wherever metadata are routed: no other estimator means anything else by
    # this name. The groups of scikit-learn's tools are those of splitters.
    __metadata_request__fit = {"privacy_ids": True, "groups": UNUSED}
    __metadata_request__fit_resample = {"privacy_ids": True, "groups": UNUSED}

    _parameter_constraints: dict = {
        "synthesizer": [HasMethods(["fit", "sample"]), None],
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        synthesizer=None,
        *,
        n_samples=60_000,
        class_weight=None,
        random_state=None,
    ):
        self.synthesizer = synthesizer
        self.n_samples = n_samples
        self.class_weight = class_weight
        self.random_state = random_state

    # The synthesizer is validated by its own fit.
    @private_fit(skip_nested_validation=False)
    def fit(self, X, y, groups=None, *, privacy_ids=None):
        """Fit the synthesizer privately.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        y : array-like of shape (n_samples,)
            Private labels.
        groups : array-like of shape (n_samples,), default=None
            The same as `privacy_ids`.

            .. deprecated:: 0.2
               It will go in version 0.3: give `privacy_ids`.
        privacy_ids : array-like of shape (n_samples,), default=None
            Id of the person, or other unit of privacy, of each record; passed
            to the synthesizer.

        Returns
        -------
        self : DPSyntheticResampler
            Fitted estimator.
        """
        privacy_ids = one_name(privacy_ids, groups)
        seeds = make_seeds(self.random_state)
        synthesizer = fit_synthesizer(
            self, X, one_column(y), privacy_ids, seeds, *self._options()
        )
        self.classes_ = synthesizer.classes_
        copy_features_in(synthesizer, self)
        return self

    def fit_resample(self, X, y, groups=None, *, privacy_ids=None):
        """Fit the synthesizer privately and draw synthetic rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        y : array-like of shape (n_samples,)
            Private labels.
        groups : array-like of shape (n_samples,), default=None
            The same as `privacy_ids`.

            .. deprecated:: 0.2
               It will go in version 0.3: give `privacy_ids`.
        privacy_ids : array-like of shape (n_samples,), default=None
            Id of the person, or other unit of privacy, of each record; passed
            to the synthesizer.

        Returns
        -------
        X_synthetic : array-like of shape (n_rows, n_features)
            Synthetic rows; `n_samples` and, where a class is rare, some more. In a
            frame with the columns of `X` and their types, if that is one of pandas,
            polars or Dask, with numbers rounded in columns of integers; in a list for
            a list, and an array otherwise.
        y_synthetic : array-like of shape (n_rows,)
            Their labels, with name and type of `y`.
        """
        privacy_ids = one_name(privacy_ids, groups)
        synthesizer = self.fit(X, y, privacy_ids=privacy_ids).synthesizer_
        given = getattr(synthesizer, "classes", None)
        classes = None if given is None else self.classes_
        try:
            rows, labels = draw_training_rows(
                synthesizer, self.n_samples, **self._options()
            )
            return rows_like(rows, X), labels_like(labels, y, classes)
        except BaseException as error:
            tell(error, self.privacy_, synthesizer)
            raise

    def _options(self):
        """What the synthesizer is asked for beside rows."""
        weights = self.class_weight
        return {} if weights is None else {"class_weight": weights}
