"""The run of a search: level by level, until all are run or one is good enough."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from skdpgmm._estimators.randomness import is_seed
from skdpgmm._estimators.search_account import (
    TO_FIT,
    TO_SCORE,
    Level,
    Plan,
    SearchAccount,
    epsilon_within,
)
from skdpgmm._estimators.search_candidates import Candidate, columns_of
from skdpgmm._estimators.search_parts import Parts
from skdpgmm._estimators.search_runs import ready, run
from skdpgmm._estimators.search_scores import Scores
from skdpgmm._estimators.training_rows import make_seeds
from skdpgmm.exceptions import SeededNoiseWarning
from skdpgmm.privacy.accounting import LedgerEntry, epsilon_from_mu
from skdpgmm.privacy.parts import ALL
from skdpgmm.privacy.report import Decision


class Found(NamedTuple):
    """The winner: its number, itself, and what its fit has warned of."""

    number: int
    estimator: Any
    warned: list[tuple[str, type]]


class Made(NamedTuple):
    """What a search has released at once, of one part of the records.

    Attributes
    ----------
    part : str
    estimator : estimator
        Fitted, of which there are the releases, or a score.
    counts : ndarray of shape (n_groups, 2), or None
        The score.
    """

    part: str
    estimator: Any
    counts: np.ndarray | None


class Search:
    """One search, from candidates to a winner.

    Parameters
    ----------
    options : PrivateSearchCV
        Its parameters.
    candidates : list of Candidate
    plan : Plan
    parts : Parts
    account : SearchAccount

    Attributes
    ----------
    made : list of Made
        All releases, in the order of the ledger.
    parts : Parts
        As given.
    """

    def __init__(
        self,
        options,
        candidates: list[Candidate],
        plan: Plan,
        parts: Parts,
        account: SearchAccount,
    ):
        self._options, self._plan = options, plan
        self._candidates, self.parts, self._account = candidates, parts, account
        self._seeds = make_seeds(options.random_state)
        self._seeded = is_seed(options.random_state)
        self._scores = Scores(
            parts.codes, len(parts.classes), parts.scores, options.scoring
        )
        self._level_of: dict[int, Level] = {}
        self._fitted: dict[int, Found] = {}
        self.made: list[Made] = []

    def run(self) -> Found:
        """Fit and score, and fit the winner once more where that is asked for."""
        stop_at = self._options.stop_at
        reached = False
        among: list[int] | None = None
        for level in self._plan.levels:
            if not self._account.ledger.affords(level.costs()):
                break
            self._run_level(level)
            if stop_at is not None:
                low = self._table()["low_test_score"][level.numbers]
                if reached := bool(np.any(low >= stop_at)):
                    among = level.numbers
                    break
        self._scores.doubt_sizes()
        best = self._best(among or list(self._fitted))
        self._decide(best, reached)
        return self._refitted(best) if self._options.refit else self._fitted[best]

    def table(self) -> dict[str, Any]:
        """Return ``cv_results_``."""
        n = len(self._candidates)
        epsilons = np.zeros(n)
        for i, level in self._level_of.items():
            mu = max(level.fit_mu, level.score_mu)
            epsilons[i] = np.inf if np.isinf(mu) else epsilon_from_mu(mu, self._delta)
        groups = np.array([one.release_group for one in self._candidates])
        settings = [one.params for one in self._candidates]
        return {
            **columns_of(settings),
            **self._table(),
            "epsilon": epsilons,
            "release_group": groups,
        }

    @property
    def _delta(self):
        return self._options.delta

    def _table(self):
        return self._scores.table(len(self._candidates))

    def _run_level(self, level: Level):
        groups: dict[int, list[int]] = {}
        for i in level.numbers:
            groups.setdefault(self._candidates[i].release_group, []).append(i)
        calls = [
            (
                [self._ready(i, level.fit_mu) for i in numbers],
                self.parts.X,
                self.parts.y,
                self.parts.to_fit,
                self.parts.scored(),
            )
            for numbers in groups.values()
        ]
        right: dict[int, np.ndarray] = {}
        errors = []
        for (group, numbers), found in zip(
            groups.items(), self._runs(calls, groups, level), strict=False
        ):
            self._account.book(TO_FIT, f"fit {group}", found.ledger)
            if found.error is not None:
                errors.append(found.error)
                continue
            self.made.append(Made(TO_FIT, found.fitted[0], None))
            for i, model, warned, its in zip(
                numbers, found.fitted, found.warned, found.right, strict=True
            ):
                self._fitted[i] = Found(i, model, warned)
                right[i] = its
        if errors:
            raise errors[0]
        for i in level.numbers:
            self._level_of[i] = level
            account = self._account.part_of(level.score_mu, self._noise_seed())
            try:
                with warnings.catch_warnings():
                    # This is said at once, of the search as a whole.
                    warnings.simplefilter("ignore", SeededNoiseWarning)
                    counts = self._scores.release(i, right[i], account)
            finally:
                self._account.book(TO_SCORE, f"score {i}", account.ledger.entries)
            self.made.append(Made(TO_SCORE, self._fitted[i].estimator, counts))

    def _runs(self, calls, groups, level):
        """Yield what comes of each group, and no more of them after a failure."""
        if effective_n_jobs(self._options.n_jobs) == 1:
            for call in calls:
                found = run(*call)
                yield found
                if found.error is not None:
                    return
            return
        try:
            found = Parallel(n_jobs=self._options.n_jobs)(
                delayed(run)(*call) for call in calls
            )
        except BaseException:
            # Nobody knows what processes have released that never came back.
            for group in groups:
                lost = LedgerEntry("lost with its process", (), 1.0, level.fit_mu)
                self._account.book(TO_FIT, f"fit {group}", [lost])
            raise
        yield from found

    def _ready(self, number, mu):
        candidate = self._candidates[number]
        epsilon = candidate.epsilon
        if not self._plan.searched:
            epsilon = epsilon_within(mu, self._delta)
        return ready(candidate, epsilon, self._delta, self._seeds, self._seeded)

    def _noise_seed(self):
        return int(self._seeds.randint(2**31 - 1)) if self._seeded else None

    def _best(self, numbers):
        scores = self._table()["mean_test_score"]
        return max(numbers, key=lambda i: scores[i])

    def _decide(self, best, reached):
        """Note what was chosen, and by which released numbers."""
        table, stop_at = self._table(), self._options.stop_at
        because = {
            "score": float(table["mean_test_score"][best]),
            "noise_sd": float(table["noise_sd_test_score"][best]),
        }
        decide = self._account.decisions.append
        decide(Decision("best_index_", best, because))
        if stop_at is not None:
            low = float(table["low_test_score"][best])
            because = {"lower_end": low, "stop_at": float(stop_at)}
            decide(Decision("stop_at reached", reached, because))

    def _refitted(self, best) -> Found:
        mu = self._level_of[best].refit_mu
        found = run(
            [self._ready(best, mu)],
            self.parts.X,
            self.parts.y,
            self.parts.all,
            None,
        )
        self._account.book(ALL, "refit", found.ledger)
        if found.error is not None:
            raise found.error
        self.made.append(Made(ALL, found.fitted[0], None))
        return Found(best, found.fitted[0], found.warned[0])
