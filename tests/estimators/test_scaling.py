"""What `scale` and `bounds` do to fits, and that it is undone in what they return."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from private_fits import make_data
from sklearn.base import clone
from sklearn.decomposition import PCA

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm._estimators.scaling import checked_bounds

FACTORS = np.array([1e-3, 1.0, 1e3, 1e5])
X, Y = make_data(3000, 4)


def ratio(found, expected):
    return np.abs(np.log2(found / expected)).max()


@pytest.mark.parametrize("kind", ["full", "tied", "diag"])
@pytest.mark.parametrize(
    "params", [{"scale": "auto"}, {"bounds": (-20 * FACTORS, 20 * FACTORS)}]
)
def test_mixture_is_of_the_data(kind, params):
    mixture = DPGaussianMixture(
        3, epsilon=100.0, covariance_type=kind, random_state=0, **params
    )
    mixture.fit(X * FACTORS)
    plain = DPGaussianMixture(3, epsilon=100.0, covariance_type=kind, random_state=0)
    expected = plain.fit(X).score(X) - np.log(FACTORS).sum()
    assert abs(mixture.score(X * FACTORS) - expected) < 0.2
    assert ratio(mixture.sample(3000)[0].std(axis=0), FACTORS * X.std(axis=0)) < 0.3
    precisions = mixture.precisions_cholesky_
    if kind == "full":
        back = precisions[0] @ precisions[0].T @ mixture.covariances_[0]
        assert_allclose(back / np.outer(1 / FACTORS, FACTORS), np.eye(4), atol=1e-6)


@pytest.mark.parametrize("label_model", [True, False])
def test_synthesizer_is_of_the_data(label_model):
    synthesizer = DPEmbeddingSynthesizer(
        epsilon=100.0, scale="auto", label_model=label_model, random_state=0
    ).fit(X * FACTORS, Y)
    rows, labels = synthesizer.sample(3000, random_state=0)
    assert ratio(rows.std(axis=0), FACTORS * X.std(axis=0)) < 0.5
    for code in range(3):
        gap = rows[labels == code].mean(axis=0) - (X * FACTORS)[Y == code].mean(axis=0)
        assert (np.abs(gap) < FACTORS).all()
    # What is published tells the same as the methods do.
    log = synthesizer.score_samples(rows[:50])
    residuals = rows[:50, None] - synthesizer.means_
    shapes, covariances = synthesizer.class_shapes_, synthesizer.covariances_
    each = [
        covariances[j]
        if covariances.ndim == 3
        else covariances
        if shapes is None
        else shapes.covariance(covariances, c)
        for j, c in enumerate(synthesizer.component_classes_)
    ]
    unit = np.outer(FACTORS, FACTORS)
    quadratic = np.stack(
        [
            np.einsum(
                "ni,ij,nj->n",
                residuals[:, j] / FACTORS,
                np.linalg.inv(cov / unit),
                residuals[:, j] / FACTORS,
            )
            + np.linalg.slogdet(cov / unit)[1]
            for j, cov in enumerate(each)
        ],
        axis=1,
    )
    joint = np.log(synthesizer.weights_) - 0.5 * (quadratic + 4 * np.log(2 * np.pi))
    expected = np.logaddexp.reduce(joint, axis=1) - np.log(FACTORS).sum()
    assert_allclose(log, expected, rtol=1e-6, atol=1e-5)
    if label_model:
        scores = synthesizer.label_model_.scores(X * FACTORS)
        assert (scores.argmax(axis=1) == Y).mean() > 0.9


@pytest.mark.parametrize("n_random_features", [0, 50])
def test_logistic_regression_is_of_the_data(n_random_features):
    model = DPLogisticRegression(
        epsilon=100.0,
        scale="auto",
        n_random_features=n_random_features,
        random_state=0,
    ).fit(X * FACTORS, Y)
    assert model.score(X * FACTORS, Y) > 0.95
    if n_random_features == 0:
        scores = X * FACTORS @ model.coef_.T + model.intercept_
        assert_allclose(scores, model.decision_function(X * FACTORS), atol=1e-6)


def test_far_records_of_one_feature_cost_the_others_nothing():
    Z = X.copy()
    Z[:60, 1] = -99_999.0
    mixture = DPGaussianMixture(3, epsilon=10.0, random_state=0).fit(Z)
    one = clone(mixture).set_params(scale=None).fit(Z)
    assert mixture.score(X) > one.score(X)


def test_kmeans_stays_in_the_units_of_the_data():
    low, high = X.min(axis=0), X.max(axis=0)
    Z = X.copy()
    Z[:30] = 1e9
    plain = DPKMeans(3, epsilon=100.0, random_state=0).fit(X)
    for params in ({"bounds": (low, high)}, {"scale": "auto"}):
        kmeans = DPKMeans(3, epsilon=100.0, random_state=0, **params).fit(Z)
        assert kmeans.score(X) > 1.5 * plain.score(X)


def test_bounds_are_public_and_cost_nothing():
    report = DPKMeans(3, bounds=(-20.0, 20.0), random_state=0).fit(X).privacy_
    assert ("bounds", "given") in report.declared_public
    names = {entry.name.split(":")[0] for entry in report.ledger}
    assert not {name for name in names if name.startswith(("scale", "unit"))}


@pytest.mark.parametrize(
    "make",
    [
        DPKMeans,
        partial(DPGaussianMixture, scale=None),
        partial(DPLogisticRegression, clip_norm=20.0),
        partial(DPEmbeddingSynthesizer, bounds=(-20.0, 20.0)),
    ],
)
def test_nothing_is_looked_for_where_it_is_known_or_not_wanted(make):
    report = make(random_state=0).fit(X, Y).privacy_
    names = {entry.name.split(":")[0] for entry in report.ledger}
    assert not {name for name in names if name.startswith(("scale", "unit"))}
    assert "scale" not in {decision.what for decision in report.decisions}


def test_components_are_those_of_clipped_features():
    Z = X.copy()
    Z[:30, 0] = 1e9
    expected = PCA(2).fit(X).components_
    found = DPPCA(2, epsilon=100.0, bounds=(-20.0, 20.0), random_state=0).fit(Z)
    assert (np.abs(np.sum(found.components_ * expected, axis=1)) > 0.95).all()


def test_pairs_of_bounds():
    for bounds in ((-1.0, 2.0), ([-1.0] * 3, 2.0), np.array([[-1.0] * 3, [2.0] * 3])):
        low, high = checked_bounds(bounds, 3)
        np.testing.assert_array_equal(low, [-1.0] * 3)
        np.testing.assert_array_equal(high, [2.0] * 3)
    assert checked_bounds(None, 3) is None


@pytest.mark.parametrize("value", [1e300, 5e-324, -(2.0**-1040), 0.0])
@pytest.mark.parametrize("cls", [DPGaussianMixture, DPLogisticRegression, DPKMeans])
def test_features_of_any_size(cls, value):
    Z = X.copy()
    Z[:, 2] = value * (1.0 + 0.5 * np.sign(Z[:, 2]))
    model = cls(epsilon=10.0, random_state=0, scale="auto").fit(Z, Y)
    for name in ("means_", "covariances_", "coef_", "cluster_centers_"):
        assert np.isfinite(getattr(model, name, 0.0)).all()
