"""Fits with a unit and without, and what they give to whoever attacks them."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone

from skdpgmm._audit.attributes import attributes_of
from skdpgmm._audit.neighbours import Dataset
from skdpgmm._audit.paths import Path, path_of, with_transcript
from skdpgmm._audit.searches import to_watch


class Pair(NamedTuple):
    """Two data sets that differ in one unit.

    Attributes
    ----------
    out, there : Dataset
        Without the unit and with it, or with another in its place.
    max_contributions : int or None
        Records of the unit that take part.
    """

    out: Dataset
    there: Dataset
    max_contributions: int | None


class Seeds(NamedTuple):
    """Where the randomness of fits comes from.

    Attributes
    ----------
    rng : Generator
    fixed : bool
        Whether noise follows from it too. If not, its key is that of the operating
        system, as in use.
    """

    rng: np.random.Generator
    fixed: bool

    def next(self) -> Any:
        """Return a `random_state`."""
        seed = int(self.rng.integers(2**32))
        return seed if self.fixed else np.random.RandomState(seed)


def fitted(estimator, data, random_state):
    """Return a clone that is fitted to a data set."""
    own = to_watch(clone(estimator))
    names = [
        name
        for name in own.get_params(deep=True)
        if name == "random_state" or name.endswith("__random_state")
    ]
    own.set_params(**dict.fromkeys(names, random_state))
    ids = {} if data.ids is None else {"privacy_ids": data.ids}
    with warnings.catch_warnings():
        # Seeds are no secret here, nor are the records.
        warnings.simplefilter("ignore")
        return own.fit(data.X, data.y, **ids)


def paths(estimator, pair, seeds, n_runs, n_jobs, verbose) -> list[Path]:
    """Return the path of each run; every other one has the unit."""

    def one(data, random_state):
        return path_of(with_transcript(fitted(estimator, data, random_state)), *pair)

    return _each(one, pair, seeds, n_runs, n_jobs, verbose)


def attributes(estimator, pair, seeds, n_runs, n_jobs, verbose) -> list[dict]:
    """Return the attributes of each run; every other one has the unit."""

    def one(data, random_state):
        return attributes_of(fitted(estimator, data, random_state))

    return _each(one, pair, seeds, n_runs, n_jobs, verbose)


def _each(one, pair, seeds, n_runs, n_jobs, verbose):
    tasks = (
        delayed(one)(pair.there if i % 2 else pair.out, seeds.next())
        for i in range(n_runs)
    )
    return Parallel(n_jobs=n_jobs, verbose=verbose)(tasks)
