"""Differentially private k-means."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from skdpgmm._algorithms.ball import find_ball
from skdpgmm._algorithms.doubts import doubt_counts
from skdpgmm._algorithms.kmeans import private_kmeans
from skdpgmm._estimators.base import PrivateEstimatorMixin
from skdpgmm._estimators.limits import check_memory
from skdpgmm._estimators.privacy_ids import one_name
from skdpgmm._estimators.transaction import private_fit
from skdpgmm._models.distances import nearest, squared_distances
from skdpgmm._rows.sources import check_output, map_rows, sum_of
from skdpgmm.privacy.accounting import split_mu


class DPKMeans(
    PrivateEstimatorMixin,
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
    epsilon : float, default=1.0
        Privacy loss of one `fit`, in (0, inf]. ``inf`` adds no noise and protects
        nobody.
    delta : float, default=1e-5
        Additive slack of the guarantee, in (0, 1): a catastrophe of this probability
        is allowed for. Choose it well below one over the number of records.
    adjacency : {"add-remove", "replace-one"}, default="add-remove"
        What neighbouring data sets differ in: the presence of one unit, or its
        content. With the former the number of records is private too.
    max_contributions : int, default=None
        Largest number of records of one person, at least 1; the noise grows in
        proportion. Give `privacy_ids` to `fit` to have it enforced: without them it
        is your promise, and a warning says so. None is one record.
    clip_norm : float or "auto", default="auto"
        Public radius, in [1e-60, 1e60], about `center` to which records are clipped, in
        the units of the data. "auto" spends 5 % of the budget to find it.
    center : array-like of shape (n_features,), default=None
        Public centre of the data. None is the origin; with ``clip_norm="auto"``
        it is then found privately.
    max_iter : int, default=5
        Number of Lloyd passes, at least 1. All are made, each with an equal share
        of the budget.
    random_state : int, RandomState instance or None, default=None
        None takes all randomness from the operating system. A RandomState seeds public
        randomness, never the noise. An int makes `fit`
        reproducible, noise included: that is for tests, and not private, as whoever
        tries all seeds can take the noise away.
    block_size : int, default=4096
        Rows summed at a time, at least 1, and 64 for less; affects time and memory
        only.
    n_jobs : int, default=None
        Threads that sum blocks; affects time only. None takes as many as BLAS has.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Released cluster centres.
    cluster_counts_ : ndarray of shape (n_clusters,)
        Released noisy numbers of records nearest to the centres of the last pass;
        may be negative.
    n_iter_ : int
        Number of Lloyd passes; public.
    privacy_ : PrivacyReport
        The guarantee and the ledger of all releases; released.
    n_features_in_ : int
        Number of features; public.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings; public.

    Raises
    ------
    ValueError
        When `X` or a parameter is not legal; nothing is spent then.

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
    .. [1] J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of
       the Royal Statistical Society B 84(1), 2022.

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

    _parameter_constraints: dict = {
        **PrivateEstimatorMixin._privacy_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        epsilon=1.0,
        delta=1e-5,
        adjacency="add-remove",
        max_contributions=None,
        clip_norm="auto",
        center=None,
        max_iter=5,
        random_state=None,
        block_size=4096,
        n_jobs=None,
    ):
        self.n_clusters = n_clusters
        self.epsilon = epsilon
        self.delta = delta
        self.adjacency = adjacency
        self.max_contributions = max_contributions
        self.clip_norm = clip_norm
        self.center = center
        self.max_iter = max_iter
        self.random_state = random_state
        self.block_size = block_size
        self.n_jobs = n_jobs

    @private_fit()
    def fit(self, X, y=None, groups=None, *, privacy_ids=None):
        """Find private cluster centres.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        y : Ignored
            Not used, present for API consistency by convention.
        groups : array-like of shape (n_samples,), default=None
            The same as `privacy_ids`.

            .. deprecated:: 0.2
               It will go in version 0.3: give `privacy_ids`.
        privacy_ids : array-like of shape (n_samples,), default=None
            Id of the person, or other unit of privacy, of each record; the first
            `max_contributions` records of each are used, one if that is None.

        Returns
        -------
        self : DPKMeans
            Fitted estimator.
        """
        privacy_ids = one_name(privacy_ids, groups)
        rows, (_, d), *_ = self._look_at(X, None, None, privacy_ids)
        center = self._checked_center(d)
        k = self.n_clusters
        check_memory(k * d, f"n_clusters={k} with {d} features")
        session = self._open_session(rows, privacy_ids)
        find_share = 0.05 if self.clip_norm == "auto" else 0.0
        mu = split_mu(session.mu, {"ball": find_share})["ball"]
        ball, _ = find_ball(session.records, d, mu, self.clip_norm, center)
        centers, _, counts, *_ = private_kmeans(
            session.records,
            ball,
            self.n_clusters,
            1,
            session.left(),
            self.max_iter,
            session.public_rng,
        )
        doubt_counts(counts.value, float(counts.sd), "clusters")
        self.cluster_centers_ = ball.center + centers
        self.cluster_counts_ = counts.value
        self.n_iter_ = self.max_iter
        self.privacy_ = self._report(session.ledger)
        return self

    def fit_predict(self, X, y=None, groups=None, *, privacy_ids=None):
        """Fit, then assign the records to the private centres.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        y : Ignored
            Not used, present for API consistency by convention.
        groups : array-like of shape (n_samples,), default=None
            The same as `privacy_ids`; deprecated.
        privacy_ids : array-like of shape (n_samples,), default=None
            Id of the person of each record, as in `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Nearest centre of each record: not private.
        """
        privacy_ids = one_name(privacy_ids, groups)
        return self.fit(X, privacy_ids=privacy_ids).predict(X)

    def predict(self, X):
        """Return the nearest centre of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Indices into `cluster_centers_`; as private as `X`.
        """
        check_is_fitted(self)
        return map_rows(self._nearest, X)

    def _nearest(self, X):
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return nearest(X, self.cluster_centers_)[0]

    def transform(self, X):
        """Return the distances to all centres.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        distances : ndarray of shape (n_samples, n_clusters)
            Euclidean; as private as `X`.
        """
        check_is_fitted(self)
        check_output(self, X)
        return map_rows(self._distances, X)

    def _distances(self, X):
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return np.sqrt(squared_distances(X, self.cluster_centers_))

    def score(self, X, y=None):
        """Return minus the sum of squared distances to the nearest centres.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        score : float
            Minus the k-means loss; as private as `X`.
        """
        check_is_fitted(self)
        return -sum_of(map_rows(self._losses, X))

    def _losses(self, X):
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return nearest(X, self.cluster_centers_)[1]

    @property
    def _n_features_out(self):
        return self.cluster_centers_.shape[0]
