"""A mixture can be used, whatever noise has made of it."""

import numpy as np
import pytest
from private_fits import COVARIANCE_TYPES

from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import Mixture


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_a_mixture_of_broken_covariances_can_be_used(kind):
    k, d = 3, 4
    broken = {
        "full": np.zeros((k, d, d)),
        "tied": -np.eye(d),
        "diag": np.zeros((k, d)),
        "spherical": np.full(k, -1.0),
    }[kind]
    weights, means = np.full(k, 1.0 / k), np.zeros((k, d))
    classes = np.zeros(k, dtype=int)
    mixture = Mixture(weights, means, broken, COVARIANCES[kind], classes)
    assert np.isfinite(mixture.whiteners()).all()
    assert np.isfinite(mixture.log_weights()).all()
