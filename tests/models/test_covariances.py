"""Covariance types: each is what scikit-learn makes of it, and known in one place."""

import math
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.mixture import GaussianMixture

import skdpgmm
from skdpgmm._estimates.clipped_normal import clipped_variance
from skdpgmm._models.covariance_type import Released, Whitened
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm._models.mixture import Mixture, log_densities, sample_components

K, D = 3, 4
RNG = np.random.default_rng(0)


@pytest.fixture(params=COVARIANCES)
def covariance(request):
    return COVARIANCES[request.param]


@pytest.fixture
def covariances(covariance):
    return covariance.of_full(random_matrices())


@pytest.fixture
def matrices(covariance, covariances):
    """The same as positive definite matrices."""
    return covariance.as_full(covariances, K, D)


def random_matrices():
    roots = np.random.default_rng(1).standard_normal((K, D, D + 2))
    return roots @ roots.transpose(0, 2, 1) / D


def moments_of(covariance, sums):
    """What is released of sums of second moments, matrices of shape (K, D, D)."""
    return {
        "full": lambda: sums,
        "tied": lambda: sums.sum(axis=0),
        "diag": lambda: np.diagonal(sums, axis1=1, axis2=2).copy(),
        "energy": lambda: np.trace(sums, axis1=1, axis2=2),
    }[covariance.moment]()


# --------------------------------------------------------------------------
# Beside scikit-learn
# --------------------------------------------------------------------------


@pytest.fixture
def theirs(covariance):
    X = RNG.standard_normal((300, D)) @ RNG.standard_normal((D, D))
    X += 3.0 * RNG.integers(0, K, 300)[:, None]
    return GaussianMixture(K, covariance_type=covariance.name, random_state=0).fit(X)


def test_factors_are_those_of_scikit_learn(covariance, theirs):
    found = covariance.whiteners(theirs.covariances_)
    assert_array_equal(found, theirs.precisions_cholesky_)
    assert found.flags == theirs.precisions_cholesky_.flags
    assert_array_equal(covariance.precisions(found), theirs.precisions_)


def test_densities_are_those_of_scikit_learn(covariance, theirs):
    X = 3.0 * RNG.standard_normal((50, D))
    whiteners = covariance.whiteners(theirs.covariances_)
    found = log_densities(X, theirs.means_, whiteners, covariance)
    for j, factor in enumerate(covariance.as_full(whiteners, K, D)):
        alone = GaussianMixture(1)
        alone.weights_, alone.means_ = np.ones(1), theirs.means_[j : j + 1]
        alone.precisions_cholesky_ = factor[None]
        assert_allclose(found[:, j], alone.score_samples(X), rtol=1e-10)


def test_free_parameters_are_those_of_scikit_learn(covariance, theirs):
    X = RNG.standard_normal((50, D))
    n_all = (theirs.bic(X) + 2.0 * theirs.score(X) * 50) / math.log(50)
    assert covariance.n_parameters(K, D) == round(n_all) - K * D - (K - 1)


@pytest.mark.parametrize("bad", ["shape", "negative", "asymmetric"])
@pytest.mark.usefixtures("theirs")
def test_precisions_are_refused_as_by_scikit_learn(covariance, covariances, bad):
    precisions = covariance.precisions(covariance.whiteners(covariances))
    if bad == "shape":
        precisions = precisions[..., :-1]
    elif bad == "negative":
        precisions = -precisions
    elif precisions.shape[-2:] == (D, D):
        precisions = precisions + np.triu(np.ones((D, D)), 1)
    else:
        pytest.skip("not a matrix")
    messages = []
    for mixture in (GaussianMixture, skdpgmm.DPGaussianMixture):
        params = {"covariance_type": covariance.name, "precisions_init": precisions}
        with pytest.raises(ValueError, match="precision") as error:
            mixture(K, **params).fit(RNG.standard_normal((20, D)))
        messages.append(str(error.value))
    assert messages[0] == messages[1]


# --------------------------------------------------------------------------
# Forms
# --------------------------------------------------------------------------


def test_shapes(covariance, covariances):
    shape = covariance.shape(K, D)
    whiteners = covariance.whiteners(covariances)
    for parameters in (
        covariances,
        whiteners,
        covariance.roots(covariances),
        covariance.sound(covariances),
        covariance.regularized(covariances, 1.0),
        covariance.covariances(whiteners),
        covariance.precisions(whiteners),
        covariance.whiteners_of_precisions(covariance.precisions(whiteners)),
    ):
        assert parameters.shape == shape
        assert len(covariance.each(parameters, K)) == K
    assert np.broadcast_shapes(np.shape(covariance.log_det(whiteners, D)), (K,)) == (K,)


def test_there_and_back(covariance, covariances, matrices):
    assert_allclose(covariance.of_full(matrices), covariances)
    whiteners = covariance.whiteners(covariances)
    assert_allclose(covariance.covariances(whiteners), covariances)
    precisions = covariance.precisions(whiteners)
    assert covariance.are_precisions(precisions)
    assert_allclose(
        covariance.as_full(precisions, K, D), np.linalg.inv(matrices), atol=1e-12
    )
    again = covariance.whiteners_of_precisions(precisions)
    assert_allclose(again, whiteners, atol=1e-12)


