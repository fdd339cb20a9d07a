"""Models from files: rebuilt by a replay, and compared with what was saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from sklearn.base import clone

from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.differences import Difference, differences
from skdpgmm._estimators.limits import releases_of
from skdpgmm._estimators.model_file import ModelFile
from skdpgmm._estimators.pipeline import PrivatePipeline
from skdpgmm._estimators.pipeline_steps import is_private
from skdpgmm._estimators.resampler import DPSyntheticResampler
from skdpgmm._estimators.saved import Said, attributes
from skdpgmm._estimators.saved_pipeline import NOTHING, PLAIN
from skdpgmm._estimators.saved_search import report_of_search
from skdpgmm._estimators.saved_wrapper import check_training, classifier_of, trained
from skdpgmm._estimators.synthetic_classifier import DPSyntheticClassifier
from skdpgmm.privacy.accounting import LedgerEntry

_PACKAGE = __name__.partition(".")[0] + "."


class Rebuilt(NamedTuple):
    """An estimator that was rebuilt from a file, beside what the file says of it.

    Attributes
    ----------
    estimator : estimator
        Fitted.
    n_releases : int
        Number of releases that it was made of.
    n_attributes : int
        Number of attributes that were compared.
    different : list of Difference
        Those that are not to the bit as in the file.
    ledger : tuple of LedgerEntry
        As the file says it.
    made_by : dict of str to str
        Versions of what has computed it, as the file says them.
    own_ledger : tuple of LedgerEntry
        Of the releases that it was made of: with a search, part of the ledger.
    retrained : list of Difference or None
        What a classifier that was trained again has learned otherwise; None without
        one.
    """

    estimator: Any
    n_releases: int
    n_attributes: int
    different: list[Difference]
    ledger: tuple[LedgerEntry, ...]
    made_by: dict[str, str]
    own_ledger: tuple[LedgerEntry, ...]
    retrained: list[Difference] | None = None


class _Remade(NamedTuple):
    """What came of one fit: how many releases and attributes, and what differs."""

    n_releases: int
    n_attributes: int
    different: list[Difference]


# For what is "auto" in a small file.
_ROOM = 2**24
# What the file of a wrapper has beside that of its synthesizer.
_WRAPPERS: dict[str, Any] = {
    cls.__name__: cls for cls in (DPSyntheticClassifier, DPSyntheticResampler)
}


def rebuild(file: ModelFile) -> Rebuilt:
    """Return what the releases in a file make."""
    said = Said(file.document, file.arrays)
    try:
        wrapper = _WRAPPERS.get(said.estimator)
        # Half of a symmetric matrix is kept, and what is "auto" may be less than all
        # that a fit has to have room for.
        with releases_of(4 * file.n_bytes + _ROOM):
            if said.estimator == PrivatePipeline.__name__:
                fitted, remade = _pipeline(said)
            else:
                part = said.part("synthesizer") if wrapper else said
                fitted = _unfitted(part)
                remade = _replay(fitted, part)
        own = fitted.privacy_.ledger
        if said.search is not None:
            told = report_of_search(said.search, said.ledger, fitted.privacy_)
            fitted.privacy_ = told
        facts = said.ledger, said.made_by, own
        if wrapper is None:
            return Rebuilt(fitted, *remade, *facts)
        estimator, retrained = _wrapped(wrapper, fitted, said)
        return Rebuilt(estimator, *remade, *facts, retrained)
    except MemoryError:
        raise
    except Exception as error:  # whatever an algorithm says to what was never released
        raise ValueError(
            f"The file is not one of a fit: {type(error).__name__}: {error}"
        ) from error


def _replay(estimator, said) -> _Remade:
    """Fit an estimator by what a file says, and compare it with that."""
    transcript, public, saved = said.transcript, said.public, said.attributes
    estimator._replay(transcript)
    if public["feature_names"] is not None:
        estimator.feature_names_in_ = public["feature_names"]
    if public["seeded"]:
        estimator.privacy_ = replace(
            estimator.privacy_, seeded=True, noise="AES-CTR, seeded by an int"
        )
    made = dict(attributes(estimator))
    return _Remade(len(transcript.releases), len(made), differences(made, saved))


def _wrapped(cls, synthesizer, said) -> tuple[Any, list[Difference] | None]:
    """Return a wrapper of a synthesizer, and what it has learned otherwise."""
    wrapper = cls(None if said.default else clone(synthesizer), **said.parameters)
    training = said.training
    if training is not None:
        wrapper.classifier = classifier_of(training["classifier"])
    wrapper._validate_params()
    wrapper.synthesizer_, wrapper.privacy_ = synthesizer, synthesizer.privacy_
    if training is None:
        wrapper._take(synthesizer)
        return wrapper, None
    asked = wrapper.classifier, wrapper.n_samples, synthesizer.n_features_in_
    check_training(*asked)
    wrapper._train_again(synthesizer, int(training["key"], 16))
    made = dict(trained(wrapper.classifier_))
    return wrapper, differences(made, said.trained)


def _pipeline(said) -> tuple[Any, _Remade]:
    """Return a pipeline, whose steps are fitted by what a file says of each."""
    parts = {part.name: part for part in said.steps}
    steps = [(part.name, _step(part)) for part in said.steps]
    pipeline = PrivatePipeline(steps, **said.parameters)
    remade: dict[str, _Remade] = {}

    def fit(name, step):
        if is_private(step):
            remade[name] = _replay(step, parts[name])
        else:
            _recall(step, parts[name].public)

    pipeline._replay(fit)
    return pipeline, _Remade(
        sum(one.n_releases for one in remade.values()),
        sum(one.n_attributes for one in remade.values()),
        [
            found._replace(text=f"{name}, {found.text}")
            for name, one in remade.items()
            for found in one.different
        ],
    )


def _step(part):
    if part.estimator == NOTHING:
        return NOTHING
    if part.estimator in PLAIN:
        return PLAIN[part.estimator](**part.parameters)
    return _unfitted(part)


def _recall(step, public):
    """Have a step that learns nothing know the columns that it saw."""
    n_features, names = public["n_features"], public["feature_names"]
    if type(n_features) is not int or n_features < 1:
        raise ValueError(f"n_features must be at least 1, got {n_features!r}.")
    step.n_features_in_ = n_features
    if names is not None:
        step.feature_names_in_ = names


def _unfitted(said):
    cls = _classes(PrivateEstimator).get(said.estimator)
    if cls is None:
        raise ValueError(f"{said.estimator!r} is no estimator that can be loaded.")
    return cls(**said.parameters)


def _classes(base):
    """Return the estimators of this package by their names."""
    found = {} if "fit" not in vars(base) else {base.__name__: base}
    for cls in base.__subclasses__():
        if cls.__module__.startswith(_PACKAGE):
            found |= _classes(cls)
    return found
