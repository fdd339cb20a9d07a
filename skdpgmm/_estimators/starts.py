"""What a mixture starts from: public parameters, or those of an earlier fit."""

from __future__ import annotations

import numpy as np
from sklearn.mixture._gaussian_mixture import (
    _check_means,
    _check_precisions,
    _check_weights,
    _compute_precision_cholesky_from_precisions,
)

from skdpgmm._algorithms.mixture import PublicStart
from skdpgmm._estimators.limits import LARGEST, SMALLEST, check_size
from skdpgmm._rows.plain import plain

# A component of weight zero would never get a record, or a logarithm.
_LEAST_WEIGHT = 1e-12


def public_start(estimator, n_features) -> PublicStart:
    """Validate the public starts of a mixture, leaving its parameters as they are."""
    k, kind = estimator.n_components, estimator.covariance_type
    weights = means = factors = None
    if estimator.weights_init is not None:
        weights = _check_weights(
            plain(estimator.weights_init, "weights_init"), k, xp=np
        )
        weights = np.maximum(weights, _LEAST_WEIGHT)
        weights = weights / weights.sum()
    if estimator.means_init is not None:
        means = _check_means(
            plain(estimator.means_init, "means_init"), k, n_features, xp=np
        )
        check_size("means_init", means)
    if estimator.precisions_init is not None:
        given = plain(estimator.precisions_init, "precisions_init")
        precisions = _check_precisions(given, kind, k, n_features, xp=np)
        factors = _compute_precision_cholesky_from_precisions(precisions, kind, xp=np)
        scales = factors
        if kind in ("full", "tied"):
            scales = np.diagonal(factors, axis1=-2, axis2=-1)
        if not (SMALLEST <= scales.min() and scales.max() <= LARGEST):
            raise ValueError(
                f"precisions_init must have eigenvalues in [{SMALLEST**2:g}, "
                f"{LARGEST**2:g}], got some between {scales.min() ** 2:g} and "
                f"{scales.max() ** 2:g}."
            )
    return PublicStart(weights, means, factors)


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
    return PublicStart(
        estimator.weights_, estimator.means_, estimator.precisions_cholesky_
    )
