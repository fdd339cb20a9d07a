"""The guarantee of one fit, as a table: it prints and decides nothing."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from dp_accounting import ComposedDpEvent, GaussianDpEvent, NonPrivateDpEvent

from skdpgmm.privacy.accounting import LedgerEntry, compose_mu, epsilon_from_mu

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
    margin = max(10, *(len(name) for name, _ in facts))
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
    return (
        f"<table>{shown}</table><table><thead><tr>{ths}</tr></thead>"
        f"<tbody>{trs}</tbody></table>"
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


class Decision(NamedTuple):
    """What stood for an "auto", and the numbers that it was made from.

    All of them are public, or released: a decision is a function of releases, so that
    telling it costs nothing. Numbers that were counted without noise have no place
    here.

    Attributes
    ----------
    what : str
        The parameter that was "auto", or what else was chosen.
    value : str, bool, int or float
        What was chosen.
    because : dict of str to number
        What it was made from.
    """

    what: str
    value: Any
    because: dict[str, Any]

    def __str__(self) -> str:
        reasons = ", ".join(f"{name}={_short(x)}" for name, x in self.because.items())
        return f"{self.what} {_short(self.value)} ({reasons})"


def _short(value) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _of_fit(entry: LedgerEntry, number: int) -> LedgerEntry:
    return replace(entry, name=f"fit {number}, {entry.name}")


def check_alike(first, second, names) -> None:
    """Refuse two reports that have no guarantee in common, by attributes of theirs."""
    for name in names:
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            raise ValueError(
                f"{name} must be the same in all fits, so that they have one guarantee "
                f"together: it is {one!r} in one fit, got {other!r} in a later one."
            )


# Left out where a report is one line.
_LONG = ("ledger", "seeded", "n_fits", "declared_public", "decisions", "parts")


@dataclass(frozen=True, repr=False)
class PrivacyReport:
    """The guarantee of one fit and the releases that spent it.

    Attributes
    ----------
    epsilon, delta : float
        The (epsilon, delta) that was asked for; what was spent is never more.
    mu : float
        The same guarantee in Gaussian differential privacy.
    adjacency : {"add-remove", "replace-one"}
        What two neighbouring data sets may differ in.
    unit : str
        Whose data are protected: one record, or all records of one person.
    noise : str
        Where the random bits of the noise come from.
    ledger : tuple of LedgerEntry
        One row for each release, in order.
    seeded : bool
        Whether an int seed, of which there are few, leads to the noise.
    n_fits : int
        How many fits it speaks of: more than one where a fit went on from another.
    declared_public : tuple of (str, str)
        What the caller has declared as public, so that nothing was paid for it: name
        and text. The guarantee rests on it.
    decisions : tuple of Decision
        What was chosen where a parameter was "auto", or on the way, in order: functions
        of releases and public numbers.
    """

    epsilon: float
    delta: float
    mu: float
    adjacency: str
    unit: str
    noise: str
    ledger: tuple[LedgerEntry, ...]
    seeded: bool = False
    n_fits: int = 1
    declared_public: tuple[tuple[str, str], ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def not_private(self) -> str | None:
        """Why nobody is protected, or None where the guarantee holds."""
        if math.isinf(self.epsilon):
            return "NOT PRIVATE: epsilon is infinite, no noise was added"
        if self.seeded:
            return "NOT PRIVATE: whoever tries all seeds can take the noise away"
        return None

    @property
    def spent_mu(self) -> float:
        """Mu of all releases together, at most `mu`."""
        return compose_mu(entry.mu for entry in self.ledger)

    @property
    def spent_epsilon(self) -> float:
        """Epsilon of all releases together at `delta`, at most `epsilon`."""
        mu = self.spent_mu
        return math.inf if math.isinf(mu) else epsilon_from_mu(mu, self.delta)

    def dp_event(self):
        """Return the releases as an event that any accountant of dp_accounting reads.

        Who does not trust the accounting of this package can do it again, as in
        ``dp_accounting.pld.PLDAccountant().compose(report.dp_event())``.

        Returns
        -------
        event : dp_accounting.ComposedDpEvent
            A Gaussian mechanism for each row of the ledger; one that is not private
            for a release without noise.
        """
        return ComposedDpEvent(
            [
                GaussianDpEvent(entry.noise_multiplier)
                if entry.noise_multiplier > 0.0
                else NonPrivateDpEvent()
                for entry in self.ledger
            ]
        )

    def after(self, earlier: PrivacyReport) -> PrivacyReport:
        """Return the report of a fit that went on from another: of both.

        What such a fit leaves is a function of the releases of both, on what may be
        the same records. The composition of Gaussian mechanisms is exact; epsilon is
        that of both together at the same delta.

        Parameters
        ----------
        earlier : PrivacyReport
            Of the fit that this one started from; of the same delta, adjacency and
            unit.

        Returns
        -------
        report : PrivacyReport
        """
        check_alike(earlier, self, ("delta", "adjacency", "unit"))
        mu = compose_mu([earlier.mu, self.mu])
        n_fits = earlier.n_fits + self.n_fits
        first_rows = earlier.ledger
        if earlier.n_fits == 1:
            first_rows = tuple(_of_fit(entry, 1) for entry in first_rows)
        rows = tuple(_of_fit(entry, n_fits) for entry in self.ledger)
        both = (earlier.noise, self.noise)
        return replace(
            self,
            epsilon=epsilon_from_mu(mu, self.delta),
            mu=mu,
            noise="; then ".join(dict.fromkeys(both)),
            ledger=first_rows + rows,
            seeded=earlier.seeded or self.seeded,
            n_fits=n_fits,
            declared_public=tuple(
                dict.fromkeys(earlier.declared_public + self.declared_public)
            ),
            decisions=earlier.decisions + self.decisions,
        )

    def _facts(self) -> list[tuple[str, str]]:
        warning = [("warning", self.not_private)] if self.not_private else []
        declared = "; ".join(f"{name}: {text}" for name, text in self.declared_public)
        public = [("public", declared)] if declared else []
        return [
            *warning,
            ("guarantee", f"({self.epsilon:g}, {self.delta:g})-DP, mu={self.mu:.5g}"),
            ("spent", f"epsilon={self.spent_epsilon:.5g}, mu={self.spent_mu:.5g}"),
            ("adjacency", f"{self.adjacency}, unit: {self.unit}"),
            ("noise", self.noise),
            *public,
            *(("decided", str(decision)) for decision in self.decisions),
        ]

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.name not in _LONG
        )
        # First, so that it is what a table of attributes shows of it.
        warning = f"{self.not_private}; " if self.not_private else ""
        return f"{warning}PrivacyReport({shown})"

    def __str__(self) -> str:
        return as_text(self._facts(), table(self.ledger))

    def _repr_html_(self) -> str:
        return as_html(self._facts(), table(self.ledger))
