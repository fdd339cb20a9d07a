"""The guarantee of one fit, as a table: it prints and decides nothing."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, fields, replace

from skdpgmm.privacy.accounting import LedgerEntry, compose_mu, epsilon_from_mu


def _of_fit(entry: LedgerEntry, number: int) -> LedgerEntry:
    return replace(entry, name=f"fit {number}, {entry.name}")


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
        for name in ("delta", "adjacency", "unit"):
            first, second = getattr(earlier, name), getattr(self, name)
            if first != second:
                raise ValueError(
                    f"{name} must be that of the fit that is gone on from, {first!r}, "
                    f"so that both have one guarantee; got {second!r}."
                )
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

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.name not in ("ledger", "seeded", "n_fits", "declared_public")
        )
        # First, so that it is what a table of attributes shows of it.
        warning = f"{self.not_private}; " if self.not_private else ""
        return f"{warning}PrivacyReport({shown})"

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
