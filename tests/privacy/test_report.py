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
from skdpgmm.privacy import LedgerEntry, epsilon_from_mu
from skdpgmm.privacy.report import repeated

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


def entries(*names, mu=0.5):
    return [LedgerEntry(name, (2,), 1.0, mu) for name in names]


def shown(ledger):
    return [(row.name, row.times) for row in repeated(ledger)]


def test_rows_that_repeat_are_one():
    steps = entries(*(f"head step {i}: gradient" for i in range(60)))
    assert shown(steps) == [("head step 0-59: gradient", 60)]
    passes = [f"pass {i}: {part}" for i in (3, 4) for part in ("counts", "sums")]
    assert shown(entries("radius: counts", *passes)) == [
        ("radius: counts", 1),
        ("pass 3-4: counts", 2),
        ("pass 3-4: sums", 2),
    ]


def test_rows_that_differ_stay_apart():
    apart = [
        entries("pass 0: sums", "pass 2: sums"),
        entries("pass 1: sums", "pass 0: sums"),
        entries("pass 0: sums") + entries("pass 1: sums", mu=0.25),
        entries("pass 0: sums", "step 1: sums"),
        entries("pass 0: sums", "pass 1: counts"),
        entries("pass 0: sums", "pass 1: sums", "pass 1: counts"),
        entries("norms: counts", "norms again: counts"),
    ]
    for ledger in apart:
        assert shown(ledger) == [(entry.name, 1) for entry in ledger]
    assert shown([]) == []


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
