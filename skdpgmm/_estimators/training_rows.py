"""From private records to synthetic rows that any model may be trained on."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED

from skdpgmm._estimators.framed import arrays_only
from skdpgmm._estimators.parameters import WRAPPED
from skdpgmm._estimators.plan import NO_CLASSES
from skdpgmm._estimators.randomness import entropy_of, is_seed
from skdpgmm._estimators.replay import Replayed
from skdpgmm._estimators.saved_wrapper import SavedWrapper
from skdpgmm._estimators.shown import GuaranteeHTML
from skdpgmm._estimators.synthesizer import DPEmbeddingSynthesizer
from skdpgmm._rows.array_api import as_numpy, like
from skdpgmm.privacy.noise import derive_key
from skdpgmm.privacy.report import PrivacyReport

# Rows of a class, however rare: a classifier cannot learn one that it never saw.
_LEAST_ROWS = 10


# What a fitted synthesizer has to tell.
_TOLD = ("classes_", "privacy_", "n_features_in_")


class SynthesizerWrapper(
    SavedWrapper,
    GuaranteeHTML,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """What is fitted around a synthesizer, and never sees a record itself."""

    # Set by the fit.
    n_features_in_: int
    feature_names_in_: np.ndarray
    privacy_: PrivacyReport

    # Asked for wherever metadata are routed: no other estimator means anything else by
    # these names. The groups of scikit-learn's tools are those of splitters.
    __metadata_request__fit = {"privacy_ids": True, "budget": True, "groups": UNUSED}

    _parameter_constraints: dict

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._parameter_constraints = {**WRAPPED, **cls._parameter_constraints}

    def plan(self: Any, n_samples, n_features, n_classes=None):
        """Return what the fit of the synthesizer would release, without a record.

        Parameters
        ----------
        {imagined}

        Returns
        -------
        {plan}

        Raises
        ------
        {not_legal}
        """
        synthesizer = self.synthesizer
        if synthesizer is None:
            synthesizer = DPEmbeddingSynthesizer()
        if not hasattr(synthesizer, "plan"):
            raise TypeError(
                "synthesizer must have a method plan, as DPEmbeddingSynthesizer has; "
                f"{type(synthesizer).__name__} has none."
            )
        if n_classes is None and getattr(synthesizer, "classes", None) is None:
            raise ValueError(NO_CLASSES)
        return synthesizer.plan(n_samples, n_features, n_classes)

    def _take(self: Any, synthesizer):
        """Keep what the fitted synthesizer knows of classes and features."""
        self.classes_ = synthesizer.classes_
        self.n_features_in_ = synthesizer.n_features_in_
        if hasattr(synthesizer, "feature_names_in_"):
            self.feature_names_in_ = synthesizer.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_


def checked_clone(estimator, name):
    """Return a clone whose parameters are legal, as far as it can say before its fit.

    A step of a pipeline is fitted as it is. What other meta-estimators make of theirs,
    such as a search over parameters, is not known. `name` is that of the parameter.
    """
    new = _clone(estimator, name)
    if not get_config()["skip_parameter_validation"]:
        for part in [new, *(step for _, step in getattr(new, "steps", ()))]:
            if hasattr(part, "_parameter_constraints"):
                part._validate_params()
    return new


def _clone(estimator, name):
    try:
        return clone(estimator)
    except (TypeError, RuntimeError) as error:
        raise TypeError(
            f"{name} must be an instance of an estimator that sklearn.base.clone can "
            f"copy, with get_params and set_params; got {type(estimator).__name__}, "
            f"of which it says: {error}"
        ) from error


def check_can_sample(synthesizer, *options):
    """Refuse a synthesizer that cannot draw rows of given labels.

    Parameters
    ----------
    synthesizer : estimator
        With a method `sample`.
    *options : str
        What else this method must take.
    """
    takes = inspect.signature(synthesizer.sample).parameters
    if any(one.kind is one.VAR_KEYWORD for one in takes.values()):
        return
    missing = [name for name in ("y", *options) if name not in takes]
    if missing:
        raise TypeError(
            "synthesizer must draw rows and labels, sample(n_samples, "
            f"{', '.join(f'{name}=...' for name in ('y', *options))}), as that of "
            f"DPEmbeddingSynthesizer does; sample of {type(synthesizer).__name__} does "
            f"not take {' and '.join(missing)}."
        )


def make_seeds(random_state):
    """Return a source of seeds, or None where nothing is to be seeded."""
    return None if random_state is None else check_random_state(random_state)


def make_training_key(seeds) -> int:
    """Return a key for all that comes after the synthesizer; it may be published.

    It leads to nothing else: it is a hash of what `seeds` give, or of the operating
    system.
    """
    return derive_key(entropy_of(seeds), "training")


def seeds_of(key: int):
    """Return the source of seeds that has this key."""
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(key)))


def seed_estimator(estimator, seeds, as_int=True):
    """Seed an estimator that is not seeded yet, by an int or by a RandomState.

    An int makes the noise of a private estimator reproducible, a RandomState does not.
    """
    params = estimator.get_params(deep=False)
    if seeds is not None and "random_state" in params:
        if params["random_state"] is None:
            seed = seeds.randint(2**31 - 1)
            seed = seed if as_int else np.random.RandomState(seed)
            estimator.set_params(random_state=seed)


def fit_synthesizer(estimator, X, y, privacy_ids, budget, seeds, *options):
    """Return a fitted clone of the synthesizer of `estimator`; None is the default.

    `options` are what its method `sample` must take besides labels.
    """
    synthesizer = estimator.synthesizer
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    new = DPEmbeddingSynthesizer()
    if synthesizer is not None:
        new = _clone(synthesizer, "synthesizer")
    check_can_sample(new, *options)
    seed_estimator(new, seeds, as_int=is_seed(estimator.random_state))
    given = {"privacy_ids": privacy_ids, "budget": budget}
    given = {name: value for name, value in given.items() if value is not None}
    task = estimator._callback_fit_ctx.subcontext(task_name="synthesizer")
    task.call_on_fit_task_begin(estimator=estimator)
    with task.propagate_callback_context(new):
        new.fit(X, y, **given)
    # Set at once, so that whatever fails from here on tells them.
    estimator.synthesizer_ = new
    if (report := getattr(new, "privacy_", None)) is not None:
        estimator.privacy_ = report
    missing = [name for name in _TOLD if getattr(new, name, None) is None]
    if missing:
        raise TypeError(
            f"synthesizer must have {', '.join(_TOLD)} when it is fitted, as "
            f"DPEmbeddingSynthesizer has; a fitted {type(new).__name__} has no "
            f"{' and no '.join(missing)}."
        )
    task.call_on_fit_task_end(estimator=estimator)
    return new


def draw_training_rows(synthesizer, n_samples, seeds=None, **options):
    """Draw rows and labels, a few of each class at least.

    Of a class that has too few, `_LEAST_ROWS` or, of many classes, as many as each
    would have of equal shares; but one in any case. Synthesizers of this package draw
    by `seeds`, where there are some.
    """
    with arrays_only():
        return _draw(synthesizer, n_samples, seeds, options)


def _draw(synthesizer, n_samples, seeds, options):
    seeded = {}
    if seeds is not None and isinstance(synthesizer, Replayed):
        seeded = {"random_state": seeds}
    rows, labels = synthesizer.sample(n_samples, **seeded, **options)
    classes = synthesizer.classes_
    position = {label: code for code, label in enumerate(classes.tolist())}
    codes = [position[label] for label in labels.tolist()]
    counts = np.bincount(codes, minlength=len(classes))
    least = max(min(_LEAST_ROWS, n_samples // len(classes)), 1)
    missing = np.repeat(classes, np.maximum(least - counts, 0))
    if not len(missing):
        return rows, labels
    drawn = [(rows, labels), synthesizer.sample(len(missing), y=missing, **seeded)]
    joined = (
        np.concatenate([as_numpy(part) for part in x]) for x in zip(*drawn, strict=True)
    )
    return tuple(like(array, rows) for array in joined)
