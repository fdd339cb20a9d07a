"""Differentially private principal component analysis."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, validate_data

from skdpgmm._algorithms.axes import find_axes
from skdpgmm._algorithms.ball import find_ball
from skdpgmm._algorithms.budget import PCA
from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.limits import check_memory
from skdpgmm._estimators.scaling import in_units
from skdpgmm._estimators.transaction import private_fit
from skdpgmm._models.row_products import row_products
from skdpgmm._rows.sources import over_blocks


class DPPCA(
    PrivateEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Principal component analysis under (epsilon, delta)-differential privacy.

    One noisy second moment about a noisy mean gives all components at once, whatever
    their number; the known noise is taken off their variances.

    Parameters
    ----------
    n_components : int, float, "auto" or None, default="auto"
        Number of components, in [1, n_features]. "auto" takes those that stand out of
        the noise, one at least; a float in (0, 1) as many as explain more than this
        share of the variance, by what was released; None takes all.
    {privacy}
    {clip_norm}
        It is 1.0 for encoders that normalise. Either way |PCA.ball| of the budget are
        spent to find the mean of the records and their scale.
    {center}
        None is found privately. With a center, components are those about it.
    bounds : pair of floats or of arrays of shape (n_features,), default=None
        Public ends (low, high) of all features, or of each, to which they are clipped;
        they cost nothing. Components stay those of the units of the data: a
        `DPStandardScaler` before this step gives each feature a unit of its own.
    whiten : bool, default=False
        Whether `transform` divides components by their standard deviations.
    {random_state}
    {computation}

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Released directions, orthonormal, of descending variance.
    explained_variance_ : ndarray of shape (n_components,)
        Released variances, shrunk by their noise; below its spectral edge all are the
        mean of what is left.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        The same over the variance in all directions; released.
    mean_ : ndarray of shape (n_features,)
        Released mean, or `center` where it is given.
    n_components_ : int
        Number of components; released where it was not given.
    noise_variance_ : float
        Mean variance in the directions that are left, 0 where none are; released.
    noise_edge_ : float
        Largest variance that the noise shows by itself, its spectral edge; released,
        as it is noise of known scale over a noisy number of records.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    PrivatePipeline : One budget for this and what comes after.

    Notes
    -----
    Privacy: the fitted attributes are (epsilon, delta)-differentially private. The
    result of `transform` is a function of its rows, and as private as these. No exact
    count is used, so that all records are divided by a noisy number.

    Noise in a second moment of n records has eigenvalues up to its spectral edge,
    which grows with the root of the number of features. Directions of less variance
    cannot be found, and components that do not stand out are warned of.

    References
    ----------
    .. [1] C. Dwork, K. Talwar, A. Thakurta and L. Zhang, "Analyze Gauss: optimal
       bounds for privacy-preserving principal component analysis", STOC 2014.
    .. [2] {gdp}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdpgmm import DPPCA
    >>> X, _ = load_digits(return_X_y=True)
    >>> pca = DPPCA(3, epsilon=4.0, random_state=0).fit(X)
    >>> pca.transform(X).shape
    (1797, 3)
    >>> bool(0.3 < pca.explained_variance_ratio_.sum() < 0.5)
    True
    """

    # Set by the fit.
    components_: np.ndarray
    explained_variance_: np.ndarray
    explained_variance_ratio_: np.ndarray
    mean_: np.ndarray
    n_components_: int
    noise_variance_: float
    noise_edge_: float

    _rows_apart = True
    _parameter_constraints: dict = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            StrOptions({"auto"}),
            None,
        ],
        "whiten": ["boolean"],
    }

    # By the spectrum, which imagined records do not have.
    _of_place = ("clip_norm", "n_components")

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        adjacency: str = "add-remove",
        max_contributions: int | None = None,
        clip_norm: float | str = "auto",
        center: ArrayLike | None = None,
        bounds: ArrayLike | None = None,
        whiten: bool = False,
        random_state: int | np.random.RandomState | None = None,
        block_size: int = 8192,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.epsilon = epsilon
        self.delta = delta
        self.adjacency = adjacency
        self.max_contributions = max_contributions
        self.clip_norm = clip_norm
        self.center = center
        self.bounds = bounds
        self.whiten = whiten
        self.random_state = random_state
        self.block_size = block_size
        self.n_jobs = n_jobs

    @private_fit()
    def fit(self, X, y=None, groups=None, *, privacy_ids=None, budget=None) -> Self:
        """Find private components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        {ignored}
        {ids}
        {project_budget}

        Returns
        -------
        self : DPPCA
            Fitted estimator.
        """
        return self._fit_privately(X, None, groups, privacy_ids, budget)

    def _check(self, given, n_samples):
        k: Any = self.n_components
        d = given.n_features
        if isinstance(k, Integral) and k > d:
            raise ValueError(
                "n_components must be at most the number of features, got "
                f"n_components={k} with n_features={d}."
            )
        check_memory(d * d, f"A second moment of {d} features")

    def _fit(self, session, given):
        start = in_units(self, session, given, columns=False)
        view, median_radius = find_ball(
            start.view, start.budget.split(PCA)["ball"], self.clip_norm, given.center
        )
        left = session.left()
        axes = find_axes(view, median_radius, self.n_components, left)
        self.mean_ = view.ball.center
        self.components_ = axes.components
        self.explained_variance_ = axes.variances
        self.explained_variance_ratio_ = axes.variances / axes.total
        self.noise_variance_ = axes.rest
        self.noise_edge_ = axes.edge
        self.n_components_ = len(axes.components)

    @over_blocks
    def transform(self, X) -> np.ndarray:
        """Return the components of rows.

        Parameters
        ----------
        {rows}

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            As private as `X`.
        """
        X = validate_data(self, X, reset=False, dtype=np.float64)
        # A step after this one has a guarantee only if each row is made by itself.
        Z = row_products(X - self.mean_, self.components_)
        return Z / self._scales() if self.whiten else Z

    @over_blocks
    def inverse_transform(self, X) -> np.ndarray:
        """Return the rows that have these components, and the mean in all else.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Components.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_features)
            As private as `X`.
        """
        X = check_array(X, dtype=np.float64)
        if X.shape[1] != self.n_components_:
            raise ValueError(
                f"X must have {self.n_components_} components, got {X.shape[1]}."
            )
        Z = X * self._scales() if self.whiten else X
        return Z @ self.components_ + self.mean_

    def _scales(self):
        return np.sqrt(self.explained_variance_)

    @property
    def _n_features_out(self):
        return self.n_components_
