"""What fits debit: never too much, nearly all of it, and before anything happens."""

import math
import re

import numpy as np
import pytest
from private_fits import (
    PLAIN_CASES,
    fit,
    fit_cases,
    fitted_state,
    make_data,
    release_cases,
)
from tapes import Tape

from skdpgmm import DPGaussianMixture, DPKMeans
from skdpgmm._rows.host import HOST
from skdpgmm.privacy import BudgetExceededError, Ledger, mu_from_epsilon, unit_factor
from skdpgmm.privacy.bounded_sum import parts

pytestmark = [
    # Without noise a fit may say, as in scikit-learn, that it has not met tol.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings(
        "ignore::skdpgmm.exceptions.UnenforcedContributionsWarning"
    ),
]

CASES = sorted(release_cases(3))
SMALL = {"epsilon": 0.3}
CLIPPED = {"epsilon": 8.0, "delta": 1e-7, "clip_norm": 20.0}
OF_PERSONS = {"epsilon": 1e6, "adjacency": "replace-one", "max_contributions": 3}


@pytest.mark.parametrize(
    ("params", "d"), [(SMALL, 3), (CLIPPED, 3), (OF_PERSONS, 3), (OF_PERSONS, 40)]
)
@pytest.mark.parametrize("name", CASES)
def test_budget_is_spent_and_not_exceeded(name, params, d, monkeypatch):
    X, y = make_data(300, d)
    constructor, labelled = release_cases(d)[name]
    tape = Tape(monkeypatch)
    tape.record()
    estimator = fit(constructor(random_state=0, **params), X, y, labelled)
    report = estimator.privacy_

    mu = mu_from_epsilon(params["epsilon"], params.get("delta", 1e-5))
    assert report.mu == mu
    if name.startswith("search"):  # whose parts test_parts.py has
        spent = report.spent_mu**2
    else:
        spent = math.fsum(entry.mu**2 for entry in report.ledger)
    assert spent <= mu**2
    assert report.spent_epsilon <= params["epsilon"]
    assert spent >= 0.99 * mu**2

    # One row a part, of the shape and with the noise that was released.
    m = params.get("max_contributions", 1)
    unit = params.get("adjacency", "add-remove"), m
    rows = iter(report.ledger)
    for call in tape.calls:
        assert call.unit == unit
        for part, part_mu, released in zip(
            parts(call.query), call.mus, call.releases, strict=True
        ):
            entry = next(rows)
            # A pipeline says of which step it is.
            own = re.sub("^(refit|step[01]), ", "", entry.name).partition(", ")
            assert f"{call.name}: {part.name}" in (entry.name, own[0], own[2])
            assert entry.shape == released.value.shape
            assert entry.mu == part_mu > 0.0
            assert entry.noise_multiplier == 1.0 / entry.mu
            factor = unit_factor(*unit, acute=part.acute)
            assert entry.l2_sensitivity == factor * part.l2_sensitivity
            sd = entry.l2_sensitivity * entry.noise_multiplier * part.scale
            np.testing.assert_allclose(released.sd, sd, rtol=1e-12)
    assert next(rows, None) is None


def test_known_start_of_the_plain_method_costs_its_ball_only():
    # Means and precisions are public and there is no pass: nothing is left to ask.
    X, _ = make_data(300, 3)
    start = {"means_init": X[:2].copy(), "precisions_init": np.ones(2)}
    mixture = DPGaussianMixture(
        2, max_iter=0, covariance_type="spherical", clip_norm=20.0, **start
    ).fit(X)
    assert mixture.privacy_.ledger == ()
    assert mixture.privacy_.spent_epsilon == 0.0


@pytest.mark.parametrize("name", CASES)
def test_no_noise_when_epsilon_is_infinite(name):
    X, y = make_data(300, 3)
    constructor, labelled = release_cases(3)[name]
    report = fit(constructor(epsilon=math.inf), X, y, labelled).privacy_
    assert report.spent_epsilon == math.inf
    assert {entry.noise_multiplier for entry in report.ledger} == {0.0}


