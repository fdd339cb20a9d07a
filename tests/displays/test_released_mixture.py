"""Displays see what a mixture has released."""

import numpy as np
import pytest
from private_fits import make_data
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPLogisticRegression,
    DPSyntheticClassifier,
)
from skdpgmm.displays._released_mixture import mixture_of, sampler_of

X, Y = make_data(400, 4)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_covariances_are_those_that_rows_have(covariance):
    synthesizer = DPEmbeddingSynthesizer(
        2, covariance_type=covariance, label_model=False, normalize=False, epsilon=20.0
    ).fit(X, Y)
    mixture = mixture_of(synthesizer)
    assert mixture.labels.tolist() == synthesizer.component_classes_.tolist()
    each = list(mixture.each_covariance())
    assert len(each) == len(mixture.means) == 6
    # The second moment of many rows is that of the mixture.
    rows, _ = synthesizer.sample(200_000, random_state=0)
    center = mixture.weights @ mixture.means
    gaps = mixture.means - center
    whole = np.einsum("k,kij->ij", mixture.weights, each)
    whole += (gaps * mixture.weights[:, None]).T @ gaps
    np.testing.assert_allclose(np.cov(rows.T), whole, atol=0.03 * np.trace(whole))


def test_what_is_around_a_synthesizer_shows_it():
    around = DPSyntheticClassifier(
        classifier=LogisticRegression(max_iter=1000), n_samples=100, random_state=0
    )
    assert sampler_of(around.fit(X, Y)) is around.synthesizer_


def test_components_without_classes_have_numbers():
    mixture = mixture_of(DPGaussianMixture(3).fit(X))
    assert mixture.labels.tolist() == mixture.classes.tolist() == [0, 1, 2]


def test_what_is_no_mixture_is_refused():
    with pytest.raises(NotFittedError):
        sampler_of(DPGaussianMixture())
    with pytest.raises(TypeError, match=r"must be a mixture.*got DPLogisticRegression"):
        sampler_of(DPLogisticRegression().fit(X, Y))
