"""The report in the words of another accountant."""

import math

import numpy as np
import pytest
from dp_accounting import NonPrivateDpEvent, pld
from private_fits import make_data

from skdpgmm import (
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm.privacy import PrivacyReport, epsilon_from_mu

N, D = 900, 4


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


def test_a_report_prints_repeated_rows_as_one_and_keeps_all():
    X, y = make_data(N, D)
    report = DPLogisticRegression().fit(X, y).privacy_
    names = [entry.name for entry in report.ledger if "head step" in entry.name]
    n_steps = len(names) // 2
    assert n_steps >= 20 and f"head step {n_steps - 1}: errors" in names
    lines = [line for line in str(report).splitlines() if "head step" in line]
    for line, part in zip(lines, ("gradient", "errors"), strict=True):
        assert line.startswith(f"head step 0-{n_steps - 1}: {part}")
        assert line.endswith(f"x {n_steps}")
    assert report._repr_html_().count("head step") == 2


def test_a_report_of_steps_is_that_of_all_releases():
    one = DPKMeans(2, max_iter=1, epsilon=0.5).fit(X).privacy_
    two = DPKMeans(3, max_iter=1, epsilon=0.7, random_state=0).fit(X).privacy_
    mu = math.hypot(one.mu, two.mu)
    both = PrivacyReport.of_steps({"a": one, "b": two}, epsilon_from_mu(mu, 1e-5), mu)
    assert both.spent_mu == pytest.approx(math.hypot(one.spent_mu, two.spent_mu))
    assert both.spent_epsilon <= both.epsilon
    assert [e.mu for e in both.ledger] == [e.mu for e in one.ledger + two.ledger]
    assert both.ledger[0].name == "a, norms: counts"
    assert both.ledger[-1].name.startswith("b, ")
    assert both.declared_public == (("a, n_features", "2"), ("b, n_features", "2"))
    # A seed anywhere takes the noise away.
    assert not one.seeded and both.seeded and "; then " in both.noise
    other = DPKMeans(2, adjacency="replace-one").fit(X).privacy_
    with pytest.raises(ValueError, match="adjacency must be that of the first step"):
        PrivacyReport.of_steps({"a": one, "b": other}, 1.0, 1.0)
