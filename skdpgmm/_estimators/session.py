"""One fit: the records behind their releases, the budget, public randomness."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.view import View
from skdpgmm._estimators.privacy_ids import describe_unit
from skdpgmm._estimators.randomness import (
    entropy_of,
    generator_of,
    is_seed,
    make_keys,
    warn_of_seed,
)
from skdpgmm._estimators.transcript import Told, noting
from skdpgmm._rows.persons import bound_of
from skdpgmm.privacy.accounting import Ledger, mu_from_epsilon
from skdpgmm.privacy.noise import GaussianSource
from skdpgmm.privacy.quality import Quality
from skdpgmm.privacy.records import PrivateRecords, Rows
from skdpgmm.privacy.report import Decision, PrivacyReport


@dataclass
class Account:
    """What one fit promises, may spend, and has spent.

    Parameters
    ----------
    epsilon, delta, adjacency, max_contributions, random_state
        As of the estimators.
    enforced : bool
        Whether ids of persons were given, that enforce `max_contributions`.
    declared_public : tuple of (str, str)
        What the caller says is public, and the guarantee rests on: name and text.
    classes : ndarray of shape (n_classes,), or None without labels
        The public classes.
    """

    epsilon: float
    delta: float
    adjacency: str
    max_contributions: int | None
    random_state: Any
    enforced: bool = False
    declared_public: tuple[tuple[str, str], ...] = ()
    classes: Any = None
    ledger: Ledger = field(init=False)
    decisions: list[Decision] = field(init=False, default_factory=list)
    notes: list[Quality] = field(init=False, default_factory=list)

    def __post_init__(self):
        self.ledger = Ledger(mu_from_epsilon(self.epsilon, self.delta))

    @property
    def mu(self) -> float:
        """The budget."""
        return self.ledger.mu

    def behind(
        self,
        rows: Rows,
        source: GaussianSource,
        watch: Callable[[str], AbstractContextManager] = nullcontext,
    ) -> PrivateRecords:
        """Return what answers about rows, by releases that this account pays."""
        return PrivateRecords(
            rows,
            ledger=self.ledger,
            adjacency=self.adjacency,
            max_contributions=bound_of(self.max_contributions),
            source=source,
            watch=watch,
        )

    def report(self) -> PrivacyReport:
        """Return the guarantee, and what was released so far."""
        seeded = is_seed(self.random_state)
        by = f"random_state={self.random_state}" if seeded else "the operating system"
        return PrivacyReport(
            epsilon=float(self.epsilon),
            delta=float(self.delta),
            mu=self.mu,
            adjacency=self.adjacency,
            unit=describe_unit(self.max_contributions, self.enforced),
            noise=f"AES-CTR, seeded by {by}",
            ledger=tuple(self.ledger.entries),
            seeded=seeded,
            declared_public=self.declared_public,
            decisions=tuple(self.decisions),
            quality=self.quality(),
        )

    def quality(self) -> Quality | None:
        """Return what was noted so far of what stands out of its noise."""
        if not self.notes:
            return None
        found = reduce(Quality.joined, self.notes)
        return found.named(None if self.classes is None else self.classes.tolist())


class Session(NamedTuple):
    """What the algorithm of a fit gets, in place of the data.

    Attributes
    ----------
    records : PrivateRecords
        Answers by releases only.
    account : Account
        The budget.
    public_rng : numpy.random.Generator
        Public randomness.
    public_key : int
        That of public randomness.
    told : list of Told
        What was released so far.
    """

    records: PrivateRecords
    account: Account
    public_rng: np.random.Generator
    public_key: int
    told: list[Told]

    @classmethod
    def open(
        cls,
        rows: Rows,
        account: Account,
        watch: Callable[[str], AbstractContextManager] = nullcontext,
    ) -> Session:
        """Put rows that were looked at behind a `PrivateRecords` with its budget."""
        seed = account.random_state
        if not math.isinf(account.mu):
            warn_of_seed(seed)
        source, public_key = make_keys(entropy_of(seed), is_seed(seed))
        return cls.of(account.behind(rows, source, watch), account, public_key)

    @classmethod
    def of(cls, records, account: Account, public_key: int) -> Session:
        """Return the session of records that answer by releases, which it notes."""
        told: list[Told] = []
        public_rng = generator_of(public_key)
        return cls(noting(records, told), account, public_rng, public_key, told)

    @property
    def budget(self) -> Budget:
        """The whole budget."""
        return Budget(self.account.mu)

    def left(self) -> Budget:
        """Return what is not spent yet, rounded down."""
        mu = self.account.mu
        if math.isinf(mu):
            return self.budget
        share = 1.0 - (self.account.ledger.spent_mu / mu) ** 2
        return Budget(mu * math.sqrt(max(share, 0.0)) * (1.0 - 1e-12))

    def view(self, n_features) -> View:
        """Return the records as algorithms see them before a ball is found."""
        account = self.account
        return View.of(
            self.records,
            n_features,
            self.public_rng,
            account.decisions,
            account.notes,
        )
