"""Facts and releases as tables, in text and HTML."""

from __future__ import annotations

import html
import re
from dataclasses import replace
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


def as_html(facts, rows) -> str:
    """Return facts and a table as HTML."""
    shown = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>"
        for name, text in facts
    )
    head, *body = rows
    ths = "".join(f"<th>{html.escape(c)}</th>" for c in head)
    trs = "".join(
        "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>"
        for row in body
    )
    facts_table = f"<table>{shown}</table>" if shown else ""
    return (
        f"{facts_table}<table><thead><tr>{ths}</tr></thead><tbody>{trs}</tbody></table>"
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
