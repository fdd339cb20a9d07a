"""What a report is about: a fitted estimator, its file, or its account of privacy."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skdpgmm._estimators.saved import attributes, versions
from skdpgmm._estimators.verification import Verification, examined
from skdpgmm.privacy import PrivacyReport

# Fitted attributes that say nothing of a record; all others are of releases.
PUBLIC = (
    "classes_",
    "component_classes_",
    "converged_",
    "feature_names_in_",
    "lower_bound_",
    "lower_bounds_",
    "n_features_in_",
)
# Methods that answer about the rows they are given, and so are as private as these.
OF_ROWS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "inverse_transform",
    "fit_predict",
    "fit_transform",
    "score",
    "score_samples",
    "bic",
    "aic",
)
# ... and those that draw from what was released.
DRAWN = ("sample", "iter_samples", "fit_resample")


class Subject(NamedTuple):
    """What a report is about.

    Attributes
    ----------
    name : str
        What was fitted.
    privacy : PrivacyReport
    fitted : estimator or None
    verification : Verification or None
        Where it was read from a file.
    made_by : dict of str to str
        Versions of what made it, as far as known.
    """

    name: str
    privacy: PrivacyReport
    fitted: Any
    verification: Verification | None
    made_by: dict[str, str]


def subject_of(model: Any, signed_by: Any = None) -> Subject:
    """Return what a report is about, or say that there is nothing to tell of."""
    if isinstance(model, str | os.PathLike):
        found = examined(model, signed_by)
        verification = found.verification
        return Subject(
            verification.estimator,
            verification.privacy,
            found.estimator,
            verification,
            found.made_by,
        )
    if signed_by is not None:
        raise ValueError(
            "signed_by is for the path of a file, which may have a signature; got "
            f"{type(model).__name__} as model."
        )
    if isinstance(model, PrivacyReport):
        return Subject("model", model, None, None, versions())
    privacy = getattr(model, "privacy_", getattr(model, "privacy", None))
    if isinstance(privacy, PrivacyReport):
        fitted = model if isinstance(model, BaseEstimator) else None
        return Subject(type(model).__name__, privacy, fitted, None, versions())
    if isinstance(model, BaseEstimator) and hasattr(model, "fit"):
        check_is_fitted(model)
    raise TypeError(
        "model must be a fitted private estimator, the path of a file that one has "
        f"saved, or a PrivacyReport, got {type(model).__name__}, which has no "
        "`privacy_`."
    )


def released(fitted: Any) -> list[tuple[str, str, str]]:
    """Return name, shape and kind of each fitted attribute: no value of any."""
    if fitted is None:
        return []
    steps = getattr(fitted, "steps", None)
    if steps is not None:
        return [
            (f"{name}: {attribute}", shape, kind)
            for name, step in steps
            if hasattr(step, "privacy_")
            for attribute, shape, kind in released(step)
        ]
    return [
        (name, _shape(value), "public" if name in PUBLIC else "released")
        for name, value in attributes(fitted)
        if value is not None
    ]


def methods(fitted: Any, names) -> list[str]:
    """Return those of some methods that an estimator has."""
    return [name for name in names if hasattr(fitted, name)]


def _shape(value) -> str:
    if isinstance(value, np.ndarray):
        return " x ".join(map(str, value.shape)) or "number"
    if isinstance(value, bool | np.bool_):
        return "yes or no"
    if isinstance(value, int | float | np.number):
        return "number"
    if isinstance(value, str):
        return "word"
    if isinstance(value, list | tuple | dict):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__
