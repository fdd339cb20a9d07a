"""Public rows and unit norms: what they change, and that they cost what is said."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm import DPEmbeddingSynthesizer, DPLogisticRegression
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


@pytest.mark.parametrize("cls", [DPEmbeddingSynthesizer, DPLogisticRegression])
def test_public_rows_that_are_all_the_same(cls):
    X, y = rows_about(np.zeros(40), 300, 0)
    estimator = cls(X_public=np.ones((5, 40)), random_state=0).fit(X, y)
    released = getattr(estimator, "means_", getattr(estimator, "coef_", None))
    assert np.isfinite(released).all()


def rows_about(center, n, seed):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = center + rng.standard_normal((n, len(center)))
    X[:, 0] += 4.0 * y
    return X, y


def test_public_rows_draw_the_centre():
    center = np.full(60, 100.0)
    X, y = rows_about(center, 400, 0)
    X_public, _ = rows_about(center, 400, 1)
    errors = []
    for rows in (None, X_public):
        synthesizer = DPEmbeddingSynthesizer(X_public=rows, random_state=0).fit(X, y)
        middle = synthesizer.weights_ @ synthesizer.means_
        errors.append(np.linalg.norm(middle - X.mean(axis=0)))
    # Their mean is off by sampling alone; without them noise is all there is.
    assert errors[1] < 2.0 * np.sqrt(60 / 400) + 1.0 < errors[0]


@pytest.mark.parametrize("cls", [DPEmbeddingSynthesizer, DPLogisticRegression])
def test_public_rows_are_free(cls):
    X, y = rows_about(np.zeros(40), 300, 0)
    ledgers = [
        cls(X_public=rows, random_state=0).fit(X, y).privacy_.ledger
        for rows in (None, X[:50] + 1.0)
    ]
    names = [[entry.name.split()[0] for entry in ledger] for ledger in ledgers]
    assert set(names[0]) == set(names[1])
    spent = [sum(entry.mu**2 for entry in ledger) for ledger in ledgers]
    assert_allclose(spent[0], spent[1], rtol=1e-6)


@pytest.mark.parametrize("cls", [DPEmbeddingSynthesizer, DPLogisticRegression])
@pytest.mark.parametrize(
    "public, message",
    [
        (np.zeros((5, 3)), "X_public must have 2 features"),
        (np.zeros((1, 2)), "X_public.*minimum of 2 is required"),
        (np.zeros(2), "X_public.*Expected 2D array"),
        (np.full((5, 2), np.nan), "X_public contains NaN"),
    ],
)
def test_bad_public_rows_are_refused(cls, public, message):
    X, y = rows_about(np.zeros(2), 100, 0)
    estimator = cls(X_public=public)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)
    assert not hasattr(estimator, "privacy_")


def unit_rows(n, d, seed):
    X, y = rows_about(np.full(d, 0.5), n, seed)
    return X / np.linalg.norm(X, axis=1, keepdims=True), y


@pytest.mark.parametrize("label_model", [True, False])
@pytest.mark.parametrize("labelled", [True, False])
def test_rows_of_norm_one_give_rows_of_norm_one(label_model, labelled):
    X, y = unit_rows(8000, 40, 0)
    synthesizer = DPEmbeddingSynthesizer(
        label_model=label_model and labelled, random_state=0
    )
    synthesizer.fit(X, y if labelled else None)
    assert synthesizer.normalize_ is True
    rows, labels = synthesizer.sample(500)
    assert_allclose(np.linalg.norm(rows, axis=1), 1.0)
    if label_model and labelled:
        scores = synthesizer.label_model_.scores(rows)
        assert np.mean(scores.argmax(axis=1) == labels) > 0.999


@pytest.mark.parametrize("epsilon", [1e-3, 1.0, np.inf])
@pytest.mark.parametrize("scale", [0.9, 1.0 + 2.0**-8])
def test_other_rows_are_left_as_they_are(epsilon, scale):
    X, y = unit_rows(8000, 40, 0)
    synthesizer = DPEmbeddingSynthesizer(epsilon=epsilon, random_state=0)
    assert synthesizer.fit(scale * X, y).normalize_ is False


@pytest.mark.parametrize("normalize", [True, False])
def test_normalize_as_given_costs_nothing(normalize):
    X, y = unit_rows(500, 40, 0)
    synthesizer = DPEmbeddingSynthesizer(normalize=normalize, random_state=0).fit(X, y)
    assert synthesizer.normalize_ is normalize
    names = [entry.name for entry in synthesizer.privacy_.ledger]
    assert not [name for name in names if name.startswith("unit norms")]
    norms = np.linalg.norm(synthesizer.sample(200)[0], axis=1)
    assert np.allclose(norms, 1.0) is normalize
