"""The candidates of a search: what is private in each, and what they can share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.randomness import is_seed
from skdpgmm._estimators.synthesizer import DPEmbeddingSynthesizer
from skdpgmm._estimators.synthetic_classifier import DPSyntheticClassifier
from skdpgmm._estimators.training_rows import SynthesizerWrapper, checked_clone

# Parameters that nothing of is released by: what they change is computed from what is
# released. They, and parameters of theirs, differ among candidates at no cost.
POST_PROCESSING: dict[type, tuple[str, ...]] = {
    DPSyntheticClassifier: ("classifier", "n_samples"),
}
# One search has one guarantee, for one kind of neighbours and one set of classes.
_OF_ALL = ("delta", "adjacency", "max_contributions", "classes")


class Private(NamedTuple):
    """What is private in an estimator.

    Attributes
    ----------
    core : PrivateEstimator
        Has the budget.
    fitted : estimator
        Is fitted to the records: the core, or what has it as its synthesizer.
    path : str
        Of what is fitted, as prefix of a parameter: "" or "step__".
    core_path : str
        Of the core.
    steps : tuple of str
        Names of classes of the public steps before it.
    """

    core: Any
    fitted: Any
    path: str
    core_path: str
    steps: tuple[str, ...]

    @property
    def seed(self) -> Any:
        """An int that leads to its noise, or None."""
        states = (one.random_state for one in (self.core, self.fitted))
        return next(filter(is_seed, states), None)

    @property
    def seeded(self) -> bool:
        """Whether an int seed leads to its noise."""
        return self.seed is not None


def private_of(estimator, path="", steps=()) -> Private:
    """Find what is private in an estimator, or say what is not and should be."""
    name = type(estimator).__name__
    if isinstance(estimator, PrivateEstimator):
        return Private(estimator, estimator, path, path, steps)
    if isinstance(estimator, SynthesizerWrapper):
        core = estimator.synthesizer
        if not isinstance(core, PrivateEstimator):
            raise TypeError(
                f"the synthesizer of {name} must be a private estimator of this "
                f"package, got {type(core).__name__}."
            )
        return Private(core, estimator, path, f"{path}synthesizer__", steps)
    if isinstance(estimator, Pipeline):
        *before, (last, final) = estimator.steps
        for _, step in before:
            if not is_public(step):
                raise TypeError(
                    f"steps before a private one must have constants only, got "
                    f"{type(step).__name__}, which learns from the records and "
                    "releases that without noise."
                )
        names = tuple(type(step).__name__ for _, step in before)
        return private_of(final, f"{path}{last}__", (*steps, *names))
    raise TypeError(
        "estimator must be a private classifier of this package, or a Pipeline of "
        f"steps without a fit that ends with one; got {name}, which is not private."
    )


def last_of(estimator):
    """Return the last step of a pipeline, and anything else as it is."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def is_public(step) -> bool:
    """Whether a step of a pipeline learns nothing from rows, as far as it says."""
    return step is None or step == "passthrough" or not get_tags(step).requires_fit


@dataclass
class Candidate:
    """One setting of the parameters.

    Attributes
    ----------
    params : dict
        The setting.
    estimator : estimator
        A clone that has it.
    private : Private
        What is private in the clone.
    release_group : int
        The same for candidates that share their releases.
    """

    params: dict[str, Any]
    estimator: Any
    private: Private = field(init=False)
    release_group: int = -1

    def __post_init__(self):
        self.private = private_of(self.estimator)

    @property
    def epsilon(self) -> float:
        """Epsilon of what is private."""
        return self.private.core.epsilon

    @property
    def seeded(self) -> bool:
        """Whether an int seed of its own leads to its noise."""
        return self.private.seeded

    def releasing(self) -> dict[str, Any]:
        """Return the parameters that may change what is released."""
        path = self.private.path
        free = POST_PROCESSING.get(type(self.private.fitted), ())
        return {
            name: value
            for name, value in self.params.items()
            if not (
                name.startswith(path)
                and name.removeprefix(path).partition("__")[0] in free
            )
        }


def settings_of(param_grid, n_iter, rng) -> list[dict[str, Any]]:
    """Return the settings of a grid, or `n_iter` drawn from distributions.

    Parameters
    ----------
    param_grid : dict or list of dict
    n_iter : int or None
    rng : RandomState
        Public.
    """
    if n_iter is None:
        found = list(ParameterGrid(param_grid))
    else:
        found = list(ParameterSampler(param_grid, n_iter, random_state=rng))
    if not any(found):
        raise ValueError(f"param_grid must name values to try, got {param_grid!r}.")
    return found


def candidates_of(estimator, settings) -> list[Candidate]:
    """Return a candidate for each setting, or say which cannot be searched."""
    base = checked_clone(estimator, "estimator")
    name_default(base)
    found = [
        Candidate(params, checked_clone(_with(base, params), "estimator"))
        for params in settings
    ]
    for candidate in found:
        if not is_classifier(candidate.estimator):
            raise TypeError(
                "estimator must be a classifier, as scores are counts of right "
                f"predictions; got {type(candidate.private.fitted).__name__}."
            )
        checked_clone(candidate.private.core, "estimator")
    _check_one_guarantee(found)
    groups: list[dict[str, Any]] = []
    for candidate in found:
        mine = candidate.releasing()
        same = (i for i, other in enumerate(groups) if _same(mine, other))
        candidate.release_group = next(same, len(groups))
        if candidate.release_group == len(groups):
            groups.append(mine)
    return found


def _with(base, params):
    return checked_clone(base, "estimator").set_params(
        **{
            name: checked_clone(value, name) if hasattr(value, "get_params") else value
            for name, value in params.items()
        }
    )


def name_default(estimator):
    """Put the default synthesizer where None stands for it, to be given a budget."""
    final = last_of(estimator)
    if isinstance(final, SynthesizerWrapper) and final.synthesizer is None:
        final.set_params(synthesizer=DPEmbeddingSynthesizer())


def _check_one_guarantee(candidates):
    first = candidates[0].private.core
    for candidate in candidates:
        core = candidate.private.core
        for name in _OF_ALL:
            given = {f"{candidate.private.core_path}{name}"} & candidate.params.keys()
            one, other = getattr(first, name, None), getattr(core, name, None)
            if given or not _equal(one, other):
                raise ValueError(
                    f"{name} must be that of all candidates, as a search has one "
                    f"guarantee, got {other!r} in {candidate.params}: set it on the "
                    "estimator."
                )


def _equal(one, other):
    """Whether two parameters are equal, arrays of classes by their values."""
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(np.asarray(one), np.asarray(other)))


def _same(one, other):
    """Whether two settings are the same for sure; arrays are by identity only."""
    return one.keys() == other.keys() and all(
        _same_value(value, other[name]) for name, value in one.items()
    )


def _same_value(one, other):
    if one is other:
        return True
    plain = (str, int, float)
    return type(one) is type(other) and isinstance(one, plain) and one == other


def columns_of(settings: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the settings as columns, as in ``cv_results_`` of scikit-learn."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for one in settings for name in one):
        column = np.ma.masked_all(len(settings), dtype=object)
        for i, one in enumerate(settings):
            if name in one:
                column[i] = one[name]
        found[f"param_{name}"] = column
    return {**found, "params": settings}
