"""A released second moment, and what public rows add to it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm._estimates.second_moment import NoisyMoment, public_second_moment

RADIUS = 1.0


def power_law(d, seed):
    """A covariance of trace 1 whose eigenvalues fall as 1 / i."""
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    values = 1.0 / np.arange(1, d + 1)
    return (Q * values / values.sum()) @ Q.T


def noisy(matrix, sd, seed):
    """Isometric noise: `sd` on the diagonal, smaller by sqrt(2) off it."""
    noise = np.random.default_rng(seed).standard_normal(matrix.shape)
    return matrix + sd * 0.5 * (noise + noise.T)


@pytest.mark.parametrize("prior", [None, "other", "identity"])
def test_moment_without_noise_is_exact(prior):
    truth = power_law(40, 0)
    prior = {"other": power_law(40, 1), "identity": np.eye(40)}.get(prior)
    moment = NoisyMoment(truth, 0.0, RADIUS, prior)
    directions = np.random.default_rng(2).standard_normal((3, 40))
    assert_allclose(moment.estimate.matrix(), truth, atol=1e-8)
    assert_allclose(moment.along(directions).matrix(), truth, atol=1e-8)


@pytest.mark.parametrize("prior", [None, "other"])
def test_moment_is_read_along_known_directions(prior):
    d = 200
    truth = power_law(d, 0)
    values, vectors = np.linalg.eigh(truth)
    direction = vectors[:, [-20]].T  # lost in the noise of the whole matrix
    sd = 2.0 * values[-20] / np.sqrt(2.0 * d)
    prior = None if prior is None else power_law(d, 1)
    errors = {"matrix": [], "along": []}
    for seed in range(10):
        moment = NoisyMoment(noisy(truth, sd, seed), sd, RADIUS, prior)
        for name, found in (
            ("matrix", moment.estimate.matrix()),
            ("along", moment.along(direction).matrix()),
        ):
            errors[name].append((direction @ found @ direction.T).item() - values[-20])
            assert np.linalg.eigvalsh(found).min() > 0.0
    assert np.mean(errors["matrix"]) < -0.2 * values[-20]
    # One entry of the release, with its own noise only.
    assert np.abs(errors["along"]).max() < 4.0 * sd
    assert abs(np.mean(errors["along"])) < 0.1 * values[-20]


def test_prior_stands_in_for_what_noise_hides():
    d = 100
    truth = power_law(d, 0)
    sd = 0.2 / np.sqrt(d)
    release = noisy(truth, sd, 1)
    without = NoisyMoment(release, sd, RADIUS)
    like = NoisyMoment(release, sd, RADIUS, 7.0 * truth)
    unlike = NoisyMoment(release, sd, RADIUS, power_law(d, 5))

    def error(moment):
        return np.linalg.norm(moment.estimate.matrix() - truth) / np.linalg.norm(truth)

    assert error(like) < 0.2 < error(without)
    # Public rows of another kind are taken for what they are worth.
    assert error(unlike) < 1.1 * error(without)


@pytest.mark.parametrize("prior", [None, "other", "singular"])
@pytest.mark.parametrize("seed", range(5))
def test_a_moment_that_noise_hides_keeps_a_scale(prior, seed):
    d = 100
    truth = power_law(d, 0)
    X = np.random.default_rng(3).standard_normal((d // 2, d))
    prior = {
        "other": power_law(d, 1),
        "singular": public_second_moment(X),
    }.get(prior)
    sd = 3.0 / np.sqrt(d)  # the trace, which is 1, is known to 3
    moment = NoisyMoment(noisy(truth, sd, seed), sd, 1.0, prior)
    directions = np.random.default_rng(2).standard_normal((3, d))
    for found in (moment.estimate.matrix(), moment.along(directions).matrix()):
        assert np.linalg.eigvalsh(found)[0] > 1e-3 / d
        # What a fit is judged by.
        assert np.trace(np.linalg.solve(found, truth)) < 100.0 * d


@pytest.mark.parametrize("prior", [None, "other"])
def test_a_moment_of_nothing(prior):
    prior = None if prior is None else power_law(5, 1)
    moment = NoisyMoment(np.zeros((5, 5)), 0.0, 1.0, prior)
    assert np.linalg.eigvalsh(moment.estimate.matrix())[0] > 0.0


def test_public_second_moment_has_trace_one():
    X = np.random.default_rng(0).standard_normal((20_000, 4)) * [1.0, 2.0, 3.0, 4.0]
    moment = public_second_moment(X + 3.0)
    assert_allclose(np.trace(moment), 1.0)
    assert_allclose(moment * X.var(axis=0).sum(), np.cov(X.T, ddof=0), atol=0.01)


def test_public_second_moment_of_few_rows_is_regular():
    X = np.random.default_rng(0).standard_normal((10, 40))
    assert np.linalg.eigvalsh(public_second_moment(X))[0] > 0.1 / 40
