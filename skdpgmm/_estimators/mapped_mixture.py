"""scikit-learn's mixture, for rows that are not in memory."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import softmax
from sklearn.mixture import GaussianMixture
from sklearn.utils.validation import validate_data

from skdpgmm._estimators.collected import collected
from skdpgmm._estimators.parameters import SharedTexts
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import log_densities
from skdpgmm._rows.sources import mean_of, over_blocks


class MappedGaussianMixture(SharedTexts, GaussianMixture):
    """A Gaussian mixture whose methods take rows of any kind."""

    def _estimate_log_prob(self, X, xp=None):
        # That of scikit-learn expands squares, and so loses the digits of rows that
        # are far from the origin.
        return log_densities(
            X, self.means_, self.precisions_cholesky_, COVARIANCES[self.covariance_type]
        )

    def _n_parameters(self):
        k, d = self.means_.shape
        return COVARIANCES[self.covariance_type].n_parameters(k, d) + k * d + k - 1

    @over_blocks
    def score_samples(self, X) -> np.ndarray:
        """Return the log density of each row.

        Parameters
        ----------
        {rows}

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats; as private as `X`.
        """
        return super().score_samples(X)

    def score(self, X, y=None) -> float:
        """Return the mean log density of rows.

        Parameters
        ----------
        {rows}
        {ignored}

        Returns
        -------
        score : float
            In nats; as private as `X`.
        """
        return mean_of(self.score_samples(X))

    def bic(self, X) -> float:
        """Return the Bayesian information criterion of the mixture for rows.

        Parameters
        ----------
        {rows}

        Returns
        -------
        bic : float
            The lower the better; as private as `X`.
        """
        log_density = collected(self.score_samples(X))
        penalty = self._n_parameters() * math.log(len(log_density))
        return penalty - 2.0 * float(log_density.sum())

    def aic(self, X) -> float:
        """Return the Akaike information criterion of the mixture for rows.

        Parameters
        ----------
        {rows}

        Returns
        -------
        aic : float
            The lower the better; as private as `X`.
        """
        log_density = collected(self.score_samples(X))
        return 2.0 * self._n_parameters() - 2.0 * float(log_density.sum())

    @over_blocks
    def predict(self, X) -> np.ndarray:
        """Return the most probable component of each row.

        Parameters
        ----------
        {rows}

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            As private as `X`.
        """
        return super().predict(X)

    @over_blocks
    def predict_proba(self, X) -> np.ndarray:
        """Return the responsibilities of all components.

        Parameters
        ----------
        {rows}

        Returns
        -------
        responsibilities : ndarray of shape (n_samples, n_components)
            Posterior probabilities; as private as `X`.
        """
        # scikit-learn subtracts the logarithm of the sum: of rows that are far from
        # all components it is rounded to a different number than its terms.
        X = validate_data(self, X, reset=False)
        return softmax(self._estimate_weighted_log_prob(X), axis=1)
