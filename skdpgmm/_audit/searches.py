"""Searches that are watched: what they have released, and about which records."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from skdpgmm._estimators.search import PrivateSearchCV
from skdpgmm._estimators.search_account import TO_FIT, TO_SCORE
from skdpgmm._estimators.search_parts import deal
from skdpgmm._estimators.search_runs import right_of
from skdpgmm._estimators.search_scores import cells_of


class WatchedSearch(PrivateSearchCV):
    """A search that keeps all of its fits, and its records: for an audit only."""

    # The run of the search, with its records.
    watched: Any

    def _run(self, search):
        self.watched = search
        return search.run()


def to_watch(estimator):
    """Have an estimator be watched, in place, if it is a search."""
    if type(estimator) is PrivateSearchCV:
        estimator.__class__ = WatchedSearch
    return estimator


class Score(NamedTuple):
    """Released counts of wrong and right predictions of one candidate.

    Attributes
    ----------
    estimator : estimator
        Fitted.
    counts : ndarray of shape (n_groups, 2)
    classes : ndarray of shape (n_classes,)
    """

    estimator: Any
    counts: np.ndarray
    classes: np.ndarray

    def tell(self, entries, sets, note):
        """Compare the counts with those of sets of records, as `Teller.tell` does."""
        exact = [self._counted(*one) for one in sets]
        note(next(entries), np.ravel(self.counts), exact)

    def _counted(self, data, kept):
        places = slice(None) if kept is None else np.flatnonzero(kept)
        X, y = data.X[places], data.y[places]
        right = right_of(self.estimator, (X, y) if len(X) else None)
        codes = data.codes(self.classes)[places]
        cells = cells_of(codes, right, len(self.counts))
        return np.bincount(cells, minlength=self.counts.size).astype(np.float64)


def rules_of(search: WatchedSearch) -> list[Any]:
    """Return what says which records each release of a search is about.

    Each maps a data set to a mask, by the key of this search.
    """
    key, share = search.watched.parts.key, search.test_size

    def dealt(data, part):
        scores = deal(data.X, data.ids, share, key)
        kept = {TO_SCORE: scores, TO_FIT: ~scores}
        return kept.get(part, np.ones(len(scores), dtype=bool))

    return [partial(dealt, part=made.part) for made in search.watched.made]


def steps_before(estimator) -> tuple[Any, ...]:
    """Return the fitted public steps before what is private, as transformers."""
    found = []
    while isinstance(estimator, Pipeline):
        if len(estimator) > 1:
            found.append(estimator[:-1])
        estimator = estimator[-1]
    return tuple(found)
