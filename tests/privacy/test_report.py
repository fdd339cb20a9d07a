"""The report in the words of another accountant."""

import math
import re

import numpy as np
import pytest
from dp_accounting import NonPrivateDpEvent, pld
from private_fits import make_data

from skdpgmm import (
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm.privacy import attack_power, epsilon_from_mu
from skdpgmm.privacy.report import meaning

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


# --------------------------------------------------------------------------
# What it means
# --------------------------------------------------------------------------

PERSON = "one person with at most 3 records, promised by the caller"


@pytest.mark.parametrize("unit", ["one record", PERSON])
def test_what_mu_means_for_a_person(unit):
    text = meaning(0.268, "add-remove", unit)
    assert unit.split(" with ")[0] in text and "is in the data" in text
    assert "5 % false alarms" in text and "at most 8.5 % of those in it" in text
    assert ("promised by the caller" in text) == (unit == PERSON)
    other = meaning(0.268, "replace-one", unit)
    assert "which of two versions" in other and "at most 8.5 %" in other


def test_the_chance_is_rounded_up():
    for mu in np.geomspace(1e-3, 10.0, 50):
        (shown,) = re.findall(
            r"at most (\S+) %", meaning(mu, "add-remove", "one record")
        )
        assert 0.0 <= float(shown) / 100.0 - attack_power(mu) < 1e-3


def test_it_is_the_first_thing_that_a_report_says():
    kmeans = DPKMeans(2, max_iter=1, adjacency="replace-one")
    report = kmeans.fit(X).privacy_
    assert str(report).splitlines()[0] == f"means      {report.meaning}"
    assert report.meaning == meaning(report.mu, "replace-one", "one record")
    plan = str(kmeans.plan(300, 2))
    assert f"would mean  {report.meaning}" in plan


@pytest.mark.parametrize("params", [{"epsilon": math.inf}, {"random_state": 0}])
def test_no_chance_is_named_where_nobody_is_protected(params):
    """And NOT PRIVATE stands first, wherever epsilon is printed."""
    kmeans = DPKMeans(2, max_iter=1, **params).fit(X)
    report, plan = kmeans.privacy_, kmeans.plan(300, 2)
    for told in (report, plan):
        assert "NOT PRIVATE" in str(told).splitlines()[0]
        assert "NOT PRIVATE" in told._repr_html_()
        assert repr(told).startswith("NOT PRIVATE")
        assert "attacker" not in str(told)
    assert "nobody is protected" in report.meaning
