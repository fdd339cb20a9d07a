"""DPPCA: components of digits, and what follows from them for rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from row_kinds import Pieces
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skdpgmm import DPPCA
from skdpgmm.exceptions import NoiseDominatedWarning

X = load_digits().data
PLAIN = PCA(5).fit(X)


@pytest.fixture(scope="module")
def pca():
    return DPPCA(5, epsilon=8.0, random_state=0).fit(X)


def test_without_noise_it_is_pca():
    found = DPPCA(5, epsilon=np.inf, random_state=0).fit(X)
    assert_allclose(found.mean_, PLAIN.mean_, atol=1e-3)
    assert_allclose(
        np.abs(found.components_ @ PLAIN.components_.T), np.eye(5), atol=1e-3
    )
    # PCA divides by one record less.
    assert_allclose(found.explained_variance_, PLAIN.explained_variance_, rtol=2e-3)
    ratios = PLAIN.explained_variance_ratio_
    assert_allclose(found.explained_variance_ratio_, ratios, rtol=2e-3)
    assert found.noise_variance_ == pytest.approx(PLAIN.noise_variance_, rel=2e-3)
    rows = PLAIN.inverse_transform(PLAIN.transform(X))
    assert_allclose(found.inverse_transform(found.transform(X)), rows, atol=0.05)


def test_with_noise_it_is_near(pca):
    assert_allclose(pca.explained_variance_, PLAIN.explained_variance_, rtol=0.3)
    kept = np.sum(np.var(pca.transform(X), axis=0))
    assert kept > 0.95 * PLAIN.explained_variance_.sum()
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(5), atol=1e-12)
    assert pca.n_components_ == 5
    assert pca.privacy_.quality.words == {"direction": ("clear",) * 5}


def test_answers_follow_from_the_components(pca):
    Z = pca.transform(X)
    assert_allclose(Z, (X - pca.mean_) @ pca.components_.T)
    rows = pca.inverse_transform(Z)
    assert_allclose(rows, Z @ pca.components_ + pca.mean_)
    assert_allclose(pca.transform(rows), Z)
    assert list(pca.get_feature_names_out()) == [f"dppca{i}" for i in range(5)]
    with pytest.raises(ValueError, match="X must have 5 components, got 4"):
        pca.inverse_transform(Z[:, :4])


def test_whitened_components_have_variance_one_and_come_back(pca):
    white = DPPCA(5, epsilon=8.0, whiten=True, random_state=0).fit(X)
    assert_array_equal(white.components_, pca.components_)
    Z = white.transform(X)
    assert_allclose(Z * np.sqrt(pca.explained_variance_), pca.transform(X))
    assert_allclose(np.var(Z, axis=0), 1.0, rtol=0.3)
    assert_allclose(white.inverse_transform(Z), pca.inverse_transform(pca.transform(X)))


def test_blocks_of_rows(pca):
    blocks = Pieces(X, 1000)
    found = DPPCA(5, epsilon=8.0, random_state=0).fit(blocks)
    assert_allclose(found.components_, pca.components_, rtol=1e-9)
    Z = found.transform(blocks)
    assert_allclose(np.concatenate(list(Z)), pca.transform(X), rtol=1e-9, atol=1e-9)
    rows = found.inverse_transform(Z)
    assert_allclose(np.concatenate(list(rows)), pca.inverse_transform(pca.transform(X)))


@pytest.mark.parametrize("whiten", [False, True])
def test_a_row_is_transformed_by_itself(whiten):
    """A later step of a pipeline sums these rows: others must not move a bit of one."""
    X = 1e3 + np.random.default_rng(0).standard_normal((300, 40))
    pca = DPPCA(7, epsilon=50.0, whiten=whiten).fit(X)
    expected = pca.transform(X)
    np.testing.assert_array_equal(pca.transform(X[1:]), expected[1:])
    alone = np.concatenate([pca.transform(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(alone, expected)


def test_a_public_center_is_the_mean():
    center = np.full(64, 5.0)
    assert_array_equal(DPPCA(2, center=center).fit(X).mean_, center)


def test_too_many_components_are_refused():
    with pytest.raises(ValueError, match="n_components=65 with n_features=64"):
        DPPCA(65).fit(X)


def test_noise_is_not_passed_off_as_components():
    with pytest.warns(NoiseDominatedWarning, match="of 20 components do not stand"):
        found = DPPCA(20, epsilon=0.5, random_state=np.random.RandomState(0)).fit(X)
    assert np.all(found.explained_variance_ > 0.0)
    words = found.privacy_.quality.words["direction"]
    assert len(words) == 20 and "noise" in words


def test_a_plan_does_not_guess_the_number_of_components():
    plan = DPPCA().plan(100_000, 64)
    assert not [d for d in plan.decisions if d.what == "n_components"]
    assert not plan.doubts
    assert DPPCA(2).plan(100, 64).doubts
