"""What fits are charged: each debited in full before it has seen a record.

A debit is an event of the budget, and so is what became of it. The rest follows from
the events in order.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from skdpgmm._estimators.budget_file import Event, EventsInFile, EventsInMemory
from skdpgmm._estimators.randomness import is_seed, warn
from skdpgmm._rows.persons import bound_of
from skdpgmm.privacy.accounting import (
    BudgetExceededError,
    Ledger,
    mu_from_epsilon,
    unit_factor,
)
from skdpgmm.privacy.composition import Cost, epsilon_left, total_mu


@dataclass(frozen=True)
class Declared:
    """What a budget is one of: the same for as long as it lasts."""

    epsilon: float
    delta: float
    adjacency: str
    max_contributions: int | None

    @classmethod
    def checked(cls, epsilon, delta, adjacency, max_contributions) -> Declared:
        """Return them, or say which of them is not legal."""
        mu_from_epsilon(epsilon, delta)
        unit_factor(adjacency, bound_of(max_contributions))
        bound = None if max_contributions is None else int(max_contributions)
        return cls(float(epsilon), float(delta), adjacency, bound)


class Ask(NamedTuple):
    """What a fit asks of a budget, before it has seen a record.

    Attributes
    ----------
    name : str
        Of the estimator.
    epsilon, delta, adjacency, max_contributions, random_state
        As of the estimators.
    enforced : bool
        Whether ids of persons were given.
    """

    name: str
    epsilon: float
    delta: float
    adjacency: str
    max_contributions: int | None
    random_state: Any
    enforced: bool

    @classmethod
    def of(cls, estimator, enforced) -> Ask:
        """Return what the fit of an estimator asks for."""
        return cls(
            type(estimator).__name__,
            estimator.epsilon,
            estimator.delta,
            estimator.adjacency,
            estimator.max_contributions,
            estimator.random_state,
            enforced,
        )

    @property
    def bound(self) -> int | None:
        """Records of a person, or None for single records."""
        given = self.max_contributions
        return bound_of(given) if self.enforced else given


class Fit(NamedTuple):
    """What one fit is charged, and whether ids of persons held it to its bound."""

    cost: Cost
    enforced: bool


class Charge:
    """What became of a fit that was debited, as a context around it.

    Whoever leaves without a word, as a process that dies does, stays charged in full.

    Parameters
    ----------
    settle : callable or None
        ``settle(state, mu, n_releases)`` is told in the end.

    Attributes
    ----------
    ledger : Ledger or None
        That of the fit, to be set before its first release.
    """

    ledger: Ledger | None = None

    def __init__(self, settle=None):
        self._settle = settle

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self._settle is None:
            return
        ledger = self.ledger
        mu, n = (0.0, 0) if ledger is None else (ledger.spent_mu, len(ledger.entries))
        # What a fit does not spend of its budget stays charged, unless it fails.
        ended = ("fitted", math.inf, n) if error is None else ("failed", mu, n)
        try:
            self._settle(*ended)
        except Exception as other:
            if error is None:
                warn(
                    f"The budget does not know that this fit has ended: {other}",
                    UserWarning,
                )
            else:
                error.add_note(f"The fit stays charged in full: {other}")


class Debits:
    """All debits of one budget.

    Parameters
    ----------
    declared : Declared
    path : str or None
        Of the file; None keeps them in memory.
    id : str, optional
        Of the budget that the file must be of. Without, one is made where there is
        no file.
    """

    def __init__(self, declared: Declared, path: str | None, id: str | None = None):
        self.declared, self.path = declared, path
        self.mu = mu_from_epsilon(declared.epsilon, declared.delta)
        first = {"event": "opened", "id": uuid.uuid4().hex, **asdict(declared)}
        self._events: EventsInMemory | EventsInFile
        if path is None:
            self._events = EventsInMemory(first)
        else:
            self._events = EventsInFile(path)
            if id is None:
                self._events.create(first)
        opened = self._events.read()
        self.id = opened[0]["id"] if id is None else id
        self._fits(opened)

    @staticmethod
    def declared_in(path: str) -> Declared:
        """Return what the budget of a file is one of."""
        first = EventsInFile(path).read()[0]
        return Declared.checked(*(first[one.name] for one in fields(Declared)))

    def fits(self) -> list[Fit]:
        """Return all fits, in order."""
        return self._fits(self._events.read())

    def charge(self, ask: Ask, part: str | None) -> Charge:
        """Debit a fit in full, or refuse it."""
        return Charge(partial(self._settle, self._debit(ask, part)))

    def _debit(self, ask: Ask, part) -> str:
        """Return the number of a new debit."""
        self._check(ask)
        debit = {
            "event": "debit",
            "number": uuid.uuid4().hex,
            "name": ask.name,
            "part": part,
            "epsilon": float(ask.epsilon),
            "delta": float(ask.delta),
            "mu": mu_from_epsilon(ask.epsilon, ask.delta),
            "not_private": math.isinf(ask.epsilon) or is_seed(ask.random_state),
            "enforced": bool(ask.enforced),
            "when": datetime.now(UTC).isoformat(sep=" ", timespec="seconds"),
        }

        def step(events):
            costs = [fit.cost for fit in self._fits(events)]
            if not total_mu([*costs, _debited(debit).cost]) <= self.mu:
                spent = total_mu(costs, part)
                left = epsilon_left(self.mu, spent, ask.delta)
                raise BudgetExceededError(
                    f"{ask.name} asks for epsilon={ask.epsilon!r} and delta="
                    f"{ask.delta!r}, mu={debit['mu']:.6g}; of the budget, mu="
                    f"{self.mu:.6g}, mu={spent:.6g} is spent, and epsilon={left:.6g} "
                    "is left at this delta. No record was read, and nothing was spent."
                )
            return debit

        self._events.add(step)
        return debit["number"]

    def _settle(self, number, state, mu, n_releases):
        """Say what became of a fit, and what it costs, if that is less."""
        event = {"event": "settled", "number": number, "state": state}
        event |= {"mu": mu, "n_releases": n_releases}

        def step(events):
            self._fits(events)
            return event

        self._events.add(step)

    def _check(self, ask: Ask):
        """Refuse a fit that has no guarantee in common with the budget."""
        adjacency, bound = self.declared.adjacency, self.declared.max_contributions
        if ask.adjacency != adjacency:
            raise ValueError(
                f"adjacency must be that of the budget, {adjacency!r}, got "
                f"{ask.adjacency!r}."
            )
        if ask.bound != bound:
            ids = " and privacy_ids" if ask.enforced else ""
            raise ValueError(
                f"max_contributions must be that of the budget of {_unit(bound)}, "
                f"{bound}; got {ask.max_contributions}{ids}, a fit of "
                f"{_unit(ask.bound)}."
            )
        if math.isinf(self.mu):
            return
        if is_seed(ask.random_state):
            raise ValueError(
                f"random_state={ask.random_state} is an int, so that the fit would not "
                "be private, and a budget would say that it is: leave it at None, or "
                "give a RandomState."
            )

    def _fits(self, events: list[Event]) -> list[Fit]:
        """Return what each fit is charged, from the events so far."""
        first, *others = events
        self._check_file(first)
        fits: dict[str, Fit] = {}
        for event in others:
            number = event["number"]
            if event["event"] == "debit":
                fits[number] = _debited(event)
            else:
                fits[number] = _settled(fits[number], event)
        return list(fits.values())

    def _check_file(self, first: Event):
        """Refuse a file that is of another budget."""
        for name, value in asdict(self.declared).items():
            if first[name] != value:
                raise ValueError(
                    f"{name} must be that of the budget in path={self.path!r}, "
                    f"{first[name]!r}, got {value!r}."
                )
        if first["id"] != self.id:
            raise ValueError(
                f"path={self.path!r} is another budget than it was: what was spent "
                "of the first is not in it."
            )


def _debited(event: Event) -> Fit:
    """Return a fit of which no more is known than that it was debited."""
    cost = Cost(
        name=event["name"],
        epsilon=event["epsilon"],
        delta=event["delta"],
        mu=event["mu"],
        n_releases=None,
        state="begun, NOT PRIVATE" if event["not_private"] else "begun",
        part=event["part"],
        when=event["when"],
    )
    return Fit(cost, event["enforced"])


def _settled(fit: Fit, event: Event) -> Fit:
    cost = fit.cost
    cost = cost._replace(
        mu=min(event["mu"], cost.mu),
        n_releases=event["n_releases"],
        state=cost.state.replace("begun", event["state"]),
    )
    return fit._replace(cost=cost)


def _unit(bound) -> str:
    if bound is None:
        return "single records"
    return f"persons with at most {bound} {'record' if bound == 1 else 'records'}"
