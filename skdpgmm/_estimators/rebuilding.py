"""Models from files: rebuilt by a replay, and compared with what was saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.limits import releases_of
from skdpgmm._estimators.model_file import ModelFile
from skdpgmm._estimators.pipeline import PrivatePipeline
from skdpgmm._estimators.pipeline_steps import is_private
from skdpgmm._estimators.saved import Said, attributes
from skdpgmm._estimators.saved_pipeline import NOTHING, PLAIN
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
    different : list of str
        Those that are not to the bit as in the file, with the difference.
    ledger : tuple of LedgerEntry
        As the file says it.
    made_by : dict of str to str
        Versions of what has computed it, as the file says them.
    """

    estimator: Any
    n_releases: int
    n_attributes: int
    different: list[str]
    ledger: tuple[LedgerEntry, ...]
    made_by: dict[str, str]


class _Remade(NamedTuple):
    """What came of one fit: how many releases and attributes, and what differs."""

    n_releases: int
    n_attributes: int
    different: list[str]


def rebuild(file: ModelFile) -> Rebuilt:
    """Return what the releases in a file make."""
    said = Said(file.document, file.arrays)
    try:
        with releases_of(2 * file.n_bytes):  # half of a symmetric matrix is kept
            if said.estimator == PrivatePipeline.__name__:
                estimator, remade = _pipeline(said)
            else:
                estimator = _unfitted(said)
                remade = _replay(estimator, said)
        return Rebuilt(estimator, *remade, said.ledger, said.made_by)
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
    different = [
        text
        for name in sorted(made.keys() | saved.keys())
        if (text := _difference(name, made, saved))
    ]
    return _Remade(len(transcript.releases), len(made), different)


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
        [f"{name}, {text}" for name, one in remade.items() for text in one.different],
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


def _difference(name, made, saved) -> str | None:
    """Return how an attribute differs, or None where it is the same to the bit."""
    if name not in made or name not in saved:
        return f"{name} is {'not in the file' if name in made else 'in the file only'}"
    one, other = made[name], saved[name]
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return f"{name} is of another shape or type"
    if one.dtype.kind != "f":
        same = one.tolist() == other.tolist()
        return None if same else f"{name} has other entries"
    if one.astype(np.float64).tobytes() == other.astype(np.float64).tobytes():
        return None
    scale = float(np.max(np.abs(one), initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):
        largest = float(np.max(np.abs(one - other))) / scale
    return f"{name} differs by {largest:.2g} of its largest entry"
