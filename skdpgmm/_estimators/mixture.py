"""Differentially private drop-in for scikit-learn's GaussianMixture."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skdpgmm._algorithms.ball import find_ball
from skdpgmm._algorithms.budget import mixture_shares
from skdpgmm._algorithms.mixture import Wanted, fit_mixture
from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.framed import FramedSamples, SetOutput
from skdpgmm._estimators.limits import check_memory, codebook_numbers
from skdpgmm._estimators.mapped_mixture import MappedGaussianMixture
from skdpgmm._estimators.parameters import SCALED
from skdpgmm._estimators.privacy_ids import one_name
from skdpgmm._estimators.randomness import sampling_generator
from skdpgmm._estimators.scaling import in_units
from skdpgmm._estimators.starts import public_start, warm_start
from skdpgmm._estimators.transaction import private_fit, warn_at_the_end
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import sample_components
from skdpgmm.privacy.accounting import check_epsilon


class DPGaussianMixture(
    SetOutput, FramedSamples, PrivateEstimator, MappedGaussianMixture
):
    """Gaussian mixture under (epsilon, delta)-differential privacy.

    A drop-in replacement for :class:`sklearn.mixture.GaussianMixture`: it accepts
    the same parameters and has the same methods and attributes, all of which are
    private after `fit`. A private codebook gives many small Gaussians, which are
    refined by private passes in the metric of each component, reduced to as many
    components as asked for, and refined again.

    Parameters
    ----------
    n_components : int, default=1
        Number of components, at least 1.
    {privacy}
    {clip_norm}
        "auto" spends |MIXTURE.ball| of the budget to find it; with a number,
        |MIXTURE_IN_PUBLIC_BALL.ball| buys the count that "auto" passes and clips go by.
    {center}
        None is the origin; with ``clip_norm="auto"`` it is then found privately.
    {scale}
        A spherical covariance has one scale, so that features only get limits.
    {bounds}
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        Shape of the covariances, as in scikit-learn.
    tol : float, default=1e-3
        Change in nats under which the passes stop, non-negative. Used only when
        ``epsilon=inf``: private fits make all their passes.
    reg_covar : float, default=1e-6
        Added to the diagonal of the covariances, non-negative.
    max_iter : int or "auto", default="auto"
        Number of passes over the data after the last reduction, at least 0. "auto"
        makes as many as are worth their noise, from a noisy count of the records
        and public quantities: 4 as a rule, fewer when there are few records for
        each component, and up to 100 when ``epsilon=inf``. 0 is the plain method:
        private k-means and one release of the moments of its clusters.
    n_init : int, default=1
        Number of starts of the reductions, at least 1. They look at no record, so
        they cost no privacy.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, \
            default="kmeans"
        Accepted for compatibility. The start is always the private one.
    weights_init : array-like of shape (n_components,), default=None
        Public initial weights.
    means_init : array-like of shape (n_components, n_features), default=None
        Public initial means: they save the budget for finding them and, together
        with `precisions_init`, all of the budget for a start.
    precisions_init : array-like, default=None
        Public initial precisions, in scikit-learn's shape for `covariance_type`.
    {random_state}
    warm_start : bool, default=False
        Whether to start from the previous, released, fit, of the same shape. Every
        fit spends its own budget, and what it leaves is a function of both, so that
        `privacy_` is then the report of both together. They must have the same
        `delta`, `adjacency` and unit. To start from a fit to public records, give
        its parameters as `means_init`, `weights_init` and `precisions_init`.
    verbose : int, default=0
        Accepted for compatibility; nothing is printed.
    verbose_interval : int, default=10
        Accepted for compatibility.
    {computation}

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Released weights.
    means_ : ndarray of shape (n_components, n_features)
        Released means.
    covariances_ : ndarray
        Released covariances, in scikit-learn's shape for `covariance_type`.
    precisions_ : ndarray
        Inverses of `covariances_`; released.
    precisions_cholesky_ : ndarray
        Cholesky factors of `precisions_`; released.
    converged_ : bool
        Whether the passes met `tol` without noise; True with noise, where their
        number is set beforehand.
    n_iter_ : int
        Number of passes after the last reduction; released.
    lower_bound_ : float
        Always nan: the likelihood of the records is not among the releases.
    lower_bounds_ : list
        Always empty.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    DPEmbeddingSynthesizer : Mixtures by class, made to be sampled.
    sklearn.mixture.GaussianMixture : The same without privacy.

    Notes
    -----
    Privacy: the fitted attributes are (epsilon, delta)-differentially private, and
    so is everything that `sample` draws. Results of `predict`, `predict_proba`,
    `score_samples`, `score`, `bic` and `aic` on private records, and the return
    value of `fit_predict`, are exact functions of these records and not private.

    References
    ----------
    .. [1] {gdp}

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skdpgmm import DPGaussianMixture
    >>> X, _ = make_blobs(5000, centers=[[-5, 0], [5, 0]], random_state=0)
    >>> mixture = DPGaussianMixture(2, epsilon=1.0, random_state=0).fit(X)
    >>> bool(abs(mixture.weights_ - 0.5).max() < 0.1)
    True
    >>> X_synthetic, component = mixture.sample(3)
    >>> X_synthetic.shape
    (3, 2)
    """

    # Set by the fit.
    weights_: np.ndarray
    means_: np.ndarray
    covariances_: np.ndarray
    precisions_: np.ndarray
    precisions_cholesky_: np.ndarray
    converged_: bool
    n_iter_: int
    lower_bound_: float
    lower_bounds_: list[float]

    _parameter_constraints: dict = {
        **MappedGaussianMixture._parameter_constraints,
        **SCALED,
        "covariance_type": [StrOptions(set(COVARIANCES))],
        "max_iter": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_components: int = 1,
        *,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        adjacency: str = "add-remove",
        max_contributions: int | None = None,
        clip_norm: float | str = "auto",
        center: ArrayLike | None = None,
        scale: str | None = "auto",
        bounds: ArrayLike | None = None,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int | str = "auto",
        n_init: int = 1,
        init_params: str = "kmeans",
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        block_size: int = 8192,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            n_components=n_components,
            covariance_type=covariance_type,
            tol=tol,
            reg_covar=reg_covar,
            max_iter=max_iter,
            n_init=n_init,
            init_params=init_params,
            weights_init=weights_init,
            means_init=means_init,
            precisions_init=precisions_init,
            random_state=random_state,
            warm_start=warm_start,
            verbose=verbose,
            verbose_interval=verbose_interval,
        )
        self.epsilon = epsilon
        self.delta = delta
        self.adjacency = adjacency
        self.max_contributions = max_contributions
        self.clip_norm = clip_norm
        self.center = center
        self.scale = scale
        self.bounds = bounds
        self.block_size = block_size
        self.n_jobs = n_jobs

    @private_fit()
    def fit(self, X, y=None, groups=None, *, privacy_ids=None, budget=None) -> Self:
        """Fit the mixture privately.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        {ignored}
        {ids}
        {project_budget}

        Returns
        -------
        self : DPGaussianMixture
            Fitted estimator.
        """
        return self._fit_privately(X, None, groups, privacy_ids, budget)

    def _check(self, given, n_samples):
        if math.isinf(check_epsilon(self.epsilon)) and n_samples < self.n_components:
            raise ValueError(
                "Expected n_samples >= n_components when epsilon=inf, but got "
                f"n_components = {self.n_components}, n_samples = {n_samples}"
            )
        start = self._start(given.n_features)
        d, k = given.n_features, self.n_components
        covariance = COVARIANCES[self.covariance_type]
        check_memory(
            max(
                k * d + math.prod(covariance.shape(k, d)),
                codebook_numbers(k, 1, d) if start.means is None else 0,
            ),
            f"n_components={k} and covariance_type={covariance.name!r} with {d} "
            "features",
        )

    def _start(self, n_features):
        if self._earlier() is None:
            return public_start(self, n_features)
        return warm_start(self, self._fitted_type, n_features)

    def _fit(self, session, given):
        noiseless = math.isinf(session.budget.mu)
        shares = mixture_shares(self.clip_norm, self.max_iter)
        covariance = COVARIANCES[self.covariance_type]
        columns = not covariance.one_scale
        found = in_units(self, session, given, columns)
        view, given, clip_norm = found.view, found.given, found.clip_norm
        tighten, units = clip_norm != self.clip_norm, view.units
        budget = found.budget.split(shares)["ball"]
        view, _ = find_ball(view, budget, clip_norm, given.center, tighten=tighten)
        start = self._start(given.n_features)
        wanted = Wanted(
            self.n_components,
            covariance,
            self.max_iter,
            start if units is None else start.in_units(units, covariance),
            self.n_init,
            self.tol if noiseless else None,
        )
        mixture, self.n_iter_, converged = fit_mixture(view, wanted, session.left())
        mixture = mixture.shifted(view.ball.center)
        self._store(mixture if units is None else mixture.in_data(units))
        self.converged_ = converged or not noiseless
        if not self.converged_ and self.n_iter_ > 0:
            warn_at_the_end(
                self,
                "Best performing initialization did not converge. "
                "Try different init parameters, or increase max_iter, "
                "tol, or check for degenerate data.",
                ConvergenceWarning,
            )

    def fit_predict(
        self, X, y=None, groups=None, *, privacy_ids=None, budget=None
    ) -> np.ndarray:
        """Fit, then return the most probable component of each record.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        {ignored}
        groups : array-like of shape (n_samples,), default=None
            The same as `privacy_ids`; deprecated.
        privacy_ids : array-like of shape (n_samples,), default=None
            Id of the person of each record, as in `fit`.
        {project_budget}

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Component of each record: not private.
        """
        privacy_ids = one_name(privacy_ids, groups)
        return self.fit(X, privacy_ids=privacy_ids, budget=budget).predict(X)

    def sample(self, n_samples=1, random_state=None) -> tuple[np.ndarray, np.ndarray]:
        """Draw synthetic rows, in random order.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows, at least 1.
        random_state : int, RandomState instance or None, default=None
            Randomness of the draw; None takes the estimator's own `random_state`.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            Synthetic rows: free to be published. After a fit to a frame of pandas,
            polars or Dask, a frame with its columns and their types, with numbers
            rounded in columns of integers; `set_output` sets another library.
        y : ndarray of shape (n_samples,)
            Component of each row.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(
                f"Invalid value for 'n_samples': {n_samples} . The sampling requires "
                "at least one sample."
            )
        rng = sampling_generator(
            self.random_state if random_state is None else random_state
        )
        components = rng.choice(self.n_components, size=n_samples, p=self.weights_)
        covariance = COVARIANCES[self.covariance_type]
        roots = covariance.roots(self.covariances_)
        X = sample_components(components, self.means_, roots, covariance, rng)
        return self._contained(X, components)

    def _store(self, mixture):
        covariance = mixture.covariance
        self._fitted_type = covariance.name
        self.weights_, self.means_ = mixture.weights, mixture.means
        self.covariances_ = covariance.regularized(mixture.covariances, self.reg_covar)
        self.precisions_cholesky_ = covariance.whiteners(self.covariances_)
        self.precisions_ = covariance.precisions(self.precisions_cholesky_)
        self.lower_bound_ = math.nan
        self.lower_bounds_: list[float] = []
