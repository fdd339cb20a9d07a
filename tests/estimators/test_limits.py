"""What is refused before a fit: what is too large for memory, or for float64."""

from types import SimpleNamespace

import numpy as np
import pytest
from private_fits import (
    fitted_state,
    make_data,
)

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm._estimators.limits import check_memory, codebook_numbers

X, Y = make_data(300, 3)
LARGE = [
    (DPKMeans(10**8), "n_clusters=100000000 with 3 features"),
    (DPGaussianMixture(10**9), "n_components=1000000000"),
    (DPGaussianMixture(10**9, covariance_type="diag"), "n_components=1000000000"),
    (DPEmbeddingSynthesizer(10**9, covariance_type="full"), "n_components=1000000000"),
    (DPLogisticRegression(n_random_features=200_000), "n_random_features=200000"),
]


def test_a_codebook_is_larger_than_what_is_made_of_it(monkeypatch):
    """Three codewords for each cluster, with a count and an energy beside the sum."""
    k, enough = 10**6, 10**6 * (3 + 3) * 48
    needed = 3 * k * (3 + 2) * 48
    mixture = DPGaussianMixture(k, covariance_type="diag", max_iter=0)
    synthesizer = DPEmbeddingSynthesizer(k, covariance_type="diag", label_model=False)
    for estimator in (DPKMeans(k), mixture, synthesizer):
        for there in (enough, needed - 1):
            monkeypatch.setattr("skdpgmm._estimators.limits._memory", lambda n=there: n)
            with pytest.raises(ValueError, match=r"would need 0\.72 GB"):
                estimator.fit(X)
    monkeypatch.setattr("skdpgmm._estimators.limits._memory", lambda: needed)
    check_memory(codebook_numbers(k, 1, 3), "as much as there is")
    # Of public means, and of one cluster, none is grown.
    assert codebook_numbers(1, 5, 100) == 0
    monkeypatch.setattr("skdpgmm._estimators.limits._memory", lambda: 50 * 6 * 48)
    DPGaussianMixture(50, means_init=np.zeros((50, 3)), covariance_type="diag")._check(
        SimpleNamespace(n_features=3), 300
    )


@pytest.mark.parametrize("estimator, message", LARGE, ids=lambda case: None)
def test_what_does_not_fit_into_memory_is_refused_before(
    estimator, message, monkeypatch
):
    monkeypatch.setattr("skdpgmm._estimators.limits._memory", lambda: 1e10)
    with pytest.raises(ValueError, match=f"{message}.* GB of memory") as caught:
        estimator.fit(X, Y)
    assert not hasattr(caught.value, "privacy_")
    assert fitted_state(estimator) == {}


@pytest.mark.parametrize(
    "params, message",
    [
        ({"clip_norm": 1e61}, "clip_norm"),
        ({"clip_norm": 1e-61}, "clip_norm"),
        ({"center": [0.0, 1e61, 0.0]}, "center must have entries between"),
        ({"means_init": np.full((1, 3), -1e61)}, "means_init must have entries"),
        ({"precisions_init": [1e121]}, "precisions_init must have eigenvalues"),
        ({"precisions_init": [1e-121]}, "precisions_init must have eigenvalues"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_numbers_that_float64_cannot_square_twice_are_refused_before(params, message):
    mixture = DPGaussianMixture(1, covariance_type="spherical", **params)
    with pytest.raises(ValueError, match=message) as caught:
        mixture.fit(X)
    assert not hasattr(caught.value, "privacy_")
    assert fitted_state(mixture) == {}
