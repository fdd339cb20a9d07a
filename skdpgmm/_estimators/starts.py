"""What a mixture starts from: public parameters, or those of an earlier fit."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_array

from skdpgmm._algorithms.mixture import PublicStart
from skdpgmm._estimators.limits import LARGEST, SMALLEST, check_size
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._rows.plain import plain

# A component of weight zero would never get a record, or a logarithm.
_LEAST_WEIGHT = 1e-12


def public_start(estimator, n_features) -> PublicStart:
    """Validate the public starts of a mixture, leaving its parameters as they are."""
    k, covariance = estimator.n_components, COVARIANCES[estimator.covariance_type]
    weights = means = covariances = None
    if estimator.weights_init is not None:
        weights = _checked_weights(plain(estimator.weights_init, "weights_init"), k)
    if estimator.means_init is not None:
        means = plain(estimator.means_init, "means_init")
        means = _checked_array(means, "means", (k, n_features))
        check_size("means_init", means)
    if estimator.precisions_init is not None:
        precisions = plain(estimator.precisions_init, "precisions_init")
        shape = covariance.shape(k, n_features)
        covariances = _checked_covariances(precisions, covariance, shape)
    return PublicStart(weights, means, covariances)


# What is refused is refused in the words of scikit-learn.


def _checked_array(values, name, shape):
    array = check_array(
        values,
        dtype=[np.float64, np.float32],
        ensure_2d=False,
        allow_nd=len(shape) > 2,
    )
    if array.shape != shape:
        raise ValueError(
            f"The parameter '{name}' should have the shape of {shape}, but got "
            f"{array.shape}"
        )
    return array


def _checked_weights(values, k):
    weights = _checked_array(values, "weights", (k,))
    if (weights < 0.0).any() or (weights > 1.0).any():
        # Tests of scikit-learn hold it to calling the least the largest.
        raise ValueError(
            "The parameter 'weights' should be in the range [0, 1], but got max value "
            f"{weights.min():.5f}, min value {weights.max():.5f}"
        )
    total, error = weights.sum(), 1e-6 if weights.dtype == np.float32 else 1e-8
    if not abs(1.0 - total) <= error:
        raise ValueError(
            "The parameter 'weights' should be normalized, but got sum(weights) = "
            f"{total:.5f}"
        )
    weights = np.maximum(weights, _LEAST_WEIGHT)
    return weights / weights.sum()


def _checked_covariances(values, covariance, shape):
    name = f"{covariance.name} precision"
    precisions = _checked_array(values, name, shape)
    if not covariance.are_precisions(precisions):
        raise ValueError(f"'{name}' should be {covariance.precisions_are}")
    whiteners = covariance.whiteners_of_precisions(precisions)
    scales = covariance.scales(whiteners)
    least, largest = scales.min(), scales.max()
    if not (SMALLEST <= least and largest <= LARGEST):
        raise ValueError(
            f"precisions_init must have eigenvalues in [{SMALLEST**2:g}, "
            f"{LARGEST**2:g}], got some between {least**2:g} and {largest**2:g}."
        )
    return covariance.covariances(whiteners)


def warm_start(estimator, fitted_type, n_features) -> PublicStart:
    """Return the parameters of an earlier fit, if they are of the kind asked for."""
    found = (*estimator.means_.shape, fitted_type)
    wanted = (estimator.n_components, n_features, estimator.covariance_type)
    if found != wanted:
        raise ValueError(
            "warm_start=True goes on from a fit with the same n_components, "
            f"n_features and covariance_type, {found}, got {wanted}. Set it to "
            "False to start anew."
        )
    covariances = COVARIANCES[fitted_type].covariances(estimator.precisions_cholesky_)
    return PublicStart(estimator.weights_, estimator.means_, covariances)
