"""Reports tell what "auto" stood for, and from which numbers."""

import math
import re

import numpy as np
import pytest
from private_fits import make_data

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm._algorithms.view import View
from skdpgmm.privacy.report import Decision

KNOWN = {"clip_norm": 20.0, "center": np.zeros(4)}
PLAIN = {"covariance_type": "diag", "label_model": False, "normalize": False}
CASES = [
    (DPKMeans(3), ["clip_norm"]),
    (DPKMeans(3, **KNOWN), []),
    (DPLogisticRegression(), ["scale", "clip_norm", "head_steps"]),
    (
        DPGaussianMixture(3),
        ["scale", "clip_norm", "max_iter", "start", "clip_radius"],
    ),
    (DPGaussianMixture(3, max_iter=0, **KNOWN), ["start"]),
    (
        DPEmbeddingSynthesizer(),
        [
            "scale",
            "normalize",
            "clip_norm",
            "n_components",
            "covariance_type",
            "label_model",
        ],
    ),
    (DPEmbeddingSynthesizer(2, **PLAIN, **KNOWN), []),
]


def fitted(estimator, n=900, d=4):
    X, y = make_data(n, d)
    estimator.set_params(epsilon=8.0, random_state=0)
    return estimator.fit(X) if isinstance(estimator, DPKMeans) else estimator.fit(X, y)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "expected"), CASES)
def test_what_was_chosen(estimator, expected):
    report = fitted(estimator).privacy_
    whats = [decision.what for decision in report.decisions]
    assert list(dict.fromkeys(whats)) == expected
    for what, value, because in report.decisions:
        if what in ("n_components", "covariance_type", "normalize"):
            assert getattr(estimator, f"{what}_") == value
        assert because
        assert all(isinstance(x, int | float | str) for x in because.values())
        assert re.search(rf"^decided +{what} ", str(report), re.M)
    assert report._repr_html_().count("<th>decided</th>") == len(whats)
    assert "decisions" not in repr(report)


@pytest.mark.filterwarnings("ignore")
def test_no_number_is_counted_without_noise():
    """The noisy number of records is the released one."""
    for seed in range(3):
        mixture = DPGaussianMixture(3, random_state=seed)
        (decision,) = (
            decision
            for decision in mixture.fit(make_data(900, 4)[0]).privacy_.decisions
            if decision.what == "max_iter"
        )
        assert decision.because["noisy_n"] != 900
    # No noise, nothing to hide.
    mixture = DPGaussianMixture(3, epsilon=math.inf).fit(make_data(900, 4)[0])
    assert mixture.privacy_.decisions[0].because["noisy_n"] == 900


@pytest.mark.filterwarnings("ignore")
def test_a_fit_that_goes_on_tells_all():
    mixture = DPGaussianMixture(3, warm_start=True, random_state=0)
    X, _ = make_data(900, 4)
    first = mixture.fit(X).privacy_.decisions
    both = mixture.fit(X).privacy_.decisions
    assert both[: len(first)] == first
    assert ("start", "known") in [decision[:2] for decision in both[len(first) :]]


def test_as_text():
    because = {"noisy_n": 1234.5678, "d": 384, "mu": 0.27}
    decision = Decision("covariance_type", "tied", because)
    assert str(decision) == 'covariance_type "tied" (noisy_n=1234.6, d=384, mu=0.27)'
    assert str(Decision("label_model", True, {"d": 2})) == "label_model True (d=2)"


def test_what_is_decided_again_is_noted_when_it_differs():
    view = View(None, None, None)
    for value in (1.0, 1.0, 2.0, 2.0, 1.0):
        assert view.decide(Decision("clip_radius", value, {})) == value
        assert view.decide(Decision("other", 0, {})) == 0
    noted = [d.value for d in view.decisions if d.what == "clip_radius"]
    assert noted == [1.0, 2.0, 1.0]
    assert len(view.decisions) == 4
    assert view.counted(3).through(None).decisions is view.decisions
