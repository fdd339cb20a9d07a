"""What a search may spend, on which part of the records, and what it has spent."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from skdpgmm._algorithms.budget import SEARCH, SEARCH_WITHOUT_REFIT, Budget
from skdpgmm._estimators.search_candidates import Candidate
from skdpgmm._estimators.session import Account
from skdpgmm.privacy.accounting import (
    MIN_EPSILON,
    compose_mu,
    epsilon_from_mu,
    epsilon_within_mu,
    mu_from_epsilon,
)
from skdpgmm.privacy.parts import ALL, PartsLedger, PartsReport

TO_FIT, TO_SCORE = "to fit", "to score"
# Above the errors of a few float64 operations, far below any effect.
_SLACK = 1e-9


@dataclass
class SearchAccount(Account):
    """The account of a search, whose releases are about parts of the records.

    Parameters
    ----------
    seeded_inside : bool
        Whether an estimator has an int as seed of its own.
    """

    seeded_inside: bool = False
    ledger: PartsLedger = field(init=False)

    def __post_init__(self):
        self.ledger = PartsLedger(mu_from_epsilon(self.epsilon, self.delta))

    def part_of(self, mu, random_state) -> Account:
        """Return an account of a part of the budget, for one release of its own."""
        return Account(
            epsilon_within(mu, self.delta),
            self.delta,
            self.adjacency,
            self.max_contributions,
            random_state,
        )

    def book(self, part, what, entries):
        """Debit releases, under a name that says what they were for."""
        self.ledger.debit(
            [replace(entry, name=f"{what}, {entry.name}") for entry in entries], part
        )

    def report(self) -> PartsReport:
        """Return the guarantee, and what was released so far."""
        told = super().report()
        given = {one.name: getattr(told, one.name) for one in fields(told)}
        given["seeded"] = told.seeded or self.seeded_inside
        return PartsReport(**given, parts=tuple(self.ledger.parts))


class Level(NamedTuple):
    """Candidates that are run together: all, or those of one epsilon.

    Attributes
    ----------
    numbers : list of int
        Places of the candidates.
    fit_mu : float
        For the releases of each group that shares them.
    score_mu : float
        For the counts of each candidate.
    refit_mu : float
        For the winner, if it is one of these; 0 without a refit.
    n_groups : int
    """

    numbers: list[int]
    fit_mu: float
    score_mu: float
    refit_mu: float
    n_groups: int

    def costs(self) -> dict[str, float]:
        """Return what it costs if the winner is one of its candidates."""
        return {
            TO_FIT: self.fit_mu * math.sqrt(self.n_groups),
            TO_SCORE: self.score_mu * math.sqrt(len(self.numbers)),
            ALL: self.refit_mu,
        }


def level_of_all(candidates: list[Candidate], mu, refit) -> Level:
    """Return one level, whose candidates share the budget."""
    n, n_groups = len(candidates), n_groups_of(candidates)
    budgets = Budget(mu).split(SEARCH if refit else SEARCH_WITHOUT_REFIT)
    to_each = budgets["candidates"]
    return Level(
        list(range(n)),
        to_each.each(n_groups).mu,
        to_each.each(n).mu,
        budgets["refit"].mu,
        n_groups,
    )


def levels_by_epsilon(candidates: list[Candidate], delta, refit) -> list[Level]:
    """Return a level for each epsilon of the candidates, ascending.

    Each fit and each refit has the epsilon of its candidate. The counts of a level cost
    what its fits do: they are about other records, so that this is free.
    """
    found = []
    for epsilon in sorted({float(one.epsilon) for one in candidates}):
        numbers = [i for i, one in enumerate(candidates) if one.epsilon == epsilon]
        n_groups = n_groups_of([candidates[i] for i in numbers])
        mu = mu_from_epsilon(epsilon, delta)
        score_mu = mu * math.sqrt(n_groups / len(numbers)) * (1.0 - _SLACK)
        found.append(Level(numbers, mu, score_mu, mu if refit else 0.0, n_groups))
    return found


def cost_of(levels: list[Level]) -> float:
    """Return the mu of a search that runs all levels, with the dearest last fit."""
    fits = compose_mu(level.costs()[TO_FIT] for level in levels)
    return compose_mu([fits, max(level.refit_mu for level in levels)])


def n_groups_of(candidates: list[Candidate]) -> int:
    """Return how many groups of candidates share their releases."""
    return len({one.release_group for one in candidates})


def epsilon_for(mu, delta) -> float:
    """Return an epsilon that affords a search of this mu, but for rounding."""
    return epsilon_from_mu(mu * (1.0 + _SLACK), delta)


def epsilon_within(mu, delta) -> float:
    """Return the epsilon of a part of a budget, which costs no more than its mu."""
    try:
        return epsilon_within_mu(mu, delta)
    except ValueError as error:
        raise ValueError(
            "epsilon is too small for so many candidates: the part of one is "
            f"mu={mu:.3g}, which at delta={delta:g} is less than epsilon="
            f"{MIN_EPSILON:g}. Try fewer, or give a larger epsilon."
        ) from error


class Plan(NamedTuple):
    """What a search is going to run, and by which epsilon.

    Attributes
    ----------
    epsilon : float
        Of the whole.
    levels : list of Level
        In order.
    searched : bool
        Whether candidates have epsilons of their own.
    """

    epsilon: float
    levels: list[Level]
    searched: bool


def plan_of(search: Any, candidates: list[Candidate]) -> Plan:
    """Plan a search, or say why its budget and its candidates do not go together."""
    epsilon, delta = search.epsilon, search.delta
    searched = any(
        f"{one.private.core_path}epsilon" in one.params for one in candidates
    )
    if not searched:
        for name, value in (("stop_at", search.stop_at), ("epsilon", epsilon)):
            if (value is None) == (name == "epsilon"):
                raise ValueError(
                    f"{name} can be {value!r} only where epsilon is searched, with "
                    f"{candidates[0].private.core_path}epsilon in param_grid."
                )
        level = level_of_all(candidates, mu_from_epsilon(epsilon, delta), search.refit)
        for mu in filter(None, (level.fit_mu, level.score_mu, level.refit_mu)):
            epsilon_within(mu, delta)
        return Plan(float(epsilon), [level], False)
    levels = levels_by_epsilon(candidates, delta, search.refit)
    if epsilon is None:
        return Plan(epsilon_for(cost_of(levels), delta), levels, True)
    # A filter may end before the last level, and a search of all must not.
    needed = levels if search.stop_at is None else levels[:1]
    if cost_of(needed) > mu_from_epsilon(epsilon, delta):
        enough = 1.0005 * epsilon_for(cost_of(needed), delta)  # in four digits
        raise ValueError(
            f"epsilon={epsilon:g} is less than the candidates cost, {enough:.4g} with "
            "the last fit: give as much, or None, or try smaller or fewer values."
        )
    return Plan(float(epsilon), levels, True)
