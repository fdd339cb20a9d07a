"""What a fitted pipeline puts into a file: the parts of its steps, one by one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import Normalizer
from sklearn.utils.validation import check_is_fitted

from skdpgmm._estimators.model_file import Packer, write
from skdpgmm._estimators.parameters import SharedTexts
from skdpgmm._estimators.pipeline_steps import (
    is_private,
    is_there,
    say_of_all,
    with_budgets,
)
from skdpgmm._estimators.saved import head, packed_parameters, part_of
from skdpgmm._estimators.transcript import Transcript
from skdpgmm.privacy.steps import report_of_steps

# Steps that are all in their parameters, and that a file may therefore name.
PLAIN: dict[str, type[BaseEstimator]] = {"Normalizer": Normalizer}
NOTHING = "passthrough"


class ToldStep(NamedTuple):
    """What a private step was told.

    Attributes
    ----------
    transcript : Transcript or None
        None where it is not all that made the step.
    seeded : bool
    """

    transcript: Transcript | None
    seeded: bool


def told_of(steps) -> dict[str, ToldStep]:
    """Return what private steps were told, as long as they say it of themselves."""
    return {
        name: ToldStep(getattr(step, "_transcript", None), step.privacy_.seeded)
        for name, step in steps
        if is_private(step)
    }


class SavedSteps(SharedTexts):
    """A pipeline that can be saved, and made once more from what was saved."""

    def save(self: Any, path, *, signing_key=None) -> None:
        """Write the fitted pipeline to a file that `skdpgmm.load` reads.

        The file has what that of an estimator has, of each step.

        Parameters
        ----------
        {saved}

        Raises
        ------
        ValueError
            When a step is neither a private estimator with a method `save` nor a
            `Normalizer`.
        TypeError
            When a parameter is of a kind that a file has no place for, or the key is
            of another kind.
        """
        check_is_fitted(self, "privacy_")
        write(path, *documented_steps(self, self._told), signing_key)

    def _replay(self: Any, fit):
        """Have all steps fitted by a function, of their names and them, not by rows."""
        self._validate_params()
        self._validate_steps()
        self.steps = with_budgets(self.steps, self._asked())
        reports = {}
        for name, step in self.steps:
            if is_there(step):
                fit(name, step)
            if is_private(step):
                reports[name] = step.privacy_
        self.privacy_ = report_of_steps(reports, self.epsilon, self._asked().mu)
        self._say_of_all()

    def _say_of_all(self: Any):
        self._told = told_of(self.steps)
        say_of_all(self.steps, self.privacy_)


def documented_steps(pipeline: Any, told) -> tuple[dict[str, Any], dict]:
    """Return what a file of a fitted pipeline says, and its arrays."""
    packer, parts = Packer(), []
    arrays: dict[str, np.ndarray] = {}
    for i, (name, step) in enumerate(pipeline.steps):
        of_step = Packer(f"steps.{i}.")
        parts.append({"name": name, **_part(name, step, told, of_step)})
        arrays |= of_step.arrays
    document = {
        **head(pipeline.privacy_, packer),
        "estimator": type(pipeline).__name__,
        "parameters": {
            name: packer.pack(getattr(pipeline, name), "parameters." + name)
            for name in ("epsilon", "delta", "shares")
        },
        "steps": parts,
    }
    return document, arrays


def _part(name, step, told, packer):
    if not is_there(step):
        return {"estimator": NOTHING}
    if is_private(step):
        transcript, seeded = told[name]
        if transcript is None:
            raise ValueError(
                f"step {name!r} ({type(step).__name__}) has no file of its own, so "
                "that the pipeline has none: end it with the private estimator alone."
            )
        return part_of(step, transcript, seeded, packer)
    if type(step) not in PLAIN.values():
        raise ValueError(
            f"step {name!r} ({type(step).__name__}) cannot be written to a file, which "
            f"knows private steps and {', '.join(PLAIN)}: apply it before the pipeline."
        )
    names = getattr(step, "feature_names_in_", None)
    return {
        "estimator": type(step).__name__,
        "parameters": packed_parameters(step, packer),
        "public": {
            "n_features": step.n_features_in_,
            "feature_names": packer.pack(names, "public.feature_names"),
        },
    }
