"""Differentially private k-means."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.validation import validate_data

from skdpgmm._algorithms.ball import find_ball
from skdpgmm._algorithms.budget import KMEANS, KMEANS_IN_PUBLIC_BALL
from skdpgmm._algorithms.doubts import doubt_counts
from skdpgmm._algorithms.kmeans import private_kmeans
from skdpgmm._algorithms.outcome import distances, quality_of
from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.limits import check_memory, codebook_numbers
from skdpgmm._estimators.parameters import COUNT, SCALED
from skdpgmm._estimators.privacy_ids import one_name
from skdpgmm._estimators.scaling import in_units
from skdpgmm._estimators.transaction import private_fit
from skdpgmm._models.distances import nearest, squared_distances
from skdpgmm._rows.sources import over_blocks, sum_of


class DPKMeans(
    PrivateEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    BaseEstimator,
):
    """K-means clustering under (epsilon, delta)-differential privacy.

    A private codebook of more cells than clusters is grown by splitting cells; its
    noisy means are clustered for free; a few Lloyd passes with shrinking clip radii
    refine the centres.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, at least 1.
    {privacy}
    {clip_norm}
        "auto" spends |KMEANS.ball| of the budget to find it.
    {center}
        None is the origin; with ``clip_norm="auto"`` it is then found privately.
    scale : "auto" or None, default=None
        The loss of k-means is that of the units of the data, and so it stays: "auto"
        spends up to a fifth of the budget where records are few, and less where they
        are many, to find where each feature lies, and clips it there. Then far records
        of one feature do not widen the ball of all. None does not.
    bounds : pair of floats or of arrays of shape (n_features,), default=None
        Public ends (low, high) of all features, or of each, to which they are clipped.
        They cost nothing.
    max_iter : int, default=5
        Number of Lloyd passes, at least 1. All are made, each with an equal share
        of the budget.
    {random_state}
    {computation}

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Released cluster centres.
    cluster_counts_ : ndarray of shape (n_clusters,)
        Released noisy numbers of records nearest to the centres of the last pass;
        may be negative.
    n_iter_ : int
        Number of Lloyd passes; public.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    DPGaussianMixture : Adds covariances and soft assignments.

    Notes
    -----
    Privacy: the fitted attributes are (epsilon, delta)-differentially private.
    There is no ``labels_`` and no ``inertia_``, which would be exact functions of
    the records; `predict`, `transform` and `score` of private records, and the
    result of `fit_predict`, are as private as these records.

    References
    ----------
    .. [1] {gdp}

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skdpgmm import DPKMeans
    >>> X, _ = make_blobs(5000, centers=[[-5, 0], [5, 0]], random_state=0)
    >>> kmeans = DPKMeans(n_clusters=2, epsilon=1.0, random_state=0).fit(X)
    >>> bool(abs(abs(kmeans.cluster_centers_[:, 0]) - 5).max() < 0.5)
    True
    >>> kmeans.predict([[-4, 1]]) != kmeans.predict([[4, 1]])
    array([ True])
    """

    # Set by the fit.
    cluster_centers_: np.ndarray
    cluster_counts_: np.ndarray
    n_iter_: int

    _parameter_constraints: dict = {
        **SCALED,
        "n_clusters": COUNT,
        "max_iter": COUNT,
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        adjacency: str = "add-remove",
        max_contributions: int | None = None,
        clip_norm: float | str = "auto",
        center: ArrayLike | None = None,
        scale: str | None = None,
        bounds: ArrayLike | None = None,
        max_iter: int = 5,
        random_state: int | np.random.RandomState | None = None,
        block_size: int = 8192,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.epsilon = epsilon
        self.delta = delta
        self.adjacency = adjacency
        self.max_contributions = max_contributions
        self.clip_norm = clip_norm
        self.center = center
        self.scale = scale
        self.bounds = bounds
        self.max_iter = max_iter
        self.random_state = random_state
        self.block_size = block_size
        self.n_jobs = n_jobs

    @private_fit()
    def fit(self, X, y=None, groups=None, *, privacy_ids=None, budget=None) -> Self:
        """Find private cluster centres.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        {ignored}
        {ids}
        {project_budget}

        Returns
        -------
        self : DPKMeans
            Fitted estimator.
        """
        return self._fit_privately(X, None, groups, privacy_ids, budget)

    def _check(self, given, n_samples):
        k, d = self.n_clusters, given.n_features
        n_numbers = max(k * d, codebook_numbers(k, 1, d))
        check_memory(n_numbers, f"n_clusters={k} with {d} features")

    def _fit(self, session, given):
        shares = KMEANS if self.clip_norm == "auto" else KMEANS_IN_PUBLIC_BALL
        start = in_units(self, session, given, columns=False)
        view, budget = start.view, start.budget.split(shares)["ball"]
        view, _ = find_ball(view, budget, self.clip_norm, given.center, tighten=False)
        k, left = self.n_clusters, session.left()
        found = private_kmeans(view, k, 1, left, self.max_iter)
        doubt_counts(found.counts.value, float(found.counts.sd), "clusters")
        means = distances(found.noisy, found.sd)
        note = quality_of(found.classes, found.counts, mean=means)
        view.note(replace(note, what="cluster"))
        self.cluster_centers_ = view.ball.center + found.centers
        self.cluster_counts_ = found.counts.value
        self.n_iter_ = self.max_iter

    def fit_predict(
        self, X, y=None, groups=None, *, privacy_ids=None, budget=None
    ) -> np.ndarray:
        """Fit, then assign the records to the private centres.

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
            Nearest centre of each record: not private.
        """
        privacy_ids = one_name(privacy_ids, groups)
        return self.fit(X, privacy_ids=privacy_ids, budget=budget).predict(X)

    @over_blocks
    def predict(self, X) -> np.ndarray:
        """Return the nearest centre of each row.

        Parameters
        ----------
        {rows}

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Indices into `cluster_centers_`; as private as `X`.
        """
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return nearest(X, self.cluster_centers_)[0]

    @over_blocks
    def transform(self, X) -> np.ndarray:
        """Return the distances to all centres.

        Parameters
        ----------
        {rows}

        Returns
        -------
        distances : ndarray of shape (n_samples, n_clusters)
            Euclidean; as private as `X`.
        """
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return np.sqrt(squared_distances(X, self.cluster_centers_))

    def score(self, X, y=None) -> float:
        """Return minus the sum of squared distances to the nearest centres.

        Parameters
        ----------
        {rows}
        {ignored}

        Returns
        -------
        score : float
            Minus the k-means loss; as private as `X`.
        """
        return -sum_of(self._losses(X))

    @over_blocks
    def _losses(self, X):
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return nearest(X, self.cluster_centers_)[1]

    @property
    def _n_features_out(self):
        return self.cluster_centers_.shape[0]
