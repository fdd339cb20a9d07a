"""The steps of a pipeline that has one budget: which there are, and what each has."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import FunctionTransformer

from skdpgmm._algorithms.budget import Budget, step_shares
from skdpgmm._estimators.debits import Ask
from skdpgmm._estimators.leaks import PAYING, find_leaks, pays_inside
from skdpgmm._estimators.privacy_ids import enforces
from skdpgmm._estimators.randomness import is_seed
from skdpgmm._estimators.replay import say_instead
from skdpgmm._estimators.synthesizer import DPEmbeddingSynthesizer
from skdpgmm._estimators.training_rows import SynthesizerWrapper, checked_clone
from skdpgmm._rows.opened import Asked as Look
from skdpgmm._rows.sources import open_rows
from skdpgmm.privacy.accounting import Ledger, epsilon_within_mu, mu_from_epsilon

# What all private steps must have in common, so that they have one guarantee.
_SHARED = ("adjacency", "max_contributions")


class Asked(NamedTuple):
    """What is asked of all private steps together.

    Attributes
    ----------
    epsilon, delta : float
    shares : dict of str to float, or "auto"
    """

    epsilon: float
    delta: float
    shares: Any

    @property
    def mu(self) -> float:
        """The budget."""
        return mu_from_epsilon(self.epsilon, self.delta)


def is_private(step) -> bool:
    """Whether a step spends a budget."""
    return isinstance(step, PAYING)


def is_there(step) -> bool:
    """Whether a step does anything."""
    return step is not None and step != "passthrough"


def with_budgets(steps, asked: Asked):
    """Return clones of steps, of which the private ones have their budgets.

    Parameters
    ----------
    steps : list of (str, estimator)
        As of a pipeline.
    asked : Asked
        What they are to share.

    Returns
    -------
    steps : list of (str, estimator)
    """
    _refuse_leaks(steps)
    _refuse_rows_together(steps)
    private = [(name, step) for name, step in steps if is_private(step)]
    if not private:
        raise ValueError(
            "steps must have a private estimator, such as DPPCA or "
            f"DPLogisticRegression, got {[type(step).__name__ for _, step in steps]}."
        )
    cloned = {name: _holding(name, _copied(name, step)) for name, step in private}
    _check_one_guarantee({name: holder for name, (_, holder) in cloned.items()})
    budgets = Budget(asked.mu).split(_shares(asked.shares, list(cloned)))
    for name, (_, holder) in cloned.items():
        try:
            epsilon = epsilon_within_mu(budgets[name].mu, asked.delta)
        except ValueError as error:
            raise ValueError(
                f"shares leave too little to step {name!r}: {error}"
            ) from error
        holder.set_params(epsilon=epsilon, delta=asked.delta)
    return [
        (name, cloned[name][0] if is_private(step) else _copied(name, step))
        for name, step in steps
    ]


def ask_of(name, steps, asked: Asked, privacy_ids) -> Ask:
    """Return what a pipeline asks of the budget of a project, for all its steps.

    Parameters
    ----------
    name : str
        Of its class.
    steps : list of (str, estimator)
        With their budgets.
    asked : Asked
        What they share.
    privacy_ids : array-like or None
    """
    private = [(step, _holding("", step)[1]) for _, step in steps if is_private(step)]
    first = private[0][1]
    # A wrapper seeds a synthesizer that has no seed.
    states = [
        step.random_state if holder.random_state is None else holder.random_state
        for step, holder in private
    ]
    return Ask(
        name,
        asked.epsilon,
        asked.delta,
        first.adjacency,
        first.max_contributions,
        next(filter(is_seed, states), None),
        enforces(privacy_ids),
    )


def spent_by(reports) -> Ledger:
    """Return what steps have released, also those that failed, as one ledger."""
    ledger = Ledger(math.inf)
    ledger.debit(entry for report in reports.values() for entry in report.ledger)
    return ledger


def say_of_all(steps, report):
    """Have steps behind the first private one say what all of them have cost.

    The rows that they were fitted to follow from the releases before, so that their
    own are not all that made them.
    """
    for step in [step for _, step in steps if is_private(step)][1:]:
        say_instead(step, report)
        getattr(step, "synthesizer_", step)._transcript = None


def refuse_own(name, given):
    """Refuse ids or a budget for one step: what all of them have is of all of them."""
    for one in ("privacy_ids", "groups", "budget"):
        if one in given:
            raise ValueError(
                f"{one} must be given to the fit of the pipeline, for all its steps, "
                f"got {name}__{one}."
            )


def _copied(name, step):
    return checked_clone(step, name) if is_there(step) else step


def _refuse_leaks(steps):
    for name, step in steps:
        for finding in find_leaks(name, step):
            raise ValueError(str(finding))
        if pays_inside(step):
            raise ValueError(
                f"step {name!r} ({type(step).__name__}) has private estimators inside, "
                "whose budgets cannot be shared: make them steps of the pipeline."
            )


def _refuse_rows_together(steps):
    """Refuse private steps before others whose rows depend, in a bit, on those beside.

    One record could move the bits of all: a sum of them has no bound that holds.
    """
    for name, step in steps[:-1]:
        if is_private(step) and not getattr(step, "_rows_apart", False):
            raise ValueError(
                f"step {name!r} ({type(step).__name__}) must be the last: the last "
                "bits of what it makes of a row depend on the rows beside it, so that "
                "no later step could promise anything. DPPCA and DPStandardScaler may "
                "stand before others."
            )


def _holding(name, step):
    """Return a step, and what in it has the parameters of a budget."""
    if not isinstance(step, SynthesizerWrapper):
        return step, step
    if step.synthesizer is None:
        step.set_params(synthesizer=DPEmbeddingSynthesizer())
    holder = step.synthesizer
    params = holder.get_params(deep=False)
    missing = [p for p in ("epsilon", "delta", *_SHARED) if p not in params]
    if missing:
        raise ValueError(
            f"the synthesizer of step {name!r} must have the parameters "
            f"{', '.join(missing)}, got {type(holder).__name__}."
        )
    return step, holder


def _check_one_guarantee(holders):
    for parameter in _SHARED:
        found = {name: getattr(one, parameter) for name, one in holders.items()}
        if len(set(found.values())) > 1:
            said = ", ".join(f"{value!r} in {name!r}" for name, value in found.items())
            raise ValueError(
                f"{parameter} must be the same in all private steps, got {said}."
            )


def _shares(shares, names):
    if isinstance(shares, str):
        return step_shares(names)
    if set(shares) != set(names):
        raise ValueError(
            f"shares must have one for each private step, {names}, got {dict(shares)}."
        )
    numbers = list(shares.values())
    good = all(
        isinstance(s, int | float | np.number) and 0.0 < s <= 1.0 for s in numbers
    )
    if not (good and sum(numbers) <= 1.0 + 1e-9):
        raise ValueError(
            "shares must be positive numbers that add up to at most 1, got "
            f"{dict(shares)}."
        )
    return dict(shares)


# --------------------------------------------------------------------------
# What goes through steps
# --------------------------------------------------------------------------


def look_before(steps, X, y, privacy_ids):
    """Refuse rows, labels and ids that a later step would, before anything is spent.

    Parameters
    ----------
    steps : list of (str, estimator)
        The first private one, and those after it.
    X : rows of any kind
        What the first of them is given.
    y, privacy_ids : array-like or None
    """
    for _, step in steps:
        if not is_private(step):
            continue
        _, holder = _holding("", step)
        if y is None and (is_classifier(step) or holder is not step):
            raise ValueError("requires y to be passed, but the target y is None")
        labelled = "classes" in holder.get_params(deep=False)
        asked = Look(
            y if labelled else None,
            holder.classes if labelled else None,
            privacy_ids,
            holder.max_contributions,
            getattr(holder, "block_size", 8192),
            getattr(holder, "n_jobs", None),
            type(step).__name__,
        )
        open_rows(X, asked)


def refuse_mixing(name, step, n_features):
    """Refuse a function that makes other numbers of a row beside other rows.

    It is tried on public rows drawn at random. A function that cannot take these is
    not judged.
    """
    if not isinstance(step, FunctionTransformer) or n_features is None:
        return
    rows = np.random.default_rng(0).standard_normal((4, n_features))
    try:
        together = np.asarray(step.transform(rows))
        alone = np.concatenate([np.asarray(step.transform(row[None])) for row in rows])
    except Exception:
        return
    if together.shape != alone.shape or not np.allclose(
        together, alone, rtol=1e-6, equal_nan=True
    ):
        raise ValueError(
            f"step {name!r} (FunctionTransformer) must treat each row by itself: it "
            "makes other numbers of a row when others are beside it."
        )


def check_undoes(name, step):
    """Refuse a step that has no way back."""
    inner = step.estimator if isinstance(step, FrozenEstimator) else step
    one_way = (
        isinstance(inner, FunctionTransformer)
        and inner.func is not None
        and inner.inverse_func is None
    )
    if one_way or not hasattr(step, "inverse_transform"):
        raise ValueError(
            f"rows cannot be put back through step {name!r} "
            f"({type(inner).__name__}), which has no inverse: sample from the last "
            "step, pipeline[-1], for rows as it sees them."
        )


def planned(step, n_samples, n_features, n_classes, last):
    """Return the plan of a private step, and how many features come out of it.

    Parameters
    ----------
    step : estimator
        With its budget.
    n_samples, n_features, n_classes : int, int, int or None
        What is imagined.
    last : bool
        Whether nothing comes after it: then no number of features is needed.
    """
    if isinstance(step, SynthesizerWrapper):
        return step.plan(n_samples, n_features, n_classes), None
    plan, fitted, of_place = step.__rehearsed__(
        n_samples, n_features, n_classes, of_pipeline=True
    )
    if last:
        return plan, None
    if "n_components" in of_place:
        raise ValueError(
            f"n_components of {type(step).__name__} must be a number for a plan, as "
            "that of the features after it follows from the records, got "
            f"{step.n_components!r}."
        )
    return plan, len(fitted.get_feature_names_out())


def width_after(name, step, n_features):
    """Return how many features come out of a step that learns nothing."""
    rows = np.ones((2, n_features))
    try:
        return np.shape(_copied(name, step).fit(rows).transform(rows))[1]
    except Exception as error:
        raise ValueError(
            f"step {name!r} ({type(step).__name__}) does not take rows of "
            f"{n_features} numbers, so that it is not known how many come after it: "
            "plan a pipeline of the steps after it."
        ) from error
