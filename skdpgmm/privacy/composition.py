"""What several fits to the same people amount to.

Fits of mu_i-GDP compose exactly by ``mu**2 = sum(mu_i**2)``, as releases do (Dong,
Roth, Su 2022). Of fits to parts of the people that have nobody in common the largest
part counts, as a person is in the fits to all and in those to one part.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from skdpgmm.privacy.accounting import (
    MIN_EPSILON,
    compose_mu,
    epsilon_from_mu,
    mu_from_epsilon,
)
from skdpgmm.privacy.report import PrivacyReport, as_html, as_text, check_alike

# Relative amount that is left to the rounding of sums.
_SLACK = 1e-12


class Cost(NamedTuple):
    """What one fit adds.

    Attributes
    ----------
    name : str
        Which fit it is.
    epsilon, delta : float
        What it asked for.
    mu : float
        What it costs.
    n_releases : int or None
        Rows of its ledger; None where nobody knows.
    state : str
        What became of it, or why it protects nobody.
    part : str or None
        Name of the part of the people that it saw; None is all of them.
    when : str
        When it began.
    """

    name: str
    epsilon: float
    delta: float
    mu: float
    n_releases: int | None
    state: str = ""
    part: str | None = None
    when: str = ""


def total_mu(costs, part: str | None = None) -> float:
    """Return the mu of all fits together, or of those that people of a part are in.

    Under "add-remove" two data sets differ by one person, who is in one part: the fits
    to all others are the same for both. Under "replace-one" a person may also move from
    one part to another. Then either part gains or loses one person, which moves a sum
    by no more than ``sqrt(1 / 2)`` of the sensitivity that is stated for a replacement.
    The fits to parts of ``mu_p`` and ``mu_q`` are ``sqrt((mu_p**2 + mu_q**2) / 2)``-GDP
    for that, no more than the larger of the two.

    Parameters
    ----------
    costs : sequence of Cost
        Parts have nobody in common.
    part : str, optional
        The name of a part; None is the largest.

    Returns
    -------
    mu : float
    """
    of: dict[str | None, list[float]] = defaultdict(list)
    for cost in costs:
        of[cost.part].append(cost.mu)
    to_all = of.pop(None, [])
    parts = [of[part]] if part is not None else [[], *of.values()]
    return max(compose_mu([*to_all, *its]) for its in parts)


def epsilon_left(mu: float, spent_mu: float, delta: float, n_fits: int = 1) -> float:
    """Return the largest epsilon that each of `n_fits` more fits may ask for.

    Parameters
    ----------
    mu, spent_mu : float
        The budget, and what is spent of it.
    delta : float in [1e-18, 1)
        That of the fits.
    n_fits : int, default=1
        At least 1.

    Returns
    -------
    epsilon : float
        0 where less is left than the least epsilon there is.
    """
    if math.isinf(mu):
        return math.inf
    left = math.sqrt(max(mu - spent_mu, 0.0) * (mu + spent_mu) / n_fits)
    epsilon = epsilon_from_mu(left, delta) if left > _SLACK * mu else 0.0
    slack = _SLACK
    while epsilon >= MIN_EPSILON:
        more = [mu_from_epsilon(epsilon, delta)] * n_fits
        if compose_mu([spent_mu, *more]) <= mu * (1.0 - _SLACK):
            return epsilon
        epsilon *= 1.0 - slack
        slack *= 2.0
    return 0.0


@dataclass(frozen=True, repr=False)
class ComposedReport:
    """The guarantee of several fits together, and what each of them adds.

    Attributes
    ----------
    epsilon, delta : float
        The (epsilon, delta) of all together.
    mu : float
        The same guarantee in Gaussian differential privacy.
    adjacency : {"add-remove", "replace-one"}
        What two neighbouring data sets may differ in.
    unit : str
        Whose data are protected: one record, or all records of one person.
    costs : tuple of Cost
        One row for each fit, in order.
    not_private : str or None
        Why nobody is protected, or None where the guarantee holds.
    declared_public : tuple of (str, str)
        What the caller has declared, and the guarantee rests on: name and text.
    """

    epsilon: float
    delta: float
    mu: float
    adjacency: str
    unit: str
    costs: tuple[Cost, ...]
    not_private: str | None = None
    declared_public: tuple[tuple[str, str], ...] = ()

    @property
    def spent_mu(self) -> float:
        """Mu of all fits together, at most `mu`."""
        return total_mu(self.costs)

    @property
    def spent_epsilon(self) -> float:
        """Epsilon of all fits together at `delta`, at most `epsilon`."""
        mu = self.spent_mu
        return math.inf if math.isinf(mu) else epsilon_from_mu(mu, self.delta)

    def _facts(self) -> list[tuple[str, str]]:
        warning = [("warning", self.not_private)] if self.not_private else []
        declared = "; ".join(f"{name}: {text}" for name, text in self.declared_public)
        public = [("public", declared)] if declared else []
        n = len(self.costs)
        return [
            *warning,
            ("guarantee", f"({self.epsilon:g}, {self.delta:g})-DP, mu={self.mu:.5g}"),
            (
                "spent",
                f"epsilon={self.spent_epsilon:.5g}, mu={self.spent_mu:.5g}, "
                f"in {n} {'fit' if n == 1 else 'fits'}",
            ),
            ("adjacency", f"{self.adjacency}, unit: {self.unit}"),
            *public,
        ]

    def _rows(self) -> list[tuple[str, ...]]:
        rows = [("fit", "part", "when", "epsilon", "delta", "mu", "releases", "state")]
        for cost in self.costs:
            known = cost.n_releases is not None
            rows.append(
                (
                    cost.name,
                    cost.part or "",
                    cost.when,
                    f"{cost.epsilon:g}",
                    f"{cost.delta:g}",
                    f"{cost.mu:.5g}",
                    f"{cost.n_releases}" if known else "",
                    cost.state,
                )
            )
        # Columns that say nothing are left out, but not those of numbers.
        kept = [i for i in range(8) if 2 < i < 7 or any(row[i] for row in rows[1:])]
        return [tuple(row[i] for i in sorted({0, *kept})) for row in rows]

    def __repr__(self) -> str:
        warning = f"{self.not_private}; " if self.not_private else ""
        return (
            f"{warning}ComposedReport(epsilon={self.epsilon!r}, delta={self.delta!r}, "
            f"mu={self.mu!r}, adjacency={self.adjacency!r}, unit={self.unit!r}, "
            f"{len(self.costs)} fits)"
        )

    def __str__(self) -> str:
        return as_text(self._facts(), self._rows())

    def _repr_html_(self) -> str:
        return as_html(self._facts(), self._rows())


def compose(reports, *, delta: float | None = None) -> ComposedReport:
    """Return what fits to the same people amount to.

    Parameters
    ----------
    reports : sequence of PrivacyReport, or dict of name to PrivacyReport
        ``privacy_`` of each fit, and of each error of a fit that failed; one at
        least.
    delta : float, default=None
        The delta at which epsilon is told, in [1e-18, 1). None is that of the
        reports, which must be one then.

    Returns
    -------
    report : ComposedReport
        Prints a row for each fit, and the total.

    Raises
    ------
    TypeError
        When one is no report.
    ValueError
        When reports differ in adjacency, unit or, without `delta`, in delta.

    Notes
    -----
    Privacy: the total is exact where what each fit asked for was decided beforehand.
    Where results of a fit decided what a later one asked for, only a bound that was
    set before the first of them is a guarantee (Rogers et al. [2]_): `PrivacyBudget`
    keeps one. That the reports are of the same people, and of all fits to them, is
    for the caller to know. Reports of fits that went on from one another, by
    ``warm_start=True``, speak of both already.

    References
    ----------
    .. [1] J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of
       the Royal Statistical Society B 84(1), 2022.
    .. [2] R. Rogers, A. Roth, J. Ullman, S. Vadhan, "Privacy Odometers and Filters:
       Pay-as-you-Go Composition", NeurIPS 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdpgmm import DPKMeans, DPLogisticRegression
    >>> from skdpgmm.privacy import compose
    >>> X, y = load_digits(return_X_y=True)
    >>> clusters = DPKMeans(10, epsilon=1.0).fit(X)
    >>> classifier = DPLogisticRegression(epsilon=2.0).fit(X, y)
    >>> both = compose({"k-means": clusters.privacy_, "head": classifier.privacy_})
    >>> round(both.epsilon, 3)
    2.302
    """
    if not isinstance(reports, Iterable):
        raise TypeError(
            "reports must be a sequence or a dict of reports, got "
            f"{type(reports).__name__}."
        )
    named = reports if isinstance(reports, Mapping) else _numbered(reports)
    for name, report in named.items():
        if not isinstance(report, PrivacyReport):
            raise TypeError(
                "reports must be instances of PrivacyReport, as privacy_ of a fit is; "
                f"got {type(report).__name__} as {name!r}."
            )
    if not named:
        raise ValueError("reports must have at least one report, got none.")
    first, *others = named.values()
    names = ("adjacency", "unit") + (("delta",) if delta is None else ())
    for other in others:
        check_alike(first, other, names)
    costs = tuple(_cost(name, report) for name, report in named.items())
    mu, delta = total_mu(costs), first.delta if delta is None else delta
    public = (pair for report in named.values() for pair in report.declared_public)
    return ComposedReport(
        epsilon=epsilon_from_mu(mu, delta),
        delta=delta,
        mu=mu,
        adjacency=first.adjacency,
        unit=first.unit,
        costs=costs,
        not_private=next(filter(None, (r.not_private for r in named.values())), None),
        declared_public=tuple(dict.fromkeys(public)),
    )


def _numbered(reports):
    return {f"fit {i}": report for i, report in enumerate(reports, 1)}


def _cost(name, report) -> Cost:
    why = (report.not_private or "").partition(":")[0]
    return Cost(
        str(name), report.epsilon, report.delta, report.mu, len(report.ledger), why
    )
