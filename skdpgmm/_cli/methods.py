"""Estimators by the names that the command line has for them."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Any, NamedTuple

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPStandardScaler,
)
from skdpgmm._cli.refusals import refuse


class Method(StrEnum):
    """What can be fitted."""

    synthesizer = "synthesizer"
    mixture = "mixture"
    kmeans = "kmeans"
    pca = "pca"
    scaler = "scaler"
    logistic = "logistic"


class Facts(NamedTuple):
    """An estimator, its number of parts, and whether it takes labels."""

    make: Any
    parts: str | None
    labels: str


METHODS = {
    Method.synthesizer: Facts(DPEmbeddingSynthesizer, "n_components", "optional"),
    Method.mixture: Facts(DPGaussianMixture, "n_components", "none"),
    Method.kmeans: Facts(DPKMeans, "n_clusters", "none"),
    Method.pca: Facts(DPPCA, "n_components", "none"),
    Method.scaler: Facts(DPStandardScaler, None, "none"),
    Method.logistic: Facts(DPLogisticRegression, None, "needed"),
}
# Parameters that have options of their own, and one that would end privacy.
_NOT_SET = (
    *("epsilon", "delta", "adjacency", "max_contributions"),
    *("clip_norm", "classes", "random_state"),
)


class Asked(NamedTuple):
    """Options of a fit, and of a plan."""

    method: Method
    epsilon: float
    delta: float
    adjacency: str
    max_contributions: int | None
    clip_norm: str
    components: int | None
    more: list[str]


def estimator(asked: Asked, classes: list[Any] | None = None) -> Any:
    """Return an estimator with what was asked for, whose parameters are legal."""
    facts = METHODS[asked.method]
    params: dict[str, Any] = {
        "epsilon": asked.epsilon,
        "delta": asked.delta,
        "adjacency": asked.adjacency,
        "max_contributions": asked.max_contributions,
        "clip_norm": _clip_norm(asked.clip_norm),
    }
    if asked.components is not None:
        if facts.parts is None:
            refuse(f"--components means nothing to {asked.method.value}.")
        params[facts.parts] = asked.components
    if classes is not None:
        if facts.labels == "none":
            refuse(f"--classes means nothing to {asked.method.value}.")
        params["classes"] = classes
    known = facts.make().get_params(deep=False)
    params |= _set(asked.more, known)
    made = facts.make(**params)
    made._validate_params()
    return made


def _set(more: list[str], known: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of ``--set name=value``."""
    params = {}
    for text in more:
        name, equals, value = text.partition("=")
        if not equals or name not in known or name in _NOT_SET:
            names = ", ".join(sorted(set(known) - set(_NOT_SET)))
            refuse(f"--set must be NAME=VALUE with a name of {names}, got {text!r}.")
        try:
            params[name] = json.loads(value)
        except json.JSONDecodeError:
            params[name] = value
    return params


def _clip_norm(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        refuse(f"--clip-norm must be a number or auto, got {text!r}.")


def classes_of(text: str | None, as_text: bool) -> list[Any] | None:
    """Return labels of a list with commas: whole numbers, unless they are text."""
    if text is None:
        return None
    names = [one.strip() for one in text.split(",")]
    if not all(names):
        refuse(f"--classes must be labels with commas between them, got {text!r}.")
    if as_text:
        return names
    try:
        return [int(one) for one in names]
    except ValueError:
        refuse(f"--classes must be whole numbers, as labels are no text; got {text!r}.")


def check_epsilon(epsilon: float, allowed: bool) -> None:
    """Refuse an infinite epsilon that was not asked for by name."""
    if math.isinf(epsilon) and not allowed:
        refuse("epsilon=inf adds no noise: NOT PRIVATE. --not-private allows it.")
