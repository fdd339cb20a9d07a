"""The guarantee of one fit, as a table: it prints and decides nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from dp_accounting import ComposedDpEvent, GaussianDpEvent, NonPrivateDpEvent

from skdpgmm.privacy.accounting import (
    LedgerEntry,
    attack_power,
    compose_mu,
    epsilon_from_mu,
)
from skdpgmm.privacy.quality import Quality, QualityOfSteps
from skdpgmm.privacy.tables import as_html, as_text, table


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


def joined(reports) -> dict[str, Any]:
    """Return what reports that are told as one say together, but for the ledger."""
    declared = (one for report in reports for one in report.declared_public)
    return {
        "noise": "; then ".join(dict.fromkeys(report.noise for report in reports)),
        "seeded": any(report.seeded for report in reports),
        "declared_public": tuple(dict.fromkeys(declared)),
        "decisions": tuple(one for report in reports for one in report.decisions),
    }


# False alarms of the attacker whom reports speak of.
_FALSE_ALARMS = 0.05
# Left out where a report is one line.
_LONG = (
    "ledger",
    "seeded",
    "n_fits",
    "declared_public",
    "decisions",
    "quality",
    "parts",
)


def not_private(epsilon, seeded) -> str | None:
    """Return why nobody is protected, or None where a guarantee holds."""
    if math.isinf(epsilon):
        return "NOT PRIVATE: epsilon is infinite, no noise was added"
    if seeded:
        return "NOT PRIVATE: whoever tries all seeds can take the noise away"
    return None


def meaning(mu, adjacency, unit) -> str:
    """Return what mu means for a person, in words.

    Parameters
    ----------
    mu : float
        Gaussian differential privacy.
    adjacency : {"add-remove", "replace-one"}
        What two neighbouring data sets may differ in.
    unit : str
        Whose data are protected.

    Returns
    -------
    text : str
        Exact, with the chance rounded up.
    """
    alarms = f"{100.0 * _FALSE_ALARMS:g} %"
    power = math.ceil(1000.0 * attack_power(mu, _FALSE_ALARMS)) / 10.0
    who, _, how = unit.partition(" with ")
    where = f"; {who}: with {how}" if how else ""
    if adjacency == "add-remove":
        asked = f"whether {who} is in the data, with {alarms} false alarms,"
        found = f"at most {power:g} % of those in it"
    else:
        asked = f"which of two versions of {who} is in the data, with {alarms} errors"
        asked += " about the first,"
        found = f"the second at most {power:g} % of the time"
    return f"an attacker who asks {asked} finds {found} (guessing: {alarms}){where}"


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
    quality : Quality, QualityOfSteps or None
        Which parts of what came out stand out of their noise; a function of releases
        and public numbers. None where a fit has nothing to say of it. Of several fits,
        that of the last; of steps of a pipeline, that of each.
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
    quality: Quality | QualityOfSteps | None = None

    @property
    def not_private(self) -> str | None:
        """Why nobody is protected, or None where the guarantee holds."""
        return not_private(self.epsilon, self.seeded)

    @property
    def meaning(self) -> str:
        """What the guarantee means for a person, in one line."""
        if self.not_private:
            return "nobody is protected: who has the result may find anybody in it"
        return meaning(self.mu, self.adjacency, self.unit)

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
        return replace(
            self,
            epsilon=epsilon_from_mu(mu, self.delta),
            mu=mu,
            ledger=first_rows + rows,
            n_fits=n_fits,
            **joined([earlier, self]),
        )

    def _facts(self) -> list[tuple[str, str]]:
        warning = [("warning", self.not_private)] if self.not_private else []
        declared = "; ".join(f"{name}: {text}" for name, text in self.declared_public)
        public = [("public", declared)] if declared else []
        out = [("came out", self.quality.summary())] if self.quality else []
        return [
            *warning,
            ("means", self.meaning),
            ("guarantee", f"({self.epsilon:g}, {self.delta:g})-DP, mu={self.mu:.5g}"),
            ("spent", f"epsilon={self.spent_epsilon:.5g}, mu={self.spent_mu:.5g}"),
            ("adjacency", f"{self.adjacency}, unit: {self.unit}"),
            ("noise", self.noise),
            *public,
            *out,
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
