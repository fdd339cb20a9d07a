"""What an ordinary search over private estimators costs, and what it gives away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    ParameterGrid,
    RandomizedSearchCV,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from skdpgmm._estimators.search_candidates import name_default, private_of
from skdpgmm.privacy.accounting import compose_mu, epsilon_from_mu, mu_from_epsilon
from skdpgmm.privacy.report import as_text

# Of which a record is held out once, or once in each repetition.
_FOLDS = (KFold, StratifiedKFold, GroupKFold, StratifiedGroupKFold)
_REPEATED = (RepeatedKFold, RepeatedStratifiedKFold)
_LEAK = (
    "NOT PRIVATE: the scores are computed on private records without noise, and "
    "so are cv_results_, best_score_, best_params_ and the choice of best_estimator_"
)
_REMEDY = (
    "search with PrivateSearchCV, or on public records, and fit what was chosen to "
    "the private ones once"
)
_FOLDS_GO_BY_PLACE = (
    "that the fold of a record does not depend on the others; the folds of "
    "scikit-learn go by place, so that without one record others move too, and it is "
    "more"
)


@dataclass(frozen=True)
class SearchPrivacy:
    """What the fits of an ordinary search cost together.

    Attributes
    ----------
    epsilon : float
        Of the fitted models alone, at `delta`: not of scores and choices, which are
        not private at all. Infinite where something that is fitted is not private.
    delta : float
        That of the candidates, the largest; nan where none is private.
    mu : float
        The same in Gaussian differential privacy.
    n_candidates, n_splits : int
    n_fits : int
        Of all, with the last one where there is one.
    fits_of_a_record : int
        How many of them a record is part of, at most.
    not_private : tuple of str
        What makes candidates not private, if anything does.
    """

    epsilon: float
    delta: float
    mu: float
    n_candidates: int
    n_splits: int
    n_fits: int
    fits_of_a_record: int
    not_private: tuple[str, ...]

    def __str__(self) -> str:
        unsafe = [("not private", text) for text in self.not_private]
        models = f"({self.epsilon:.5g}, {self.delta:g})-DP, mu={self.mu:.5g}"
        facts = [
            ("warning", _LEAK),
            ("instead", _REMEDY),
            *unsafe,
            ("models", "not private" if math.isinf(self.mu) else models),
            ("fits", f"{self.n_fits}, of which a record is in {self.fits_of_a_record}"),
            ("assumed", _FOLDS_GO_BY_PLACE),
        ]
        header = ("candidates", "splits", "fits")
        row = (self.n_candidates, self.n_splits, self.n_fits)
        return as_text(facts, [header, tuple(map(str, row))])


def search_privacy(search) -> SearchPrivacy:
    """Return what an ordinary search of scikit-learn costs, and what it gives away.

    Parameters
    ----------
    search : GridSearchCV or RandomizedSearchCV
        Over private estimators; fitted, or about to be.

    Returns
    -------
    privacy : SearchPrivacy
        Prints as a report.

    Raises
    ------
    TypeError
        When it is another kind of search.
    ValueError
        When candidates or splits are known only once it is fitted.

    See Also
    --------
    PrivateSearchCV : A search that is private as a whole.

    Notes
    -----
    Privacy: nothing is read but parameters and settings, so that the report costs
    nothing. A record is in all training folds but its own, for each candidate, and in
    the last fit; the noise of these is independent. Where folds are not of one of the
    kinds that hold a record out once, it is counted in all of them.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skdpgmm import DPLogisticRegression, search_privacy
    >>> search = GridSearchCV(DPLogisticRegression(), {"epsilon": [1.0, 2.0, 4.0]})
    >>> report = search_privacy(search)
    >>> report.fits_of_a_record, round(report.epsilon, 1)
    (13, 12.3)
    """
    if not isinstance(search, GridSearchCV | RandomizedSearchCV):
        raise TypeError(
            "search must be a GridSearchCV or a RandomizedSearchCV, got "
            f"{type(search).__name__}; a PrivateSearchCV has its report as privacy_."
        )
    settings = _settings(search)
    n_splits, n_times = _splits(search)
    unsafe: dict[str, None] = {}
    mus, deltas = [], []
    for params in settings:
        candidate = clone(search.estimator)
        name_default(candidate)
        try:
            private = private_of(candidate.set_params(**params))
        except TypeError as error:
            unsafe[str(error)] = None
            continue
        if private.seeded:
            unsafe["random_state is an int: whoever tries all takes the noise"] = None
        mus.append(mu_from_epsilon(private.core.epsilon, private.core.delta))
        deltas.append(private.core.delta)
    refit = search.refit is not False
    mu, delta = math.inf, max(deltas, default=math.nan)
    if not unsafe:
        last = [_of_winner(search, mus)] if refit else []
        mu = compose_mu([*mus * n_times, *last])
    return SearchPrivacy(
        epsilon=math.inf if math.isinf(mu) else epsilon_from_mu(mu, delta),
        delta=delta,
        mu=mu,
        n_candidates=len(settings),
        n_splits=n_splits,
        n_fits=len(settings) * n_splits + refit,
        fits_of_a_record=len(settings) * n_times + refit,
        not_private=tuple(unsafe),
    )


def _settings(search) -> list[dict[str, Any]]:
    if hasattr(search, "cv_results_"):
        return list(search.cv_results_["params"])
    if isinstance(search, GridSearchCV):
        return list(ParameterGrid(search.param_grid))
    raise ValueError(
        "search draws its candidates when it is fitted: fit it to public records, and "
        "ask then."
    )


def _splits(search):
    """Return the number of splits, and in how many a record is trained on at most."""
    cv = check_cv(search.cv, classifier=True)
    try:
        n = getattr(search, "n_splits_", None) or cv.get_n_splits()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"cv={search.cv!r} has a number of splits only once search is fitted."
        ) from error
    n = int(n)
    if type(cv) in _REPEATED:
        return n, n - int(cv.n_repeats)
    return n, n - 1 if type(cv) in _FOLDS else n


def _of_winner(search, mus):
    """Return the mu of the last fit: the largest, until it is known."""
    best = getattr(search, "best_index_", None)
    return max(mus) if best is None else mus[best]
