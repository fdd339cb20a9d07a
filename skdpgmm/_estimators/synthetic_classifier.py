"""A classifier that has seen synthetic rows only."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted, validate_data

from skdpgmm._estimators.collected import MappedClassifierMixin
from skdpgmm._estimators.privacy_ids import one_name
from skdpgmm._estimators.training_rows import (
    SynthesizerWrapper,
    checked_clone,
    draw_training_rows,
    fit_synthesizer,
    make_seeds,
    make_training_key,
    seed_estimator,
    seeds_of,
)
from skdpgmm._estimators.transaction import private_fit
from skdpgmm._rows.array_api import as_numpy, device_of, example_of, like
from skdpgmm._rows.containers import frame_of
from skdpgmm._rows.sources import map_rows
from skdpgmm._typed import available_if


def _new_network(n_rows, n_classes):
    if n_classes == 1:  # of which a network would make the two of a binary one
        return DummyClassifier()
    # A tenth is held out, and has to hold rows of every class.
    early = n_rows >= 100 * n_classes
    return MLPClassifier(
        (128,),
        batch_size=min(256, n_rows - early * (n_rows // 10 + 1)),
        max_iter=30,
        early_stopping=early,
        n_iter_no_change=3,
    )


def _suited(classifier, *arrays):
    """Return arrays of numpy where the classifier says that it is for these only."""
    if not hasattr(classifier, "__sklearn_tags__"):
        return arrays
    if get_tags(classifier).array_api_support:
        return arrays
    return tuple(as_numpy(array) for array in arrays)


def _classifier_has(name):
    def check(self):
        fitted = getattr(self, "classifier_", None)
        chosen = MLPClassifier() if self.classifier is None else self.classifier
        getattr(chosen if fitted is None else fitted, name)
        return True

    return check


class DPSyntheticClassifier(MappedClassifierMixin, SynthesizerWrapper):
    """A classifier trained on private synthetic rows, as one estimator.

    `fit` fits a synthesizer privately, draws rows and labels from it, and trains any
    scikit-learn classifier on these. The classifier never sees a record, so that
    nothing about it needs to be private.

    Parameters
    ----------
    {synthesizer}
    classifier : estimator, default=None
        Any classifier; None is a network of one hidden layer of 128 units. For a frame
        of pandas, polars or Dask as `X` it is given frames with the same columns, all
        of floating point numbers.
    {n_synthetic}
    {random_state}

    Attributes
    ----------
    synthesizer_ : estimator
        The fitted synthesizer; released.
    classifier_ : estimator
        The classifier, trained on synthetic rows; released.
    classes_ : ndarray of shape (n_classes,)
        The public classes, sorted.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    DPEmbeddingSynthesizer : Draws rows to train on by hand.
    DPLogisticRegression : A linear classifier trained on the records, privately.

    Notes
    -----
    Privacy: the fitted attributes are functions of those of the synthesizer, and as
    private; the names and types of columns are taken as public. Predictions for
    private records are functions of these records, and a score computed on them is not
    private; choosing parameters by such scores, as ``GridSearchCV`` does, is not
    covered by the guarantee.

    References
    ----------
    .. [1] {clustering_embeddings}

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdpgmm import DPEmbeddingSynthesizer, DPSyntheticClassifier
    >>> X, y = make_blobs(3000, centers=3, n_features=8, random_state=0)
    >>> classifier = DPSyntheticClassifier(
    ...     DPEmbeddingSynthesizer(epsilon=1.0, random_state=0),
    ...     LogisticRegression(max_iter=1000),
    ...     n_samples=2000,
    ...     random_state=0,
    ... )
    >>> bool(classifier.fit(X, y).score(X, y) > 0.95)
    True
    """

    # Set by the fit.
    classes_: np.ndarray

    _parameter_constraints: dict = {
        "classifier": [HasMethods(["fit", "predict"]), None],
    }

    def __init__(
        self,
        synthesizer: Any = None,
        classifier: Any = None,
        *,
        n_samples: int = 60_000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.classifier = classifier
        self.n_samples = n_samples
        self.random_state = random_state

    # The parts are validated by their own fits.
    @private_fit(skip_nested_validation=False)
    def fit(self, X, y, groups=None, *, privacy_ids=None, budget=None) -> Self:
        """Fit the synthesizer privately, and the classifier on its rows.

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
        self : DPSyntheticClassifier
            Fitted estimator.
        """
        privacy_ids = one_name(privacy_ids, groups)
        # Before anything is spent.
        classifier = self._cloned()
        seeds = make_seeds(self.random_state)
        key = make_training_key(seeds)
        synthesizer = fit_synthesizer(self, X, y, privacy_ids, budget, seeds)
        if (frame := frame_of(X)) is not None:
            # Integers that are rounded would make another model than an array does.
            frame = frame.of_floats()
        self._train(synthesizer, classifier, key, frame)
        return self

    def _cloned(self):
        if self.classifier is None:
            return None
        return checked_clone(self.classifier, "classifier")

    def _train(self, synthesizer, classifier, key, frame):
        """Train the classifier on rows of a fitted synthesizer, in frames if there.

        All of it follows from the synthesizer and the key, which is public.
        """
        self._training_key, seeds = key, seeds_of(key)
        rows, labels = draw_training_rows(synthesizer, self.n_samples, seeds)
        if classifier is None:
            classifier = _new_network(len(rows), len(synthesizer.classes_))
        seed_estimator(classifier, seeds)
        rows, labels = _suited(classifier, rows, labels)
        # Where the classifier has seen its rows: an array there without any.
        self._like = example_of(rows)
        if frame is not None:
            rows = frame.filled(rows)
        with warnings.catch_warnings():
            if self.classifier is None:
                # That the network stops at a fixed number of epochs is meant.
                warnings.simplefilter("ignore", ConvergenceWarning)
            self.classifier_ = classifier.fit(rows, labels)
        self._frame = frame
        self._take(synthesizer)

    def _train_beside(self, other):
        """Be fitted as `other` is, but for what costs nothing: all after the rows.

        Parameters
        ----------
        other : DPSyntheticClassifier
            Fitted; it may have another `classifier` and `n_samples`.
        """
        classifier = self._cloned()
        self.synthesizer_, self.privacy_ = other.synthesizer_, other.privacy_
        key = make_training_key(make_seeds(self.random_state))
        self._train(other.synthesizer_, classifier, key, other._frame)

    def _train_again(self, synthesizer, key):
        """Be fitted as by the fit that has drawn rows of this key."""
        self._train(synthesizer, self._cloned(), key, None)

    def _ask(self, name, X):
        """Return what a method of the classifier says of rows, where these are."""
        check_is_fitted(self)
        if device_of(X) is not None:
            return self._answers(name, X)
        return map_rows(partial(self._answers, name), X)

    def _answers(self, name, X):
        X = validate_data(self, X, reset=False)
        suited = X
        if device_of(self._like) is None:
            suited = as_numpy(X)
        elif device_of(X) is None:
            suited = like(X, self._like)
        if self._frame is not None:
            suited = self._frame.filled(suited)
        found = getattr(self.classifier_, name)(suited)
        return found if suited is X else like(as_numpy(found), X)

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
        return self._ask("predict", X)

    @available_if(_classifier_has("predict_proba"))
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
        return self._ask("predict_proba", X)

    @available_if(_classifier_has("decision_function"))
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
        return self._ask("decision_function", X)
