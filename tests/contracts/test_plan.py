"""A plan is the fit itself, of records that are not there."""

import math
import warnings

import numpy as np
import pytest
from numpydoc.validate import validate
from private_fits import N_CLASSES, fit_cases, fitted_state, make_data

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
    DPSyntheticResampler,
)
from skdpgmm.privacy import LedgerEntry, PrivacyPlan, PrivacyReport
from skdpgmm.privacy.report import repeated

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


def test_noise_is_in_the_units_of_the_data():
    plan = DPKMeans(1, clip_norm=20.0, max_iter=1, adjacency="replace-one").plan(99, 3)
    count, sums = plan.ledger
    assert plan.noise_sd == pytest.approx((2.0 / count.mu, 2.0 * 20.0 / sums.mu))
    assert "at a distance of clip_norm" in plan.records


@pytest.mark.parametrize("name", ["kmeans", "mixture-means", "synthesizer-1"])
def test_a_plan_changes_nothing_and_warns_of_nothing(name):
    make, labelled = CASES[name]
    state = np.random.RandomState(0)
    estimator = make(random_state=state)
    before = dict(vars(estimator))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = planned(estimator, 50, labelled=labelled)
        make(random_state=3).plan(50, D, N_CLASSES if labelled else None)
        again = planned(estimator, 50, labelled=labelled)
    assert vars(estimator) == before and fitted_state(estimator) == {}
    assert first == again
    assert state.randint(1000) == np.random.RandomState(0).randint(1000)


def test_a_plan_of_a_fitted_estimator_leaves_its_fit():
    X, _ = make_data(N, D)
    mixture = DPGaussianMixture(2, warm_start=True, max_iter=1).fit(X)
    before = dict(vars(mixture))
    names = {entry.name for entry in mixture.plan(N, D).ledger}
    # It goes on from the earlier fit.
    assert not any(name.startswith("codebook") for name in names)
    assert vars(mixture) == before


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


BAD = [
    (DPKMeans(), (0, 3), "n_samples must be an integer of at least 1"),
    (DPKMeans(), (1.5, 3), "n_samples must be"),
    (DPKMeans(), (True, 3), "n_samples must be"),
    (DPKMeans(), (2**31 + 1, 3), "n_samples must be .* at most 2147483648"),
    (DPKMeans(), (9, 0), "n_features must be an integer of at least 1"),
    (DPKMeans(), (9, -1), "n_features must be"),
    (DPKMeans(), (9, 3, 2), "n_classes must be None, as DPKMeans takes no labels"),
    (DPGaussianMixture(), (9, 3, 2), "n_classes must be None"),
    (DPLogisticRegression(), (9, 3), "n_classes must be given"),
    (DPLogisticRegression(), (9, 3, 1), "at least two classes"),
    (DPLogisticRegression(), (9, 3, 0), "n_classes must be an integer of at least 1"),
    (DPEmbeddingSynthesizer(classes=[1, 2]), (9, 3, 3), "n_classes must be that of"),
    (DPKMeans(center=np.zeros(4)), (9, 3), "center must have shape"),
    (DPEmbeddingSynthesizer(X_public=np.ones((5, 4))), (9, 3), "must have 3 features"),
    (DPKMeans(epsilon=-1.0), (9, 3), "'epsilon' parameter"),
    (DPKMeans(10**12), (9, 3), "GB of memory"),
]


@pytest.mark.parametrize("estimator, given, message", BAD)
def test_what_cannot_be_planned(estimator, given, message):
    with pytest.raises(ValueError, match=message):
        estimator.plan(*given)


def test_a_plan_decides_nothing_by_where_the_records_are():
    plan = DPEmbeddingSynthesizer().plan(20_000, 40, 3)
    decided = {decision.what: decision.value for decision in plan.decisions}
    assert decided["label_model"] is True and decided["n_components"] == 1
    assert not decided.keys() & {"clip_norm", "normalize"}
    assert "decided     n_components 1" in str(plan)


def test_a_plan_is_no_report():
    plan = DPKMeans(2, epsilon=0.5).plan(20, 3)
    assert not isinstance(plan, PrivacyReport) and not hasattr(plan, "epsilon_spent")
    for text in (str(plan), repr(plan), plan._repr_html_()):
        assert "would spend" in text and "guarantee" not in text
    assert "no record was seen" in str(plan) and "no record was seen" in (
        plan._repr_html_()
    )
    assert isinstance(plan, PrivacyPlan)
    # So few records are not to be heard.
    assert any("cannot be told from noise" in doubt for doubt in plan.doubts)
    assert str(plan).count("\ndoubt") == len(plan.doubts)


@pytest.mark.parametrize("cls", [DPKMeans, DPSyntheticClassifier])
def test_the_docstring_of_plan(cls):
    errors = validate(f"skdpgmm.{cls.__name__}.plan")["errors"]
    ignored = {"ES01", "EX01", "SA01", "GL01", "RT02", "GL03", "PR06"}
    assert not [error for error in errors if error[0] not in ignored]
    assert "{" not in cls.plan.__doc__


# --------------------------------------------------------------------------
# Rows that repeat
# --------------------------------------------------------------------------


def entries(*names, mu=0.5):
    return [LedgerEntry(name, (2,), 1.0, 1.0 / mu, mu) for name in names]


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


# --------------------------------------------------------------------------
# What is declared
# --------------------------------------------------------------------------


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
