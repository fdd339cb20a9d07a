"""Facts and releases as tables, in text and HTML."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from skdpgmm.privacy.accounting import LedgerEntry

# The last number in the name of a release, which counts repetitions.
_NUMBER = re.compile(r"\d+(?!.*\d)")


class Repeated(NamedTuple):
    """Rows of a ledger that differ in the number in their name only.

    Attributes
    ----------
    name : str
        That of all, such as "head step 0-59: gradient".
    entry : LedgerEntry
        The first.
    place : int
        Its place in the ledger.
    times : int
    """

    name: str
    entry: LedgerEntry
    place: int
    times: int


def repeated(ledger) -> list[Repeated]:
    """Return the rows of a ledger, with those as one that repeat a release.

    Parameters
    ----------
    ledger : sequence of LedgerEntry
        A release has several rows where it has several parts: these are repeated
        together.

    Returns
    -------
    rows : list of Repeated
    """
    releases: list[list[int]] = []
    for i, entry in enumerate(ledger):
        name = entry.name.split(": ")[0]
        if releases and ledger[releases[-1][0]].name.split(": ")[0] == name:
            releases[-1].append(i)
        else:
            releases.append([i])
    runs: list[list[list[int]]] = []
    for release in releases:
        before = runs[-1] if runs else None
        if before and _follows(ledger, before[-1], release):
            before.append(release)
        else:
            runs.append([release])
    return [
        Repeated(_name_of_run(ledger, run, part), ledger[i], i, len(run))
        for run in runs
        for part, i in enumerate(run[0])
    ]


def _follows(ledger, first, second):
    """Whether a release is the next of the same kind, in all that costs."""
    if len(first) != len(second):
        return False
    for i, j in zip(first, second, strict=True):
        a, b = ledger[i], ledger[j]
        name, _, part = a.name.partition(": ")
        number = _NUMBER.search(name)
        if number is None:
            return False
        following = _NUMBER.sub(str(int(number[0]) + 1), name)
        if replace(a, name=f"{following}: {part}" if part else following) != b:
            return False
    return True


def _name_of_run(ledger, run, part):
    first, last = ledger[run[0][part]].name, ledger[run[-1][part]].name
    if len(run) == 1:
        return first
    name, _, rest = first.partition(": ")
    number = _NUMBER.search(last.partition(": ")[0])
    assert number is not None  # as in `_follows`
    name = _NUMBER.sub(lambda found: f"{found[0]}-{number[0]}", name)
    return f"{name}: {rest}" if rest else name


def as_text(facts, rows) -> str:
    """Return facts, a line each, and a table whose first row is its header."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    margin = max([10, *(len(name) for name, _ in facts)])
    lines = [f"{name:{margin}} {text}" for name, text in facts]
    for i, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])]
        cells += [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
        if i == 0:
            lines.append("  ".join("-" * w for w in widths))
    return "\n".join(lines)


# Colours are those of the page, which may be dark.
_STYLE = """<style>
.skdpgmm-report {overflow-x: auto}
.skdpgmm-report table {border-collapse: collapse; margin: 0 0 .6em 0}
.skdpgmm-report th, .skdpgmm-report td {padding: .15em .7em; vertical-align: top}
.skdpgmm-report .facts th, .skdpgmm-report .facts td {text-align: left}
.skdpgmm-report .facts .warning {font-weight: bold; border-left: .3em solid #c00}
.skdpgmm-report .rows td {text-align: right; font-variant-numeric: tabular-nums}
.skdpgmm-report .rows th:first-child, .skdpgmm-report .rows td:first-child {
  text-align: left}
.skdpgmm-report .rows thead th {border-bottom: 1px solid}
.skdpgmm-report .rows tbody + tbody tr:first-child td {border-top: 1px solid #8888}
.skdpgmm-report summary {cursor: pointer; margin-bottom: .3em}
</style>"""
# Facts of one name that are folded away.
_MANY = 4


def as_html(facts, rows, summary="") -> str:
    """Return facts and a table as HTML.

    Parameters
    ----------
    facts : list of (str, str)
        Name and text. Many of one name in a row are folded away.
    rows : list of tuple of str
        Rows of the table, a header first. Those whose names have one beginning, up to
        a comma, are a group.
    summary : str
        What stands above the table, which can be folded then.

    Returns
    -------
    text : str
    """
    shown = ""
    for name, group in groupby(facts, key=lambda fact: fact[0]):
        texts = [text for _, text in group]
        body = "".join(_fact(name, text) for text in texts)
        if len(texts) >= _MANY:
            folded = f"<table>{body}</table>"
            said = html.escape(f"{name}, {len(texts)} times")
            cell = f"<details><summary>{said}</summary>{folded}</details>"
            body = f'<tr class="folded"><td colspan="2">{cell}</td></tr>'
        shown += body
    facts_table = f'<table class="facts">{shown}</table>' if shown else ""
    head, *body = rows
    ths = "".join(f"<th>{html.escape(c)}</th>" for c in head)
    groups = groupby(
        body, key=lambda row: row[0].rpartition(", ")[0].partition(", ")[0]
    )
    bodies = "".join(f"<tbody>{_lines(group)}</tbody>" for _, group in groups)
    below = f'<table class="rows"><thead><tr>{ths}</tr></thead>{bodies}</table>'
    if summary:
        said = html.escape(summary)
        below = f"<details open><summary>{said}</summary>{below}</details>"
    # What has to be known comes first, whatever is made of the style.
    return f'<div class="skdpgmm-report">{facts_table}{below}</div>{_STYLE}'


def n_releases(ledger) -> str:
    """Return how many releases a ledger has, in words."""
    return f"{len(ledger)} release{'' if len(ledger) == 1 else 's'}"


def _fact(name, text):
    kind = ' class="warning"' if name == "warning" else ""
    return f"<tr><th>{html.escape(name)}</th><td{kind}>{html.escape(text)}</td></tr>"


def _lines(rows):
    return "".join(
        "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>"
        for row in rows
    )


def table(ledger, noise_sds=None) -> list[tuple[str, ...]]:
    """Return the rows of a table of releases, a header first.

    Parameters
    ----------
    ledger : sequence of LedgerEntry
        The releases; those that repeat are one row.
    noise_sds : sequence of float, optional
        A further column: the noise of each row of the ledger.

    Returns
    -------
    rows : list of tuple of str
    """
    lines = repeated(ledger)
    header = ["release", "shape", "l2_sensitivity", "noise_multiplier", "mu"]
    often = any(line.times > 1 for line in lines)
    header += ["noise_sd"] * (noise_sds is not None) + [""] * often
    rows = [tuple(header)]
    for name, entry, i, times in lines:
        cells = [
            name,
            " x ".join(map(str, entry.shape)) or "scalar",
            f"{entry.l2_sensitivity:g}",
            f"{entry.noise_multiplier:.5g}",
            f"{entry.mu:.5g}",
        ]
        if noise_sds is not None:
            cells.append(f"{noise_sds[i]:.4g}")
        if often:
            cells.append(f"x {times}" if times > 1 else "")
        rows.append(tuple(cells))
    return rows
