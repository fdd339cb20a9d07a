"""Plans are what fits release, and never spend more than there is."""

import math

import pytest
from private_fits import N_CLASSES, fit_cases, make_data

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPSyntheticClassifier,
    DPSyntheticResampler,
)

N, D = 900, 4


CASES = fit_cases(D)


WRAPPERS = (DPSyntheticClassifier, DPSyntheticResampler)


def planned(estimator, n, d=D, labelled=False):
    return estimator.plan(n, d, N_CLASSES if labelled else None)


def what_counts(entry):
    """What no choice by released numbers can change of a release that is made."""
    cells = "codebook" in entry.name or "over-fit" in entry.name
    cells = cells or entry.name.startswith("cells")
    shape = None if cells else entry.shape
    return entry.name, shape, entry.l2_sensitivity


def without_steps(ledger):
    return [what_counts(e) for e in ledger if not e.name.startswith("head step")]


@pytest.mark.parametrize("name", CASES)
def test_a_plan_is_what_the_fit_releases(name):
    make, labelled = CASES[name]
    X, y = make_data(N, D)
    report = make(epsilon=20.0, random_state=0).fit(X, y if labelled else None).privacy_
    plan = planned(make(epsilon=20.0), N, labelled=labelled)
    assert without_steps(plan.ledger) == without_steps(report.ledger)
    assert plan.mu == report.mu
    assert plan.spent_mu == pytest.approx(report.spent_mu, rel=1e-9)
    # The number of steps follows from a released moment, and each has its share.
    steps, planned_steps = (
        [e.mu for e in one.ledger if e.name.startswith("head step")]
        for one in (report, plan)
    )
    assert math.hypot(*planned_steps) == pytest.approx(math.hypot(*steps))
    others = ({e.name: e.mu for e in one.ledger} for one in (report, plan))
    for first, second in zip(*map(dict.items, others), strict=False):
        if first[0] == second[0] and "head step" not in first[0]:
            # What depends on a noisy count may differ a little.
            assert first[1] == pytest.approx(second[1], rel=0.05), first[0]


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 1e3, math.inf])
@pytest.mark.parametrize(
    "name", ["kmeans", "mixture-auto", "synthesizer-1", "logistic"]
)
def test_no_plan_spends_more_than_there_is(name, epsilon):
    make, labelled = CASES[name]
    for n in (3, 10_000, 10**9 if epsilon == 1.0 and "mixture" not in name else 10**4):
        plan = planned(make(epsilon=epsilon), n, labelled=labelled)
        assert plan.spent_mu <= plan.mu
        assert len(plan.noise_sd) == len(plan.ledger)
        assert all(sd >= 0.0 for sd in plan.noise_sd)


@pytest.mark.parametrize("cls", WRAPPERS)
def test_a_wrapper_plans_what_its_synthesizer_releases(cls):
    synthesizer = DPEmbeddingSynthesizer(epsilon=2.0)
    plan = cls(synthesizer).plan(N, D, N_CLASSES)
    assert plan == synthesizer.plan(N, D, N_CLASSES)
    assert cls().plan(N, D, 2) == DPEmbeddingSynthesizer().plan(N, D, 2)
    named = DPEmbeddingSynthesizer(classes=["a", "b", "c"])
    assert cls(named).plan(N, D).ledger == cls(named).plan(N, D, 3).ledger
    with pytest.raises(ValueError, match="n_classes must be given"):
        cls().plan(N, D)
    with pytest.raises(ValueError, match="n_samples must be an integer"):
        cls().plan(0, D, 2)


class Unplanned(DPEmbeddingSynthesizer):
    plan = property()


@pytest.mark.parametrize("cls", WRAPPERS)
def test_a_synthesizer_that_cannot_plan(cls):
    with pytest.raises(TypeError, match="must have a method plan"):
        cls(Unplanned()).plan(N, D, 2)
