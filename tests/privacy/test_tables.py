"""Rows of a table: those that repeat a release are one."""

from skdpgmm.privacy import LedgerEntry
from skdpgmm.privacy.tables import as_html, as_text, repeated


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


def test_text_and_html_have_every_fact_and_cell():
    facts, rows = [("who", "a < b")], [("name", "n"), ("x", "10"), ("y & z", "2")]
    assert as_text(facts, rows).splitlines() == [
        "who        a < b",
        "name    n",
        "-----  --",
        "x      10",
        "y & z   2",
    ]
    shown = as_html(facts, rows)
    for cell in ("a &lt; b", "<th>name</th>", "<td>y &amp; z</td>", "<td>10</td>"):
        assert cell in shown