def test_whitening(covariance, covariances, matrices):
    whiteners, means = covariance.whiteners(covariances), np.zeros((K, D))
    X = RNG.standard_normal((K, D))
    expected = np.einsum("nd,kde,ne->nk", X, np.linalg.inv(matrices), X)
    assert_allclose(covariance.squares(X, means, whiteners), expected)
    assert_allclose(
        covariance.log_det(whiteners, D) + np.zeros(K),
        -0.5 * np.linalg.slogdet(matrices)[1],
    )
    factors = covariance.each(whiteners, K)
    white = [covariance.colored(x, P.T) for x, P in zip(X, factors, strict=True)]
    assert_allclose(covariance.unwhiten(np.stack(white), whiteners), X)


def test_draws_have_the_covariances(covariance, covariances, matrices):
    roots = covariance.roots(covariances)
    for root, matrix in zip(covariance.each(roots, K), matrices, strict=True):
        axes = covariance.colored(np.eye(D), root)
        assert_allclose(axes.T @ axes, matrix, atol=1e-12)
    means = 10.0 * RNG.standard_normal((K, D))
    components = np.repeat(np.arange(K), 20_000)
    draws = sample_components(components, means, roots, covariance, RNG)
    for j, matrix in enumerate(matrices):
        own = draws[components == j]
        assert_allclose(own.mean(axis=0), means[j], atol=0.1)
        assert_allclose(np.cov(own.T), matrix, atol=0.1 * np.trace(matrix))


def test_all_variances_are_regularized(covariance, covariances, matrices):
    found = covariance.as_full(covariance.regularized(covariances, 2.0), K, D)
    assert_allclose(found, matrices + 2.0 * np.eye(D), atol=1e-12)


@pytest.mark.parametrize("factor", [0.0, -1.0, 1e-310])
def test_degenerate_covariances_are_made_sound(covariance, covariances, factor):
    found = covariance.sound(factor * covariances)
    assert found.shape == covariances.shape
    assert np.isfinite(covariance.whiteners(found)).all()
    assert_array_equal(covariance.sound(covariances), covariances)


def test_a_mixture_can_be_pickled(covariance, covariances):
    weights, classes = np.full(K, 1.0 / K), np.zeros(K, dtype=int)
    mixture = Mixture(weights, np.zeros((K, D)), covariances, covariance, classes)
    again = pickle.loads(pickle.dumps(mixture))
    assert again.covariance.name == covariance.name
    assert_array_equal(again.whiteners(), mixture.whiteners())


# --------------------------------------------------------------------------
# Estimates
# --------------------------------------------------------------------------


def test_estimates_without_noise(covariance, covariances, matrices):
    counts, means = np.array([1e3, 2e3, 3e3]), RNG.standard_normal((K, D))
    value = moments_of(covariance, counts[:, None, None] * matrices)
    released = Released(value, 1e-9, 100.0, counts)
    same, found = covariance.estimate(released, means)
    assert same is means
    assert_allclose(found, covariances, rtol=1e-6, atol=1e-6)


def test_estimates_from_noise_alone_are_sound(covariance):
    sd = 1e3
    value = moments_of(covariance, sd * RNG.standard_normal((K, D, D)))
    value = value + value.T if value.shape[-2:] == (D, D) and value.ndim == 2 else value
    released = Released(value, sd, 1.0, np.ones(K))
    uncertain = RNG.standard_normal((K, D)), np.ones(K)
    means, found = covariance.estimate(released, np.zeros((K, D)), uncertain)
    assert np.isfinite(means).all()
    assert np.isfinite(covariance.whiteners(covariance.sound(found))).all()


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_a_pass_undoes_the_clip(covariance, covariances, scale):
    """All records have `scale` times the covariance under which they were seen."""
    counts, rho = np.array([1e3, 2e3, 3e3]), 2.0
    seen = scale * clipped_variance(D, rho**2 / scale) * np.eye(D)
    second = moments_of(covariance, counts[:, None, None] * seen)
    clear = np.ones(K, dtype=bool)
    white = Whitened(counts, np.zeros((K, D)), second, 1e-9, rho, clear)
    whiteners = covariance.whiteners(covariances)
    found, moved = covariance.refined(covariances, whiteners, white, 1e-12)
    assert_allclose(found, scale * covariances, rtol=1e-6, atol=1e-9)
    assert_allclose(moved, 0.25 * D * (scale - 1.0) ** 2, rtol=1e-5, atol=1e-9)


def test_a_pass_keeps_what_is_not_clear(covariance, covariances):
    if len(covariances) != K:
        pytest.skip("one covariance for all")
    counts, clear = np.full(K, 1e3), np.array([True, False, True])
    second = moments_of(covariance, np.tile(1e3 * np.eye(D), (K, 1, 1)))
    white = Whitened(counts, np.zeros((K, D)), second, 1e-9, 2.0, clear)
    whiteners = covariance.whiteners(covariances)
    found, moved = covariance.refined(covariances, whiteners, white, 1e-12)
    assert_array_equal(found[~clear], covariances[~clear])
    assert_array_equal(moved != 0.0, clear)
