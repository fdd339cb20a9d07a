"""The report in the words of another accountant."""

import math

import numpy as np
import pytest
from dp_accounting import NonPrivateDpEvent, pld

from skdpgmm import DPGaussianMixture, DPKMeans
from skdpgmm.privacy import epsilon_from_mu

X = np.random.default_rng(0).standard_normal((300, 2))


@pytest.mark.parametrize("epsilon, delta", [(1.0, 1e-5), (4.0, 1e-6)])
def test_another_accountant_finds_the_same_epsilon(epsilon, delta):

    report = DPKMeans(2, max_iter=2, epsilon=epsilon, delta=delta).fit(X).privacy_
    accountant = pld.PLDAccountant(value_discretization_interval=1e-4)
    accountant.compose(report.dp_event())
    # Its losses are rounded up to multiples of that interval.
    assert abs(accountant.get_epsilon(delta) - report.spent_epsilon) < 1e-6 * epsilon


def test_a_part_of_the_releases_costs_less():
    report = DPKMeans(2, max_iter=1).fit(X).privacy_
    event = report.dp_event()
    assert len(event.events) == len(report.ledger)
    multipliers = [one.noise_multiplier for one in event.events]
    mu = math.sqrt(sum(1.0 / m**2 for m in multipliers))
    assert epsilon_from_mu(mu, report.delta) == pytest.approx(report.spent_epsilon)
    dropped = math.sqrt(mu**2 - 1.0 / multipliers[0] ** 2)
    assert epsilon_from_mu(dropped, report.delta) < report.spent_epsilon


def test_without_noise_nothing_is_private():
    mixture = DPGaussianMixture(1, epsilon=math.inf, max_iter=0)
    event = mixture.fit(X[:50]).privacy_.dp_event()
    assert set(map(type, event.events)) == {NonPrivateDpEvent}
