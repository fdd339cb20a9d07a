"""What fits debit: never too much, nearly all of it, and before anything happens."""

import inspect
import math

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
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm.privacy import BudgetExceededError, Ledger, mu_from_epsilon, unit_factor
from skdpgmm.privacy.bounded_sum import parts
from skdpgmm.privacy.grid import HOST, Ball
from skdpgmm.privacy.noise import GaussianSource
from skdpgmm.privacy.records import PrivateRecords

pytestmark = [
    # Without noise a fit may say, as in scikit-learn, that it has not met tol.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings(
        "ignore::skdpgmm.exceptions.UnenforcedContributionsWarning"
    ),
]

CASES = sorted(release_cases(3))
GRID = [
    pytest.param({"epsilon": 0.3}, id="small"),
    pytest.param({"epsilon": 8.0, "delta": 1e-7, "clip_norm": 20.0}, id="clip"),
    pytest.param(
        {"epsilon": 1e6, "adjacency": "replace-one", "max_contributions": 3},
        id="replace-three",
    ),
]


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    """Reductions fit draws from released mixtures; how many plays no part here."""
    monkeypatch.setattr("skdpgmm._models.reduction.N_DRAWS", 300)


@pytest.mark.parametrize("d", [3, 40])
@pytest.mark.parametrize("params", GRID)
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
    spent = math.fsum(entry.mu**2 for entry in report.ledger)
    assert spent <= mu**2
    assert report.spent_epsilon <= params["epsilon"]
    assert spent >= 0.99 * mu**2

    # One row a part, of the shape and with the noise that was released.
    m = params.get("max_contributions", 1)
    factor = unit_factor(params.get("adjacency", "add-remove"), m)
    rows = iter(report.ledger)
    for call in tape.calls:
        assert call.unit_factor == factor
        for part, part_mu, released in zip(
            parts(call.query), call.mus, call.releases, strict=True
        ):
            entry = next(rows)
            assert entry.name == f"{call.name}: {part.name}"
            assert entry.shape == released.value.shape
            assert entry.mu == part_mu > 0.0
            assert entry.noise_multiplier == 1.0 / entry.mu
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


class Watched:
    """Rows that note when they are read."""

    def __init__(self, X, events):
        self.X, self.events, self.shape = X, events, X.shape

    def __getitem__(self, rows):
        self.events.append("read")
        return self.X[rows]


class WatchedLedger(Ledger):
    def __init__(self, mu, events):
        super().__init__(mu)
        self.events = events

    def debit(self, entries):
        super().debit(entries)
        self.events.append("debit")


class WatchedSource:
    def __init__(self, source, events):
        self.source, self.events = source, events

    def standard_normal(self, shape):
        self.events.append("draw")
        return self.source.standard_normal(shape)


def watched_records(mu):
    events = []
    ledger = WatchedLedger(mu, events)
    source = WatchedSource(GaussianSource(0), events)
    records = PrivateRecords(
        ArrayRows(Watched(np.ones((10, 2)), events)),
        ledger=ledger,
        unit_factor=1,
        source=source,
    )
    return records, events, ledger, source


def a_query():
    center = np.zeros((1, 2))
    cell = NearestCell(center, np.zeros(1, dtype=np.intp))
    return CellMoments(
        Ball(np.zeros(2), 2.0), cell, center, np.ones(1), ("count", "sum")
    )


def test_debit_comes_before_reading_and_drawing():
    records, events, *_ = watched_records(1.0)
    records.release("first", a_query(), [0.5, 0.5])
    assert events == ["debit", "read", "draw", "draw"]


def test_refused_release_reads_and_draws_nothing():
    records, events, ledger, _ = watched_records(1.0)
    with pytest.raises(BudgetExceededError):
        # The first part alone would fit: all or nothing.
        records.release("too much", a_query(), [0.5, 0.9])
    assert events == []
    assert ledger.entries == []
    records.release("fits", a_query(), [0.6, 0.7])
    assert [e.name for e in ledger.entries] == ["fits: counts", "fits: sums"]


def test_failed_release_stays_debited():
    # Noise that may have been drawn is paid for, whatever happened after it.
    records, _, ledger, source = watched_records(1.0)
    source.source = None
    with pytest.raises(AttributeError):
        records.release("fails", a_query(), [0.5, 0.5])
    assert ledger.spent_mu == pytest.approx(math.sqrt(0.5))


@pytest.mark.parametrize("mus", [[0.5], [0.1, 0.1, 0.1]])
def test_every_part_needs_its_budget(mus):
    records, events, ledger, _ = watched_records(1.0)
    with pytest.raises(ValueError):
        records.release("wrong number", a_query(), mus)
    assert events == []
    assert ledger.entries == []


@pytest.mark.parametrize("mu", [0.0, -0.5, math.nan, None])
def test_part_without_budget_cannot_be_released(mu):
    records, events, *_ = watched_records(1.0)
    with pytest.raises(ValueError, match="mu of the release 'free'"):
        records.release("free", a_query(), [0.5, mu])
    assert events == []


def attributes_of(obj):
    """Everything that a name leads to, without looking into functions."""
    for name in dir(obj):
        if not name.startswith("__"):
            yield getattr(obj, name)


def test_no_attribute_leads_to_the_rows():
    X = np.ones((10, 2))
    rows, ledger, source = ArrayRows(X), Ledger(1.0), GaussianSource(0)
    records = PrivateRecords(rows, ledger=ledger, unit_factor=1, source=source)
    assert not hasattr(records, "__dict__")
    found = list(attributes_of(records))
    assert len(found) == 2
    for method in found:
        assert inspect.isfunction(method)
        for secret in (X, rows, ledger, source):
            assert not any(x is secret for x in attributes_of(method))


@pytest.mark.parametrize("name", PLAIN_CASES)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_buffer_keeps_records(name, n_jobs):
    X, y = make_data(300, 4)
    make, labelled = fit_cases(4)[name]
    fit(make(n_jobs=n_jobs), X, y, labelled)
    assert not HOST._buffers
    HOST.buffer((3, 4))[:] = 1.0
    assert HOST._buffers  # as it would be
    HOST.forget()


@pytest.mark.parametrize("unit_factor", [2**31, 2**20])
def test_noise_that_cannot_be_drawn_is_refused_before_anything_is_read(unit_factor):
    with pytest.raises(ValueError, match="max_contributions is too large"):
        PrivateRecords(
            ArrayRows(np.ones((10, 2))),
            ledger=Ledger(1e-10),
            unit_factor=unit_factor,
            source=GaussianSource(0),
        )


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
