"""What the caller declares as public: checked, and told."""

import numpy as np
import pytest
from private_fits import make_data
from simple_rows import rows_about

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)

N, D = 900, 4


def declared(estimator, y=None):
    X, labels = make_data(N, D)
    report = estimator.fit(X, labels if y is None else y).privacy_
    (line,) = (li for li in str(report).splitlines() if li.startswith("public"))
    assert line.split(maxsplit=1)[1] == "; ".join(
        f"{name}: {text}" for name, text in report.declared_public
    )
    return dict(report.declared_public)


def test_what_the_caller_has_declared_is_told():
    assert declared(DPKMeans(2)) == {"n_features": "4"}
    given = DPKMeans(2, clip_norm=20.0, center=np.ones(D))
    assert declared(given) == {"n_features": "4", "clip_norm": "20", "center": "given"}
    assert declared(DPLogisticRegression())["classes"] == "read off y, 3 of them"
    logistic = DPLogisticRegression(classes=[0, 1, 2, 9], X_public=np.eye(D))
    told = declared(logistic)
    assert told["classes"] == "given, 4 of them"
    assert told["X_public"] == "given, 4 x 4"
    mixture = DPGaussianMixture(2, means_init=np.zeros((2, D)), max_iter=1)
    assert declared(mixture)["means_init"] == "given, 2 x 4"


def test_what_both_fits_declare_is_told_once():
    X, _ = make_data(N, D)
    mixture = DPGaussianMixture(2, warm_start=True, max_iter=1, clip_norm=20.0)
    report = mixture.fit(X).fit(X).privacy_
    assert report.declared_public == (("n_features", "4"), ("clip_norm", "20"))


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
