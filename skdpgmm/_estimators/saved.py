"""What a fitted estimator puts into a file, and what a file says of an estimator."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import scipy
import sklearn
from threadpoolctl import threadpool_info

from skdpgmm._estimators.model_file import FORMAT, VERSION, Packer, unpack
from skdpgmm._estimators.saved_search import search_part
from skdpgmm._estimators.transcript import Told, Transcript
from skdpgmm.privacy.accounting import LedgerEntry

# They change time only, or lead to draws that are not of the model.
_LEFT_OUT = ("block_size", "n_jobs", "random_state", "verbose", "verbose_interval")
_FLOATS = ("float32", "float64")


def documented(estimator: Any, transcript: Transcript) -> tuple[dict[str, Any], dict]:
    """Return what a file of a fitted estimator says, and its arrays."""
    packer, report = Packer(), estimator.privacy_
    part = part_of(estimator, transcript, report.seeded, packer)
    return {**head(report, packer), **part}, packer.arrays


def head(report, packer) -> dict[str, Any]:
    """Return what all files say."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_by": versions(),
        "ledger": [
            [entry.name, entry.shape, entry.l2_sensitivity, packer.pack(entry.mu, "")]
            for entry in report.ledger
        ],
        **search_part(report, packer),
    }


def part_of(estimator: Any, transcript: Transcript, seeded, packer) -> dict[str, Any]:
    """Return what a file says of one fit."""
    return {
        "estimator": type(estimator).__name__,
        "parameters": packed_parameters(estimator, packer),
        "public": {
            "n_features": transcript.n_features,
            "classes": packer.pack(transcript.classes, "public.classes"),
            "dtype": np.dtype(transcript.dtype).name,
            "enforced": transcript.enforced,
            "public_key": f"{transcript.public_key:032x}",
            "in_frame": transcript.in_frame,
            "seeded": seeded,
            "feature_names": packer.pack(
                getattr(estimator, "feature_names_in_", None), "public.feature_names"
            ),
        },
        "releases": [
            {
                "name": told.name,
                "parts": [
                    packer.pack(numbers, f"releases.{i:04d}.{j}")
                    for j, numbers in enumerate(told.numbers)
                ],
            }
            for i, told in enumerate(transcript.releases)
        ],
        "attributes": {
            path: packer.pack(value, f"attributes.{path}")
            for path, value in attributes(estimator)
        },
    }


def packed_parameters(estimator: Any, packer) -> dict[str, Any]:
    """Return the parameters of an estimator, but for what changes time only."""
    return {
        name: packer.pack(value, f"parameters.{name}")
        for name, value in estimator.get_params(deep=False).items()
        if name not in _LEFT_OUT
    }


def versions() -> dict[str, str]:
    """Return the versions of what computes here."""
    return {
        "skdpgmm": version("skdpgmm"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "blas": _blas(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _blas() -> str:
    """Return the linear algebra of numpy and scipy: its kernels add up in an order."""
    found = (one for one in threadpool_info() if one["user_api"] == "blas")
    names = ("internal_api", "version", "architecture")
    told = {" ".join(str(one.get(name)) for name in names) for one in found}
    return ", ".join(sorted(told))


def attributes(estimator) -> Iterator[tuple[str, Any]]:
    """Yield the fitted attributes that users see: a path, and an array or a number."""
    for name, value in sorted(vars(estimator).items()):
        if name.endswith("_") and not name.startswith("_") and name != "privacy_":
            yield from _leaves(name, value)


def _leaves(path, value):
    if is_dataclass(value):
        for field in fields(value):
            yield from _leaves(f"{path}.{field.name}", getattr(value, field.name))
    elif hasattr(value, "_asdict"):
        for name, one in value._asdict().items():
            yield from _leaves(f"{path}.{name}", one)
    else:
        yield path, value


class Said:
    """What a file says of a fit; each part is checked when it is asked for.

    Parameters
    ----------
    document : dict
        Of the file, or its part for a step of a pipeline.
    arrays : dict of str to ndarray
    """

    def __init__(self, document: dict[str, Any], arrays: dict[str, np.ndarray]):
        self._document, self._arrays = document, arrays

    def _part(self, name, kind):
        value = self._document.get(name)
        if not isinstance(value, kind):
            raise ValueError(f"{name} is missing in the file, or of a wrong type.")
        return value

    @property
    def estimator(self) -> str:
        """Name of the class."""
        return self._part("estimator", str)

    @property
    def made_by(self) -> dict[str, str]:
        """Versions of what has computed it."""
        return self._part("made_by", dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """Those that were given to the estimator, but for what changes time only."""
        return self._unpacked("parameters")

    @property
    def attributes(self) -> dict[str, Any]:
        """Fitted attributes by their paths."""
        return self._unpacked("attributes")

    @property
    def search(self) -> dict[str, Any] | None:
        """What it says of the search that the fit has won, or None."""
        return self._part("search", dict) if "search" in self._document else None

    @property
    def default(self) -> bool:
        """Whether the synthesizer of a wrapper was its default."""
        return self._part("default", bool)

    @property
    def training(self) -> dict[str, Any] | None:
        """What it says of a classifier and its training, or None."""
        return self._part("training", dict) if "training" in self._document else None

    @property
    def trained(self) -> dict[str, Any]:
        """What the classifier had learned, by paths."""
        return self.part("training").attributes

    def part(self, name) -> Said:
        """Return what it says of a part."""
        return Said(self._part(name, dict), self._arrays)

    @property
    def steps(self) -> list[Said]:
        """What it says of the steps of a pipeline."""
        given = self._part("steps", list)
        if not all(isinstance(one, dict) for one in given):
            raise ValueError("A step in the file is none.")
        return [Said(one, self._arrays) for one in given]

    @property
    def name(self) -> str:
        """Name of a step."""
        return self._part("name", str)

    def _unpacked(self, name):
        given = self._part(name, dict)
        return {key: unpack(one, self._arrays) for key, one in given.items()}

    @property
    def public(self) -> dict[str, Any]:
        """What else is public."""
        return self._unpacked("public")

    @property
    def ledger(self) -> tuple[LedgerEntry, ...]:
        """The releases that were debited."""
        return tuple(
            LedgerEntry(str(name), tuple(shape), sensitivity, unpack(mu, {}))
            for name, shape, sensitivity, mu in self._part("ledger", list)
        )

    @property
    def transcript(self) -> Transcript:
        """What the fit was told."""
        public = self.public
        n_features, dtype = public["n_features"], public["dtype"]
        if type(n_features) is not int or n_features < 1:
            raise ValueError(f"n_features must be at least 1, got {n_features!r}.")
        if dtype not in _FLOATS:
            raise ValueError(f"dtype must be one of {_FLOATS}, got {dtype!r}.")
        releases = tuple(
            Told(
                str(told["name"]),
                tuple(_numbers(unpack(part, self._arrays)) for part in told["parts"]),
            )
            for told in self._part("releases", list)
        )
        return Transcript(
            n_features,
            _labels(public["classes"]),
            np.dtype(dtype),
            bool(public["enforced"]),
            int(public["public_key"], 16),
            releases,
            bool(public.get("in_frame", False)),
        )


def _numbers(array):
    if not isinstance(array, np.ndarray) or array.dtype != np.float64:
        raise ValueError("A release must be an array of float64.")
    return array


def _labels(classes):
    if classes is None:
        return None
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or not len(classes):
        raise ValueError("classes must be an array of at least one label.")
    if not np.array_equal(np.unique(classes), classes):
        raise ValueError("classes must be sorted, and each of them once.")
    return classes
