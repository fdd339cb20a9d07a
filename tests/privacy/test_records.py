"""The holder of the records: debit comes first, and no attribute leads to them."""

import inspect
import math
import re

import numpy as np
import pytest
from views import ONE_RECORD

from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.blocks import widen
from skdpgmm.privacy import BudgetExceededError, Ledger, LedgerEntry
from skdpgmm.privacy.bounded_sum import Part, parts
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.noise import GaussianSource
from skdpgmm.privacy.records import (
    CHANGED_ROWS,
    PrivateRecords,
    add_noise,
    exact_sums,
)


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
        **ONE_RECORD,
        source=source,
    )
    return records, events, ledger, source


def a_query():
    center = np.zeros((1, 2))
    cell = NearestCell(center, np.zeros(1, dtype=np.intp))
    return CellMoments(
        Ball(np.zeros(2), 2.0), cell, center, np.ones(1), ("count", "sum")
    )


def holder(n_rows=1, mu=1.0, adjacency="add-remove", max_contributions=1):
    rows = type("Rows", (), {"n_rows": n_rows})()
    return PrivateRecords(
        rows,
        ledger=Ledger(mu),
        adjacency=adjacency,
        max_contributions=max_contributions,
        source=None,
    )


def test_more_rows_than_sums_hold_are_refused():
    holder(n_rows=2**31)
    with pytest.raises(ValueError, match="at most 2147483648 rows"):
        holder(n_rows=2**31 + 1)


@pytest.mark.parametrize(
    "adjacency, m", [("add-remove", 2**31), ("replace-one", 2**30)]
)
def test_noise_that_words_do_not_hold_is_refused_before_it_is_drawn(adjacency, m):
    # Summands of 36 bits, 2**31 of them, and 2**-12 of the budget: 2**88 in all.
    least = 2.0**-9
    holder(mu=least, adjacency=adjacency, max_contributions=m)
    with pytest.raises(ValueError, match="max_contributions is too large"):
        holder(mu=0.99 * least, adjacency=adjacency, max_contributions=m)


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
    with pytest.raises(ValueError, match="mu of the release 'free: sums'"):
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
    records = PrivateRecords(rows, ledger=ledger, source=source, **ONE_RECORD)
    assert not hasattr(records, "__dict__")
    found = list(attributes_of(records))
    assert len(found) == 2
    for method in found:
        assert inspect.isfunction(method)
        for secret in (X, rows, ledger, source):
            assert not any(x is secret for x in attributes_of(method))


@pytest.mark.parametrize("m", [2**31, 2**20])
def test_noise_that_cannot_be_drawn_is_refused_before_anything_is_read(m):
    with pytest.raises(ValueError, match="max_contributions is too large"):
        PrivateRecords(
            ArrayRows(np.ones((10, 2))),
            ledger=Ledger(1e-10),
            adjacency="add-remove",
            max_contributions=m,
            source=GaussianSource(0),
        )


@pytest.mark.parametrize(("n_more", "digest"), [(1, 0), (-3, 0), (0, 17)])
def test_rows_that_changed_are_refused_in_the_same_words(n_more, digest):
    # How many there are, or were, is private.
    rows = ArrayRows(np.ones((10, 2)))
    records = PrivateRecords(
        rows, ledger=Ledger(1.0), source=GaussianSource(0), **ONE_RECORD
    )
    rows.n_records += n_more
    rows.digest += digest
    with pytest.raises(ValueError) as refused:
        records.release("first", a_query(), [0.5, 0.5])
    assert str(refused.value) == CHANGED_ROWS


# --------------------------------------------------------------------------
# Sums and noise
# --------------------------------------------------------------------------


class Fixed:
    """Rows whose sums are known, and a source whose normals are."""

    n_rows = n_records = 2**31 + 5
    digest = 3 * 2**31 + 7

    def __init__(self, n_records=n_records, digest=digest):
        words = (divmod(number, 2**31) for number in (n_records, digest))
        self.sums = [np.array(pair) for pair in ((0, 4), *words)]

    def sum(self, query):
        return tuple(self.sums)

    def standard_normal(self, shape):
        return np.resize([0.5, -1.0, 2.0], shape)


def test_records_are_counted_in_two_words():
    (total,) = exact_sums(Fixed(), None)
    assert total.tolist() == [0, 4]
    for wrong in ({"n_records": 5}, {"digest": 7}, {"n_records": 2**31 + 6}):
        with pytest.raises(ValueError, match=re.escape(CHANGED_ROWS)):
            exact_sums(Fixed(**wrong), None)


@pytest.mark.parametrize("shape", [(3,), (2, 2)])
def test_noise_has_the_scale_that_the_ledger_states(shape):
    exact = np.full(shape, 7)
    part = Part("sums", shape, 8.0, scale=0.5, symmetric=len(shape) == 2)
    entry = LedgerEntry("sums", shape, 16.0, 0.25)
    found = add_noise(part, widen(exact), entry, Fixed())
    assert found.sd == 0.5 * 64.0
    noise = 2.0 * found.value - 7.0
    if part.symmetric:
        root = round(32.0 / math.sqrt(2.0))
        assert noise.tolist() == [[32.0, root], [root, -64.0]]
    else:
        assert noise.tolist() == [32.0, -64.0, 128.0]
    with pytest.raises(ValueError, match=r"sums has sums of shape"):
        add_noise(part, widen(exact)[:, :1], entry, Fixed())


def test_a_person_who_is_replaced_moves_sums_by_all_records_of_both():
    ledger = Ledger(1.0)
    records = PrivateRecords(
        ArrayRows(np.ones((10, 2))),
        ledger=ledger,
        adjacency="replace-one",
        max_contributions=3,
        source=GaussianSource(),
    )
    query = a_query()
    records.release("first", query, [0.5, 0.5])
    stated = [part.l2_sensitivity for part in parts(query)]
    count, total = (entry.l2_sensitivity for entry in ledger.entries)
    assert total == 6 * stated[1]
    assert count == pytest.approx(3 * math.sqrt(2.0) * stated[0])
