"""What a fit would release, as a table: no record was seen, and nothing is promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from skdpgmm.privacy.accounting import LedgerEntry, compose_mu
from skdpgmm.privacy.report import Decision, meaning, not_private
from skdpgmm.privacy.steps import of_step
from skdpgmm.privacy.tables import as_html, as_text, table


@dataclass(frozen=True, repr=False)
class PrivacyPlan:
    """What a fit would release and spend, from public numbers only.

    It is no guarantee: nothing was fitted. A fit to real records has a
    `PrivacyReport`, whose ledger may differ where choices follow from noisy counts
    and other releases.

    Attributes
    ----------
    epsilon, delta : float
        The (epsilon, delta) that is asked for.
    mu : float
        The same in Gaussian differential privacy.
    adjacency : {"add-remove", "replace-one"}
        What two neighbouring data sets may differ in.
    unit : str
        Whose data would be protected.
    records : str
        The records that are imagined: how many, and where.
    ledger : tuple of LedgerEntry
        One row for each release, in order.
    noise_sd : tuple of float
        Largest standard deviation of the noise in each of them, in records and in
        the units of the data.
    decisions : tuple of Decision
        What "auto" would choose.
    doubts : tuple of str
        What could not be told from noise.
    seeded : bool
        Whether an int seed, of which there are few, would lead to the noise.
    """

    epsilon: float
    delta: float
    mu: float
    adjacency: str
    unit: str
    records: str
    ledger: tuple[LedgerEntry, ...]
    noise_sd: tuple[float, ...]
    decisions: tuple[Decision, ...] = ()
    doubts: tuple[str, ...] = ()
    seeded: bool = False

    @property
    def not_private(self) -> str | None:
        """Why nobody would be protected, or None where a guarantee would hold."""
        return not_private(self.epsilon, self.seeded)

    @property
    def spent_mu(self) -> float:
        """Mu of all releases together, at most `mu`."""
        return compose_mu(entry.mu for entry in self.ledger)

    @classmethod
    def of_steps(
        cls, steps: Mapping[str, PrivacyPlan], epsilon: float, mu: float
    ) -> PrivacyPlan:
        """Return the plan of steps that would share a budget, in order.

        Parameters
        ----------
        steps : dict of str to PrivacyPlan
            Of each step, by its name; of one delta, adjacency and unit.
        epsilon, mu : float
            What would be asked for of all of them.

        Returns
        -------
        plan : PrivacyPlan
        """
        plans = list(steps.values())
        named = [of_step(step, p.ledger, p.decisions) for step, p in steps.items()]
        return replace(
            plans[0],
            epsilon=epsilon,
            mu=mu,
            records="; then ".join(dict.fromkeys(plan.records for plan in plans)),
            ledger=tuple(entry for ledger, _ in named for entry in ledger),
            noise_sd=tuple(sd for plan in plans for sd in plan.noise_sd),
            decisions=tuple(one for _, decisions in named for one in decisions),
            doubts=tuple(f"{s}, {text}" for s, p in steps.items() for text in p.doubts),
            seeded=any(plan.seeded for plan in plans),
        )

    def _facts(self) -> list[tuple[str, str]]:
        warning = [("warning", self.not_private)] if self.not_private else []
        means = "nobody would be protected"
        if not self.not_private:
            means = meaning(self.mu, self.adjacency, self.unit)
        return [
            *warning,
            ("plan", "no record was seen, and nothing is promised"),
            ("would mean", means),
            ("would ask", f"({self.epsilon:g}, {self.delta:g})-DP, mu={self.mu:.5g}"),
            ("would spend", f"mu={self.spent_mu:.5g}"),
            ("adjacency", f"{self.adjacency}, unit: {self.unit}"),
            ("records", self.records),
            *(("decided", str(decision)) for decision in self.decisions),
            *(("doubt", text) for text in self.doubts),
        ]

    def __repr__(self) -> str:
        warning = f"{self.not_private}; " if self.not_private else ""
        spent = f"mu={self.spent_mu:.5g} of {self.mu:.5g}"
        n = len(self.ledger)
        return f"{warning}PrivacyPlan(would spend {spent} in {n} releases)"

    def __str__(self) -> str:
        return as_text(self._facts(), table(self.ledger, self.noise_sd))

    def _repr_html_(self) -> str:
        return as_html(self._facts(), table(self.ledger, self.noise_sd))
