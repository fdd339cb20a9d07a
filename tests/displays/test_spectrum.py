"""Lines are the released variances."""

import numpy as np
import pytest
from private_fits import make_data

from skdpgmm import DPPCA, DPEmbeddingSynthesizer, DPGaussianMixture, DPKMeans
from skdpgmm.displays import SpectrumDisplay

X, Y = make_data(600, 6)


def test_components_beside_the_edge_of_the_noise():
    pca = DPPCA(None, epsilon=0.5).fit(X)
    display = SpectrumDisplay.from_estimator(pca, color="black")
    (line,) = display.lines_
    np.testing.assert_array_equal(line.get_ydata(), pca.explained_variance_)
    assert line.get_color() == "black"
    assert set(display.edge_.get_ydata()) == {pca.noise_edge_}
    words = pca.privacy_.quality.words["direction"]
    assert display.clear.tolist() == [word == "clear" for word in words]
    hollow = display.ax_.lines[1].get_xdata()
    assert hollow.tolist() == (1 + np.flatnonzero(~display.clear)).tolist()
    labels = display.ax_.get_legend_handles_labels()[1]
    assert labels == ["not clear of the noise", "spectral edge of the noise"]


def test_without_noise_there_is_no_edge():
    display = SpectrumDisplay.from_estimator(DPPCA(3, epsilon=np.inf).fit(X))
    assert display.edge_ is None and display.clear.all()
    assert display.ax_.get_yscale() == "log" and display.ax_.get_legend() is None


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_a_mixture_has_a_line_for_each_covariance(covariance):
    mixture = DPGaussianMixture(3, covariance_type=covariance, epsilon=8.0).fit(X)
    display = SpectrumDisplay.from_estimator(mixture)
    assert len(display.lines_) == (1 if covariance == "tied" else 3)
    full = {
        "full": lambda c: c[0],
        "tied": lambda c: c,
        "diag": lambda c: np.diag(c[0]),
        "spherical": lambda c: c[0] * np.eye(6),
    }[covariance](mixture.covariances_)
    np.testing.assert_allclose(display.variances[0], np.linalg.eigvalsh(full)[::-1])


def test_classes_with_shapes_of_their_own_have_their_own_lines():
    X, Y = make_data(3000, 40)
    synthesizer = DPEmbeddingSynthesizer(epsilon=50.0).fit(X, Y)
    shapes = synthesizer.class_shapes_
    display = SpectrumDisplay.from_estimator(synthesizer)
    assert shapes is not None and len(display.lines_) == len(synthesizer.means_)
    last = np.searchsorted(synthesizer.classes_, synthesizer.component_classes_[-1])
    covariance = shapes.covariance(synthesizer.covariances_, last)
    found = np.linalg.eigvalsh(covariance)[::-1]
    np.testing.assert_allclose(display.variances[-1], found)


def test_what_has_no_variances_is_refused():
    with pytest.raises(TypeError, match=r"must be a mixture.*got DPKMeans"):
        SpectrumDisplay.from_model(DPKMeans(2).fit(X))
