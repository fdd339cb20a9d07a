"""Private standardisation: what it finds, and what it makes of rows."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_wine

from skdpgmm import DPPCA, DPLogisticRegression, DPStandardScaler, PrivatePipeline
from skdpgmm.exceptions import NoiseDominatedWarning

X = load_breast_cancer(return_X_y=True)[0]


@pytest.mark.parametrize(
    "params", [{}, {"bounds": (X.min(axis=0) - 1.0, X.max(axis=0) + 1.0)}]
)
def test_features_of_many_scales(params):
    scaler = DPStandardScaler(epsilon=20.0, random_state=0, **params).fit(X)
    sd = X.std(axis=0)
    wide = sd > 0.01  # bounds of 1 are wide beside others
    assert np.median(np.abs(np.log2(scaler.scale_ / sd))[wide]) < 1.0
    middle = np.abs(scaler.center_ - np.median(X, axis=0)) / sd
    assert np.median(middle[wide]) < 0.5


def test_rows_there_and_back():
    scaler = DPStandardScaler(clip=2.0, epsilon=20.0, random_state=0).fit(X)
    Z = scaler.transform(X)
    assert np.abs(Z).max() == 2.0
    inside = (np.abs(Z) < 2.0).all(axis=1)
    assert inside.any()
    assert_allclose(scaler.inverse_transform(Z)[inside], X[inside], rtol=1e-9)
    names = scaler.get_feature_names_out()
    assert len(names) == X.shape[1]
    frame = scaler.set_output(transform="pandas").transform(X)
    assert list(frame.columns) == list(names)
    with pytest.raises(ValueError, match="30 features"):
        scaler.inverse_transform(X[:, :2])


@pytest.mark.parametrize("params", [{}, {"clip_norm": 1e4}])
def test_what_noise_hides_is_left_and_said(params):
    with pytest.warns(NoiseDominatedWarning, match="bounds"):
        scaler = DPStandardScaler(epsilon=0.01, random_state=0, **params).fit(X)
    assert (scaler.center_ == 0.0).all() and (scaler.scale_ == 1.0).all()


def test_what_is_said_of_each_feature():
    words = []
    for epsilon in (np.inf, 0.01):
        scaler = DPStandardScaler(epsilon=epsilon, random_state=0)
        with warnings.catch_warnings(action="ignore"):
            quality = scaler.fit(X).privacy_.quality
        assert quality.what == "feature" and len(quality) == X.shape[1]
        words.append(set(quality.words["scale"]))
    assert words == [{"clear"}, {"noise"}]


def test_a_row_is_transformed_by_itself():
    """A later step of a pipeline sums these rows: others must not move a bit of one."""
    scaler = DPStandardScaler(epsilon=20.0).fit(X)
    expected = scaler.transform(X)
    alone = np.concatenate([scaler.transform(row[None]) for row in X])
    assert_array_equal(alone, expected)
    assert_array_equal(scaler.transform(X[7:]), expected[7:])


def test_one_budget_with_what_comes_after():
    rows, labels = load_wine(return_X_y=True)
    steps = [
        ("scale", DPStandardScaler(random_state=0)),
        ("pca", DPPCA(5, random_state=0)),
        ("last", DPLogisticRegression(random_state=0)),
    ]
    pipeline = PrivatePipeline(steps, epsilon=100.0).fit(rows, labels)
    report = pipeline.privacy_
    assert report.spent_mu <= report.mu
    names = [entry.name.split(", ") for entry in report.ledger]
    assert [step for step, _ in names] == sorted(
        (step for step, _ in names), key=["scale", "pca", "last"].index
    )
    assert pipeline.score(rows, labels) > 0.8
    plan = pipeline.plan(len(rows), rows.shape[1], 3)
    assert {entry.name.split(", ")[0] for entry in plan.ledger} == {
        "scale",
        "pca",
        "last",
    }


def test_public_radius_saves_the_magnitudes():
    fitted = DPStandardScaler(clip_norm=1e4, random_state=0).fit(X).privacy_
    names = [entry.name for entry in fitted.ledger]
    assert not [name for name in names if "magnitudes" in name]