def test_public_facts_of_the_report():
    X, _ = make_data(100, 3)
    fitted = DPKMeans(
        1, epsilon=2.0, delta=1e-6, adjacency="replace-one", max_contributions=4
    ).fit(X)
    report = fitted.privacy_
    assert (report.epsilon, report.delta) == (2.0, 1e-6)
    assert report.adjacency == "replace-one"
    assert report.unit == "one person with at most 4 records, promised by the caller"
    assert "operating system" in report.noise
    seeded = DPKMeans(1, random_state=0).fit(X).privacy_
    assert "seeded by random_state=0" in seeded.noise
    assert seeded.not_private and report.not_private is None
    assert seeded.unit == "one record"


# --------------------------------------------------------------------------
# Privacy ids
# --------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("name", ["kmeans", "mixture-full", "synthesizer-1"])
@pytest.mark.parametrize("named", [False, True])
def test_ids_keep_at_most_m_records_of_each(name, m, named, monkeypatch):
    n = 400
    X, y = make_data(n, 3)
    ids = np.random.default_rng(0).zipf(1.6, size=n)  # few large, many small
    sizes = np.unique(ids, return_counts=True)[1]
    assert sizes.max() > 5 > sizes.min() == 1
    if named:
        ids = np.array([f"person {i}" for i in ids])
    constructor, labelled = release_cases(3)[name]
    tape = Tape(monkeypatch)
    tape.record()
    estimator = constructor(epsilon=math.inf, max_contributions=m, block_size=64)
    fit(estimator, X, y, labelled, privacy_ids=ids)
    expected = int(np.minimum(sizes, m).sum())
    totals = {
        call.name: released.value.sum()
        for call in tape.calls
        for part, released in zip(parts(call.query), call.releases, strict=True)
        if part.name == "counts"
    }
    # The first histogram counts every record that takes part.
    assert totals["norms"] == expected < n
    for total in totals.values():
        np.testing.assert_allclose(total, expected, rtol=1e-12)


def test_records_beyond_the_bound_have_no_influence():
    X, _ = make_data(300, 3)
    ids = np.arange(300) // 3
    beyond = np.arange(300) % 3 == 2
    changed = X.copy()
    changed[beyond] = 1e6
    fits = [
        DPKMeans(2, epsilon=math.inf, max_contributions=2, random_state=0).fit(
            data, privacy_ids=ids
        )
        for data in (X, changed)
    ]
    np.testing.assert_array_equal(*(f.cluster_centers_ for f in fits))
    # ... and without the bound they have.
    unbounded = DPKMeans(2, epsilon=math.inf, random_state=0).fit(changed)
    assert not np.array_equal(unbounded.cluster_centers_, fits[0].cluster_centers_)


@pytest.mark.parametrize(
    "ids", [np.zeros((300, 1)), np.zeros(299), np.full(300, np.nan)]
)
def test_bad_ids_are_refused(ids):
    X, _ = make_data(300, 3)
    with pytest.raises(ValueError, match="privacy_ids"):
        DPKMeans(2).fit(X, privacy_ids=ids)


# --------------------------------------------------------------------------
# Debit comes first
# --------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLAIN_CASES)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_buffer_keeps_records(name, n_jobs):
    X, y = make_data(300, 4)
    make, labelled = fit_cases(4)[name]
    fit(make(n_jobs=n_jobs), X, y, labelled)
    assert not HOST._buffers
    HOST.scratch((3, 4), "rows")[:] = 1.0
    assert HOST._buffers  # as it would be
    HOST.forget()


@pytest.mark.parametrize("refused", [0, 1, 4])
@pytest.mark.parametrize("name", ["kmeans", "mixture-full", "synthesizer-1"])
def test_refused_fit_leaves_the_estimator_as_it_was(name, refused, monkeypatch):
    X, y = make_data(300, 3)
    constructor, labelled = release_cases(3)[name]
    estimator = constructor(random_state=0)
    debit, calls = Ledger.debit, []

    def refusing(ledger, entries):
        calls.append(ledger)
        if len(calls) > refused:
            raise BudgetExceededError
        debit(ledger, entries)

    monkeypatch.setattr(Ledger, "debit", refusing)
    with pytest.raises(BudgetExceededError):
        fit(estimator, X, y, labelled)
    assert len(calls) == refused + 1
    assert fitted_state(estimator) == {}
