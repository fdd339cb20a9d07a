"""Plans are what fits release, and never spend more than there is.

A plan at the number of records that a fit has found is its ledger, to the last digit
but for what follows from other released numbers.
"""

import math

import pytest
from private_fits import N_CLASSES, fit_cases, make_data
from pytest import approx

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


# What of a release follows from other released numbers than that of the records: which
# releases, what of them, and from which numbers.
FOLLOWS = {
    "scale look": ({"name", "shape", "mu"}, "features that are not resolved yet"),
    "head step": (
        {"name", "mu", "shape"},
        "steps and random features, from the second moment",
    ),
    "codebook": ({"shape"}, "cells that are split, from counts and energies"),
    "cells": ({"shape"}, "cells that were split"),
    "over-fit pass": ({"shape", "mu"}, "cells that are clear, and their counts"),
    "pass": ({"mu"}, "its clip, from the counts of the pass before"),
    "center again": ({"name"}, "how far the mean is, beside its noise"),
    "radius again": ({"name"}, "as for the mean"),
}


def kind_of(name):
    """Return the name of a release without its number and part."""
    return name.split(":")[0].rstrip("0123456789 ")


def fit_and_plan(name, n, d, epsilon, offset):
    """Return the ledgers of a fit, and of the plan at the number that it has found."""
    make, labelled = fit_cases(d)[name]
    X, y = make_data(n, d, offset=offset)
    fitted = make(epsilon=epsilon, random_state=0).fit(X, y if labelled else None)
    known = [decision.because for decision in fitted.privacy_.decisions]
    found = [because["noisy_n"] for because in known if "noisy_n" in because]
    # Noise is added to integers. Where no number is released, none is looked at.
    n_found = int(found[0]) if found else 7
    assert not found or n_found == found[0]
    plan = planned(make(epsilon=epsilon), n_found, d, labelled)
    return fitted.privacy_, plan


def what_is_left(report, plan):
    """Return the share that looks again have left for what comes last."""
    last = report.ledger[-1].name.split(":")[0]
    mus = [
        [e.mu for e in one.ledger if e.name.split(":")[0] == last]
        for one in (report, plan)
    ]
    return math.hypot(*mus[0]) / math.hypot(*mus[1])


def first_after_scale(one):
    """Return the budget of the first release that is not about scales."""
    about = ("unit norms", "scale")
    return next((e.mu for e in one.ledger if not e.name.startswith(about)), 1.0)


def differences(report, plan):
    """Return what differs: kinds of releases, and what of them."""
    found = set()
    ledgers = [{e.name: e for e in one.ledger} for one in (report, plan)]
    found |= {(kind_of(n), "name") for n in ledgers[0].keys() ^ ledgers[1].keys()}
    left = what_is_left(report, plan) if ("center again", "name") in found else 1.0
    shares, rel = [1.0, left], 1e-12
    if any(name.startswith("scale") for name in ledgers[0]):
        # What looks at scales have left is shared out, and then what looks at means do.
        after_scale = first_after_scale(report) / first_after_scale(plan)
        shares, rel = [1.0, after_scale, what_is_left(report, plan)], 1e-9
    for name in ledgers[0].keys() & ledgers[1].keys():
        one, other = (ledger[name] for ledger in ledgers)
        assert one.l2_sensitivity == other.l2_sensitivity
        if one.shape != other.shape:
            found.add((kind_of(name), "shape"))
        if one.mu not in [approx(share * other.mu, rel=rel) for share in shares]:
            found.add((kind_of(name), "mu"))
    # In one order.
    both = [
        [n for n in ledger if n in ledgers[1 - i]] for i, ledger in enumerate(ledgers)
    ]
    assert both[0] == both[1]
    return found


@pytest.mark.parametrize(
    "setting", [(900, 4, 20.0, 0.0), (400, 40, 3.0, 50.0)], ids=["near", "far"]
)
@pytest.mark.parametrize("name", CASES)
def test_a_plan_is_what_the_fit_releases(name, setting):
    report, plan = fit_and_plan(name, *setting)
    follows = {(kind, what) for kind, (some, _) in FOLLOWS.items() for what in some}
    assert differences(report, plan) <= follows
    assert plan.mu == report.mu
    # Both spend all that they have, but for a share that no further look has needed.
    spends = [one.spent_mu for one in (report, plan)]
    assert spends[0] == approx(spends[1], rel=1e-9)
    # Steps share what they have, however many there are.
    steps = [
        math.hypot(*(e.mu for e in one.ledger if kind_of(e.name) == "head step"))
        for one in (report, plan)
    ]
    assert steps[0] == approx(what_is_left(report, plan) * steps[1])


EXAMPLES = [
    ("scale look", "mixture-scaled", (5000, 4, 20.0, 1000.0)),
    ("head step", "logistic", (3000, 40, 5.0, 0.0)),
    ("codebook", "mixture-plain", (900, 4, 20.0, 0.0)),
    ("cells", "mixture-full", (300, 3, 3.0, 0.0)),
    ("over-fit pass", "mixture-spherical", (900, 3, 20.0, 0.0)),
    ("pass", "mixture-auto", (5000, 4, 4.0, 0.0)),
    ("center again", "kmeans", (400, 40, 3.0, 50.0)),
    ("radius again", "kmeans", (400, 40, 3.0, 50.0)),
]


@pytest.mark.parametrize("kind, name, setting", EXAMPLES)
def test_what_follows_from_other_releases_does_differ(kind, name, setting):
    assert kind in {kind for kind, _ in differences(*fit_and_plan(name, *setting))}


def test_there_is_an_example_of_all_that_follows():
    assert [kind for kind, *_ in EXAMPLES] == list(FOLLOWS)


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
