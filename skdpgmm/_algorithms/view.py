"""Private records as algorithms see them: through a ball, by their releases only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skdpgmm._algorithms.budget import Budget
from skdpgmm._queries.scaled import scaled_ball
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.quality import Quality
from skdpgmm.privacy.records import PrivateRecords, Release
from skdpgmm.privacy.report import Decision


@dataclass(frozen=True, eq=False)
class View:
    """The private records behind their releases, and what is known about them.

    Attributes
    ----------
    records : PrivateRecords
        The records.
    ball : Ball
        What records are clipped to: public, or released.
    public_rng : numpy.random.Generator
        Public randomness.
    n : float or None
        Noisy number of records, at least 1; None until it is released.
    decisions : list of Decision
        What was chosen on the way; one list for all views of a fit.
    notes : list of Quality
        What stands out of its noise, in the same way.
    """

    records: PrivateRecords
    ball: Any
    public_rng: np.random.Generator
    n: Any = None
    decisions: list[Decision] = field(default_factory=list)
    notes: list[Quality] = field(default_factory=list)

    @classmethod
    def of(cls, records, n_features, public_rng, decisions, notes) -> View:
        """Return the view of a fit that begins: of the unit ball about the origin."""
        ball = Ball(np.zeros(n_features), 1.0)
        return cls(records, ball, public_rng, None, decisions, notes)

    @property
    def n_features(self) -> int:
        """Width of what the ball makes of a record."""
        return self.ball.n_features

    @property
    def units(self):
        """Units of the records; None is those of the data."""
        return getattr(self.ball, "units", None)

    def within(self, center, radius) -> View:
        """Return the same records, in the same units, in a ball of its own."""
        return self.through(scaled_ball(center, radius, self.units))

    def measured_in(self, units) -> View:
        """Return the same records in other units."""
        return self.through(scaled_ball(self.ball.center, self.ball.radius, units))

    def through(self, ball) -> View:
        """Return the same records, seen through another ball."""
        return replace(self, ball=ball)

    def counted(self, n) -> View:
        """Return the same records, of which there are about `n`."""
        return replace(self, n=n)

    def release(self, name, query, budgets: Sequence[Budget]) -> tuple[Release, ...]:
        """Spend a budget for each part of a query, and return its noisy sums."""
        return self.records.release(name, query, [budget.mu for budget in budgets])

    def held(self):
        """Return a context in which the records are clipped to the ball once."""
        return self.records.holding(self.ball)

    def decide(self, decision: Decision):
        """Note a choice, unless the last one of its name was the same; return it.

        A choice is made from releases and public numbers only, so that it costs
        nothing to tell. Never give it anything that was counted without noise.
        """
        last = [noted for noted in self.decisions if noted.what == decision.what][-1:]
        if not last or last[0].value != decision.value:
            self.decisions.append(decision)
        return decision.value

    def note(self, quality: Quality):
        """Note what stands out of its noise, from releases and public numbers only."""
        self.notes.append(quality)
