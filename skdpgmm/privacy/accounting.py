"""From (epsilon, delta), adjacency and unit of privacy to mu, and back.

Every release of this package is a Gaussian mechanism, so all accounting is in
Gaussian differential privacy (Dong, Roth, Su 2022): a Gaussian mechanism whose
noise is ``l2_sensitivity / mu`` is mu-GDP, mechanisms that are chosen
adaptively compose exactly by ``mu_total**2 = sum(mu_i**2)``, and mu-GDP is
(epsilon, delta)-DP for exactly the pairs of the analytic Gaussian mechanism
(Balle, Wang 2018).

References
----------
.. [1] J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of
   the Royal Statistical Society B 84(1), 2022.
.. [2] B. Balle, Y.-X. Wang, "Improving the Gaussian Mechanism for Differential
   Privacy", ICML 2018.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from dp_accounting import gaussian_mechanism

ADJACENCIES = ("add-remove", "replace-one")

# Relative amount by which every share of a budget is rounded down: far above
# the error of the few float64 operations behind it and far below any effect.
_ROUND_DOWN = 1.0 - 1e-12


def mu_from_epsilon(epsilon: float, delta: float) -> float:
    """Return the largest mu, rounded down, that is (epsilon, delta)-DP.

    Parameters
    ----------
    epsilon : float in (0, inf]
        Privacy loss; ``inf`` asks for no noise.
    delta : float in (0, 1)
        Additive slack: ``P(M(D) in S) <= exp(epsilon) P(M(D') in S) + delta``.

    Returns
    -------
    mu : float
        ``inf`` when epsilon is ``inf``.
    """
    if math.isinf(epsilon):
        return math.inf
    sigma = gaussian_mechanism.get_sigma_gaussian(epsilon, delta)
    mu = _ROUND_DOWN / sigma
    # The calibration above is a root search with a tolerance; the loop makes it
    # one-sided, so that no budget is ever larger than what was asked for.
    slack = 1e-12
    while epsilon_from_mu(mu, delta) > epsilon:
        mu *= 1.0 - slack
        slack *= 2.0
    return mu


def epsilon_from_mu(mu: float, delta: float) -> float:
    """Return the smallest epsilon for which mu-GDP gives (epsilon, delta)-DP."""
    if mu == 0.0:
        return 0.0
    return float(gaussian_mechanism.get_epsilon_gaussian(1.0 / mu, delta))


def compose_mu(mus) -> float:
    """Return the mu of the (adaptive) composition of mu_i-GDP mechanisms."""
    return math.sqrt(math.fsum(mu * mu for mu in mus))


def split_mu(mu: float, shares: Mapping[str, float]) -> dict[str, float]:
    """Split a budget by named shares of ``mu**2``, each rounded down.

    Parameters
    ----------
    mu : float
        The budget.
    shares : mapping of str to float
        Non-negative shares whose sum is at most 1 up to rounding. A share of
        zero gives mu 0: that release must not be made.

    Returns
    -------
    parts : dict of str to float
        ``mu_i`` with ``sum(mu_i**2) <= mu**2``.
    """
    total = math.fsum(shares.values())
    if total > 1.0 + 1e-9 or min(shares.values()) < 0.0:
        raise ValueError(
            f"shares must be non-negative and sum to at most 1, got {dict(shares)}."
        )
    norm = max(total, 1.0)
    return {
        name: mu * math.sqrt(share / norm) * _ROUND_DOWN if share > 0.0 else 0.0
        for name, share in shares.items()
    }


def unit_factor(adjacency: str, max_contributions: int = 1) -> int:
    """Return how many bounded records two neighbouring data sets may differ by.

    Adding or removing one record changes a sum of vectors of norm at most Delta
    by at most Delta; replacing one removes a record and adds another, hence
    2 Delta; a person with at most m records multiplies either by m.
    """
    return {"add-remove": 1, "replace-one": 2}[adjacency] * max_contributions


@dataclass(frozen=True)
class LedgerEntry:
    """One release: what it was, how far one unit can move it, what it cost.

    Attributes
    ----------
    name : str
        What was released.
    shape : tuple of int
        Shape of the released array.
    l2_sensitivity : float
        Largest l2 distance of the exact sums of two neighbouring data sets, in
        units of the integer grid on which the sum is taken.
    noise_multiplier : float
        Standard deviation of the noise over `l2_sensitivity`: ``1 / mu``.
    mu : float
        Cost in Gaussian differential privacy.
    """

    name: str
    shape: tuple[int, ...]
    l2_sensitivity: float
    noise_multiplier: float
    mu: float


class BudgetExceededError(RuntimeError):
    """A release was refused because it would overspend; nothing was released."""


class Ledger:
    """The releases of one fit, debited before their noise is drawn.

    A privacy filter for Gaussian mechanisms: with mu_i chosen adaptively, the
    whole is mu-GDP as long as the sum of squares never exceeds ``mu**2``.

    Parameters
    ----------
    mu : float
        The budget.
    """

    def __init__(self, mu: float):
        self.mu = mu
        self.entries: list[LedgerEntry] = []

    @property
    def spent_mu(self) -> float:
        """Mu of everything debited so far."""
        return compose_mu(entry.mu for entry in self.entries)

    def debit(self, entries) -> None:
        """Debit all of `entries`, or raise and debit none."""
        entries = list(entries)
        # Negated, so that a nan is refused too.
        if not compose_mu(e.mu for e in [*self.entries, *entries]) <= self.mu:
            raise BudgetExceededError(
                f"releasing {[e.name for e in entries]} would exceed the budget "
                f"mu={self.mu:.6g}; mu={self.spent_mu:.6g} is spent."
            )
        self.entries.extend(entries)


@dataclass(frozen=True)
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
    """

    epsilon: float
    delta: float
    mu: float
    adjacency: str
    unit: str
    noise: str
    ledger: tuple[LedgerEntry, ...] = field(repr=False)

    @property
    def spent_mu(self) -> float:
        """Mu of all releases together, at most `mu`."""
        return compose_mu(entry.mu for entry in self.ledger)

    @property
    def spent_epsilon(self) -> float:
        """Epsilon of all releases together at `delta`, at most `epsilon`."""
        mu = self.spent_mu
        return math.inf if math.isinf(mu) else epsilon_from_mu(mu, self.delta)

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("guarantee", f"({self.epsilon:g}, {self.delta:g})-DP, mu={self.mu:.5g}"),
            ("spent", f"epsilon={self.spent_epsilon:.5g}, mu={self.spent_mu:.5g}"),
            ("adjacency", f"{self.adjacency}, unit: {self.unit}"),
            ("noise", self.noise),
        ]

    def _rows(self) -> list[tuple[str, ...]]:
        header = ("release", "shape", "l2_sensitivity", "noise_multiplier", "mu")
        rows: list[tuple[str, ...]] = [header]
        rows += [
            (
                e.name,
                " x ".join(map(str, e.shape)) or "scalar",
                f"{e.l2_sensitivity:g}",
                f"{e.noise_multiplier:.5g}",
                f"{e.mu:.5g}",
            )
            for e in self.ledger
        ]
        return rows

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [f"{name:10} {text}" for name, text in self._facts()]
        for i, row in enumerate(rows):
            cells = [row[0].ljust(widths[0])]
            cells += [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
            lines.append("  ".join(cells))
            if i == 0:
                lines.append("  ".join("-" * w for w in widths))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        facts = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>"
            for name, text in self._facts()
        )
        head, *body = self._rows()
        ths = "".join(f"<th>{html.escape(c)}</th>" for c in head)
        trs = "".join(
            "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>"
            for row in body
        )
        return (
            f"<table>{facts}</table><table><thead><tr>{ths}</tr></thead>"
            f"<tbody>{trs}</tbody></table>"
        )
