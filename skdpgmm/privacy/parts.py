"""Releases about parts of the records: the costliest part counts, not all of them.

Lemma. A public rule, or one whose randomness does not depend on the records, deals each
record to one of several disjoint parts, by that record alone. A unit has at most m
records, a_P of them in part P, and for "replace-one" b_P of those that come for them. A
release about part P costs mu_i, and is moved by no more than s_P of what is stated:

- "add-remove": ``s_P = a_P / m``;
- "replace-one": ``s_P**2 = (a_P**2 + b_P**2) / (2 m**2)``. This is the move of acute
  summands, stated as sqrt(2) m records; that of others, ``(a_P + b_P) / (2 m)``, is no
  larger.

In the proof of Theorem 7 it takes ``(s_P mu_i)**2`` of the time of the path, a release
about all records ``mu_i**2``, and all together

    sum_P s_P**2 * sum_{i in P} mu_i**2  <=  max_P sum_{i in P} mu_i**2 ,

because the ``a_P / m`` add up to at most 1, and so do their squares; likewise the
``b_P / m``. So the whole is mu-GDP with ``mu**2`` the sum over releases about all
records, and the largest sum over those about one part; whatever was chosen adaptively,
in whatever order. All records of a unit may be in one part, so the bound is attained.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from dp_accounting import ComposedDpEvent

from skdpgmm.privacy.accounting import BudgetExceededError, Ledger, LedgerEntry
from skdpgmm.privacy.accounting import compose_mu as compose
from skdpgmm.privacy.report import PrivacyReport

# The part that holds every record.
ALL = "all"


def mu_by_part(
    entries: Iterable[LedgerEntry], parts: Iterable[str]
) -> dict[str, float]:
    """Return what the releases about each part cost together."""
    found: dict[str, list[float]] = {}
    for entry, part in zip(entries, parts, strict=True):
        found.setdefault(part, []).append(entry.mu)
    return {part: compose(mus) for part, mus in found.items()}


def compose_parts(mus: dict[str, float]) -> float:
    """Return the mu of the whole, by the lemma, from that of each part."""
    largest = max((mu for part, mu in mus.items() if part != ALL), default=0.0)
    return compose([mus.get(ALL, 0.0), largest])


class PartsLedger(Ledger):
    """A privacy filter for releases about parts of the records."""

    def __init__(self, mu: float):
        super().__init__(mu)
        self.parts: list[str] = []

    @property
    def spent_mu(self) -> float:
        """Mu of everything debited so far."""
        return compose_parts(mu_by_part(self.entries, self.parts))

    def affords(self, more: dict[str, float]) -> bool:
        """Whether each part may spend so much more."""
        spent = mu_by_part(self.entries, self.parts)
        after = {
            part: compose([spent.get(part, 0.0), more.get(part, 0.0)])
            for part in spent.keys() | more.keys()
        }
        return compose_parts(after) <= self.mu

    def debit(self, entries, part: str = ALL) -> None:
        """Debit all of `entries`, about one part, or raise and debit none."""
        entries = list(entries)
        if not self.affords({part: compose(entry.mu for entry in entries)}):
            raise BudgetExceededError(
                f"releasing {[e.name for e in entries]} would exceed the budget "
                f"mu={self.mu:.6g}; mu={self.spent_mu:.6g} is spent."
            )
        self.entries.extend(entries)
        self.parts.extend([part] * len(entries))


@dataclass(frozen=True, repr=False)
class PartsReport(PrivacyReport):
    """The guarantee of releases about parts of the records.

    Attributes
    ----------
    parts : tuple of str
        What part of the records each row of the ledger is about.
    """

    parts: tuple[str, ...] = ()

    @property
    def spent_mu(self) -> float:
        """Mu of all releases together, at most `mu`: of those parts that cost most."""
        return compose_parts(mu_by_part(self.ledger, self.parts))

    @property
    def left_mu(self) -> float:
        """Mu of what later releases about these records may cost together.

        These and those are `mu`-GDP then, whatever decided when to stop.
        """
        if math.isinf(self.mu):
            return self.mu
        share = 1.0 - (self.spent_mu / self.mu) ** 2
        return self.mu * math.sqrt(max(share, 0.0)) * (1.0 - 1e-12)

    def dp_event(self):
        """Return the releases about all records, and those about the costliest part.

        Returns
        -------
        event : dp_accounting.ComposedDpEvent
            Events of Gaussian mechanisms; those about the other parts cost no more.
        """
        mus = mu_by_part(self.ledger, self.parts)
        mus.pop(ALL, None)
        dearest = max(mus, key=mus.__getitem__, default=ALL)
        events = super().dp_event().events
        return ComposedDpEvent(
            [
                event
                for event, part in zip(events, self.parts, strict=True)
                if part in (ALL, dearest)
            ]
        )

    def _facts(self) -> list[tuple[str, str]]:
        by_part = mu_by_part(self.ledger, self.parts)
        told = ", ".join(f"{part}: mu={mu:.5g}" for part, mu in by_part.items())
        return [*super()._facts(), ("by part", f"{told}; the costliest counts")]
