"""Differentially private standardisation of features."""

from __future__ import annotations

from numbers import Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skdpgmm._algorithms.scale import find_center_and_scale
from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.transaction import private_fit
from skdpgmm._rows.sources import over_blocks


class DPStandardScaler(
    PrivateEstimator, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Standardise features under (epsilon, delta)-differential privacy.

    The private step in place of a :class:`sklearn.preprocessing.StandardScaler`, which
    publishes exact means and variances. Centre and scale of each feature come from
    noisy histograms, so that no minority of far records moves them.

    Parameters
    ----------
    clip : float, default=10.0
        Rows are clipped to so many scales about the centre, positive.
    {privacy}
    {clip_norm}
        "auto" spends |SCALER.magnitudes| of the budget to find how large each feature
        is.
    {center}
        None is the origin.
    bounds : pair of floats or of arrays of shape (n_features,), default=None
        Public ends (low, high) of all features, or of each, between which they are
        looked for, in place of `clip_norm` and `center`.
    {random_state}
    {computation}

    Attributes
    ----------
    center_ : ndarray of shape (n_features,)
        Middle of a narrow interval that holds most records: about the mean where a
        feature is symmetric. Released.
    scale_ : ndarray of shape (n_features,)
        About the standard deviation where a feature is normal; positive. Released.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    DPGaussianMixture : Finds scales by itself with ``scale="auto"``.
    PrivatePipeline : One budget for this and what comes after.

    Notes
    -----
    Privacy: the fitted attributes are (epsilon, delta)-differentially private. What
    `transform` makes of private rows is as private as they are; each number is made by
    itself, so that this may stand before other steps of a `PrivatePipeline`, with which
    it shares a budget. The estimators of this package find scales within their own
    with ``scale="auto"``, and `bounds` that are public cost nothing.

    Where noise hides where features lie, they are left as they are, and a warning says
    so.

    References
    ----------
    .. [1] {gdp}

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skdpgmm import DPStandardScaler
    >>> X, _ = load_breast_cancer(return_X_y=True)
    >>> scaler = DPStandardScaler(epsilon=8.0, random_state=0).fit(X)
    >>> Z = scaler.transform(X)
    >>> bool((abs(Z) < 10.01).all())
    True
    >>> bool(X.std(axis=0).max() > 1e4 * X.std(axis=0).min())
    True
    >>> bool(Z.std(axis=0).max() < 20 * Z.std(axis=0).min())
    True
    """

    # Set by the fit.
    center_: np.ndarray
    scale_: np.ndarray

    _rows_apart = True
    _parameter_constraints: dict = {"clip": [Interval(Real, 0, None, closed="neither")]}

    def __init__(
        self,
        clip: float = 10.0,
        *,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        adjacency: str = "add-remove",
        max_contributions: int | None = None,
        clip_norm: float | str = "auto",
        center: ArrayLike | None = None,
        bounds: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
        block_size: int = 8192,
        n_jobs: int | None = None,
    ) -> None:
        self.clip = clip
        self.epsilon = epsilon
        self.delta = delta
        self.adjacency = adjacency
        self.max_contributions = max_contributions
        self.clip_norm = clip_norm
        self.center = center
        self.bounds = bounds
        self.random_state = random_state
        self.block_size = block_size
        self.n_jobs = n_jobs

    @private_fit()
    def fit(self, X, y=None, groups=None, *, privacy_ids=None, budget=None) -> Self:
        """Find centre and scale of each feature privately.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        {ignored}
        {ids}
        {project_budget}

        Returns
        -------
        self : DPStandardScaler
            Fitted estimator.
        """
        return self._fit_privately(X, None, groups, privacy_ids, budget)

    def _check(self, given, n_samples):
        """Nothing that `fit` takes is refused for its size."""

    def _fit(self, session, given):
        known = given.bounds
        if known is None and self.clip_norm != "auto":
            middle = np.zeros(given.n_features)
            middle = middle if given.center is None else given.center
            known = middle - self.clip_norm, middle + self.clip_norm
        view = session.view(given.n_features)
        self.center_, self.scale_ = find_center_and_scale(
            view, session.budget, session.left, known
        )

    @over_blocks
    def transform(self, X) -> np.ndarray:
        """Return rows in private units, clipped.

        Parameters
        ----------
        {rows}

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features)
            As private as `X`.
        """
        X = validate_data(self, X, reset=False, dtype=np.float64)
        with np.errstate(over="ignore"):
            Z = (X - self.center_) / self.scale_
        return np.clip(Z, -self.clip, self.clip)

    def inverse_transform(self, X) -> np.ndarray:
        """Return rows in the units of the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in private units, such as synthetic ones.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            As private as `X`.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=np.float64, input_name="X")
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X must have {self.n_features_in_} features, as fit has seen, got "
                f"{X.shape[1]}."
            )
        return self.center_ + self.scale_ * X
