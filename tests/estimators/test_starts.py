"""A fit that goes on from another one: what it leaves is a function of both."""

import math

import numpy as np
import pytest
from private_fits import fitted_state, make_data

from skdpgmm import DPGaussianMixture
from skdpgmm.privacy import epsilon_from_mu

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings(
        "ignore::skdpgmm.exceptions.UnenforcedContributionsWarning"
    ),
]

X, _ = make_data(300, 3)


def warm(n_components=2, **params):
    params = {"max_iter": 1, "warm_start": True, **params}
    return DPGaussianMixture(n_components, **params)


def test_the_report_is_of_all_fits_together():
    mixture = warm(epsilon=1.0).fit(X)
    first = mixture.privacy_
    second = mixture.set_params(epsilon=2.0).fit(X).privacy_
    third = mixture.set_params(epsilon=0.5).fit(X).privacy_
    assert [report.n_fits for report in (first, second, third)] == [1, 2, 3]
    assert second.mu > first.mu and third.mu > second.mu
    for report in (second, third):
        assert report.epsilon == epsilon_from_mu(report.mu, report.delta)
        assert report.spent_mu == pytest.approx(report.mu)
        assert report.spent_mu <= report.mu
    # More than the last was asked for, and less than the sum.
    assert 2.0 < second.epsilon < third.epsilon < 3.5
    of_fits = [{e.name.split(",")[0] for e in r.ledger} for r in (second, third)]
    assert of_fits == [{"fit 1", "fit 2"}, {"fit 1", "fit 2", "fit 3"}]
    assert third.ledger[: len(second.ledger)] == second.ledger
    assert "fit 1, norms: counts" in str(third)


@pytest.mark.parametrize("epsilons", [(math.inf, 1.0), (1.0, math.inf)])
def test_a_fit_without_noise_spoils_what_follows(epsilons):
    mixture = warm()
    for epsilon in epsilons:
        mixture.set_params(epsilon=epsilon).fit(X)
    assert mixture.privacy_.epsilon == mixture.privacy_.spent_epsilon == math.inf
    assert "NOT PRIVATE" in str(mixture.privacy_)


def test_without_warm_start_the_report_is_of_the_last():
    mixture = warm(epsilon=math.inf).fit(X)
    mixture.set_params(epsilon=1.0, warm_start=False).fit(X)
    assert mixture.privacy_.epsilon == 1.0 and mixture.privacy_.n_fits == 1


@pytest.mark.parametrize(
    "params, data, message",
    [
        ({}, X[:, :2], "n_features"),
        ({"n_components": 3}, X, "n_components"),
        # Of the same shape, when there are as many components as features.
        ({"covariance_type": "diag"}, X[:, :2], "covariance_type"),
        ({"delta": 1e-6}, X, "delta must be the same in all fits"),
        ({"adjacency": "replace-one"}, X, "adjacency must be the same in all fits"),
        ({"max_contributions": 2}, X, "unit must be the same in all fits"),
    ],
    ids=lambda value: None if isinstance(value, np.ndarray) else str(value),
)
def test_what_cannot_go_on_is_refused_before_anything_is_spent(params, data, message):
    first = X if data is X or not params else X[:, :2]
    mixture = warm(covariance_type="tied").fit(first)
    before = fitted_state(mixture)
    with pytest.raises(ValueError, match=message) as caught:
        mixture.set_params(**params).fit(data)
    assert not hasattr(caught.value, "privacy_")
    assert fitted_state(mixture) == before
