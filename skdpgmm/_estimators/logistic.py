"""Differentially private logistic regression."""

from __future__ import annotations

from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data

from skdpgmm._algorithms.ball import find_ball
from skdpgmm._algorithms.budget import LOGISTIC
from skdpgmm._algorithms.choices import N_RANDOM_FEATURES, moment_radius
from skdpgmm._algorithms.label_model import fit_label_model, see
from skdpgmm._algorithms.looks import release_class_counts, release_second_moment
from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.class_weights import check_class_weight, log_class_weights
from skdpgmm._estimators.collected import MappedClassifierMixin
from skdpgmm._estimators.limits import check_memory
from skdpgmm._estimators.parameters import SCALED
from skdpgmm._estimators.scaling import in_units
from skdpgmm._estimators.transaction import private_fit
from skdpgmm._models.scores import CosineFeatures
from skdpgmm._rows.sources import over_blocks

_FARTHEST = 1e150


class DPLogisticRegression(MappedClassifierMixin, PrivateEstimator, BaseEstimator):
    """Multinomial logistic regression under (epsilon, delta)-differential privacy.

    The private linear probe of embeddings, with nothing to tune: the number of
    gradient steps and their lengths come from released and public quantities.

    Parameters
    ----------
    {privacy}
    {clip_norm}
        It is 1.0 for encoders that normalise. Either way |LOGISTIC.ball| of the
        budget are spent to find the mean of the records and their scale.
    {center}
        None is found privately.
    {scale}
    {bounds}
    {classes}
    X_public : array-like of shape (n_public, n_features), default=None
        Embeddings of public records by the same encoder; labels are not needed. The
        mean of the records is shrunk toward theirs, and their second moment stands
        in for what noise hides. As every parameter, it is part of pickles and of
        saved files.
    n_random_features : int or "auto", default=0
        Random cosine features of the records beside their own, at least 0, for
        boundaries that are not linear. They cost time, and a little accuracy where
        boundaries are linear. "auto", as in the label model of
        `DPEmbeddingSynthesizer`, takes 512 where records and budget are enough to
        learn from them, and none elsewhere.
    class_weight : dict of class to weight, "balanced" or None, default=None
        Scores and probabilities are those of records of which each class is there as
        often as its weight says, 1 where it has none; "balanced" makes all classes
        equally frequent, by their released counts. It moves the constants after the
        fit and costs no budget.
    {random_state}
    {computation}

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Released weights; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Released constants.
    classes_ : ndarray of shape (n_classes,)
        The public classes, sorted.
    random_coef_ : ndarray of as many rows as `coef_`, or None
        Released weights of the random features, a column for each; None without them.
    random_features_ : CosineFeatures or None
        The features, ``random_features_(X)``: of public randomness and released
        scales. None without them.
    n_iter_ : int
        Number of gradient steps; released.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    DPEmbeddingSynthesizer : Synthetic rows, on which anything can be trained.

    Notes
    -----
    Privacy: the fitted attributes are (epsilon, delta)-differentially private.
    Predictions for private records are functions of these records, and a score
    computed on them is not private. Steps before this one in a Pipeline must not
    learn from the private records: a StandardScaler would, unpaid, and a
    `PrivatePipeline` refuses it, and `scale` and `bounds` do the same here.

    Steps are clipped gradients of the cross-entropy over all records, which end when
    the noise would prevail. Two last looks at all records measure how steep the scores
    should be and how frequent the classes are, so that probabilities can be relied on.

    References
    ----------
    .. [1] {gdp}

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skdpgmm import DPLogisticRegression
    >>> X, y = make_blobs(3000, centers=3, n_features=8, random_state=0)
    >>> classifier = DPLogisticRegression(epsilon=1.0, random_state=0).fit(X, y)
    >>> bool(classifier.score(X, y) > 0.95)
    True
    >>> classifier.predict_proba(X[:5]).shape
    (5, 3)
    """

    # Set by the fit.
    coef_: np.ndarray
    intercept_: np.ndarray
    classes_: np.ndarray
    random_coef_: np.ndarray | None
    random_features_: CosineFeatures | None
    n_iter_: int

    _parameter_constraints: dict = {
        **SCALED,
        "classes": ["array-like", None],
        "X_public": ["array-like", None],
        "n_random_features": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    _takes_labels = "needed"

    def __init__(
        self,
        *,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        adjacency: str = "add-remove",
        max_contributions: int | None = None,
        clip_norm: float | str = "auto",
        center: ArrayLike | None = None,
        scale: str | None = "auto",
        bounds: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        X_public: ArrayLike | None = None,
        n_random_features: int | str = 0,
        class_weight: str | dict | None = None,
        random_state: int | np.random.RandomState | None = None,
        block_size: int = 8192,
        n_jobs: int | None = None,
    ) -> None:
        self.epsilon = epsilon
        self.delta = delta
        self.adjacency = adjacency
        self.max_contributions = max_contributions
        self.clip_norm = clip_norm
        self.center = center
        self.scale = scale
        self.bounds = bounds
        self.classes = classes
        self.X_public = X_public
        self.n_random_features = n_random_features
        self.class_weight = class_weight
        self.random_state = random_state
        self.block_size = block_size
        self.n_jobs = n_jobs

    @private_fit()
    def fit(self, X, y, groups=None, *, privacy_ids=None, budget=None) -> Self:
        """Fit the classifier privately.

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
        self : DPLogisticRegression
            Fitted estimator.
        """
        return self._fit_privately(X, y, groups, privacy_ids, budget)

    def _check(self, given, n_samples):
        classes, d = given.classes, given.n_features
        if classes is None:
            raise ValueError("requires y to be passed, but the target y is None")
        if len(classes) < 2:
            raise ValueError(
                "y must have at least two classes, got only one class: "
                f"{classes.tolist()}. Name the others in classes=."
            )
        check_class_weight(self.class_weight, classes)
        m = self.n_random_features
        width = d + (N_RANDOM_FEATURES if m == "auto" else m)
        check_memory(
            width * (width + len(classes)),
            f"n_random_features={m!r} with {d} features and {len(classes)} classes",
        )

    def _fit(self, session, given):
        start = in_units(self, session, given)
        given, budgets = start.given, start.budget.split(LOGISTIC)
        view, median_radius = find_ball(
            start.view,
            budgets["ball"],
            start.clip_norm,
            given.center,
            given.public_mean,
        )
        ball, n, mu = view.ball, view.n, budgets["moment"].mu
        radius = moment_radius(n, ball.n_features, mu, median_radius, ball.radius)
        moment = release_second_moment(
            view.through(ball.within(radius)), budgets["moment"], given.public_second
        )
        counts = release_class_counts(view, given.n_classes, budgets["counts"])
        self.classes_ = given.classes
        left, inner = session.left(), min(median_radius, radius)
        seen = see(view, inner, self.n_random_features, counts, moment, left, radius)
        with seen.view.held():
            model, self.n_iter_ = fit_label_model(seen, counts, left)
        self._set_head(view, model, counts)

    def _set_head(self, view, model, counts):
        ball, d = view.ball, view.n_features
        coef, intercept = model.head
        intercept = intercept + log_class_weights(
            self.class_weight, self.classes_, counts
        )
        if len(counts) == 2:
            coef, intercept = np.diff(coef, axis=0), np.diff(intercept)
        self.coef_, center, scale = coef[:, :d], ball.center, np.ones(d)
        if view.units is not None:
            center, scale = view.units.rows(center), view.units.scale
            self.coef_ = self.coef_ / scale
        self._center = center
        self.intercept_ = intercept - self.coef_ @ center
        self.random_features_ = self.random_coef_ = None
        if model.features is not None:
            self.random_features_ = model.features.in_data(scale, center)
            self.random_coef_ = coef[:, d:]

    @over_blocks
    def decision_function(self, X) -> np.ndarray:
        """Return the scores of the classes.

        Parameters
        ----------
        {rows}

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As private as `X`; for two classes, positive in favour of the second.
        """
        X = validate_data(self, X, reset=False, dtype=np.float64)
        X = np.clip(X, -_FARTHEST, _FARTHEST)  # so that products are finite
        # About the centre, so that nothing large cancels.
        scores = (X - self._center) @ self.coef_.T
        scores += self.intercept_ + self.coef_ @ self._center
        if self.random_features_ is not None:
            scores += self.random_features_.scores(X, self.random_coef_)
        return scores[:, 0] if len(self.classes_) == 2 else scores

    @over_blocks
    def predict(self, X) -> np.ndarray:
        """Return the most probable class of each row.

        Parameters
        ----------
        {rows}

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            As private as `X`.
        """
        scores = self.decision_function(X)
        codes = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0).astype(int)
        return self.classes_[codes]

    @over_blocks
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
        return softmax(self._two_scores(X), axis=1)

    def _two_scores(self, X):
        """Return scores of all classes, also where there are two."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros_like(scores), scores])
        return scores

    @over_blocks
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
        return log_softmax(self._two_scores(X), axis=1)
