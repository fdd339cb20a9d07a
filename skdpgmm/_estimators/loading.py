"""Models from files: rebuilt by a replay, and compared with what was saved."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.limits import releases_of
from skdpgmm._estimators.model_file import ModelFile, read
from skdpgmm._estimators.saved import Said, attributes

_PACKAGE = __name__.partition(".")[0] + "."


def load(path):
    """Return the fitted estimator that a file holds.

    It is made anew from its releases, by the same computation as in the fit and
    without a record. Nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        Of a file that the method `save` of an estimator has written.

    Returns
    -------
    estimator : estimator
        Fitted; its `random_state` is None.

    Raises
    ------
    ValueError
        When the file is damaged, not one of a model, or its releases are not those of
        a fit with its parameters.

    See Also
    --------
    verify : Say what a file proves, and what remains to be believed.

    Notes
    -----
    Privacy: a file has what was released and what is public, and may be published as
    the fitted estimator may. It has neither `random_state` nor the key of the noise.

    On another machine the last bits may differ, where its linear algebra adds up in
    another order; a warning says by how much.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skdpgmm import DPGaussianMixture, load
    >>> X, _ = load_iris(return_X_y=True)
    >>> mixture = DPGaussianMixture(3, epsilon=8.0).fit(X)
    >>> with TemporaryDirectory() as folder:
    ...     mixture.save(Path(folder) / "mixture.safetensors")
    ...     loaded = load(Path(folder) / "mixture.safetensors")
    >>> bool((loaded.means_ == mixture.means_).all())
    True
    """
    file = read(path)
    rebuilt = rebuild(file)
    if different := rebuilt.different:
        warnings.warn(
            f"{type(rebuilt.estimator).__name__} was rebuilt from its releases, and is "
            f"not to the bit what was saved: {different[0]}. Versions or machines "
            "that compute otherwise do that; `verify` says more.",
            stacklevel=2,
        )
    return rebuilt.estimator


class Rebuilt(NamedTuple):
    """An estimator that was rebuilt from a file, beside what the file says of it.

    Attributes
    ----------
    estimator : estimator
        Fitted.
    said : Said
    n_attributes : int
        Number of attributes that were compared.
    different : list of str
        Those that are not to the bit as in the file, with the difference.
    """

    estimator: Any
    said: Said
    n_attributes: int
    different: list[str]


def rebuild(file: ModelFile) -> Rebuilt:
    """Return what the releases in a file make."""
    said = Said(file)
    try:
        estimator = _unfitted(said)
        with releases_of(2 * file.n_bytes):  # half of a symmetric matrix is kept
            estimator._replay(said.transcript)
        names = said.public["feature_names"]
        saved = said.attributes
        if names is not None:
            estimator.feature_names_in_ = names
        if said.public["seeded"]:
            estimator.privacy_ = replace(
                estimator.privacy_, seeded=True, noise="AES-CTR, seeded by an int"
            )
    except MemoryError:
        raise
    except Exception as error:  # whatever an algorithm says to what was never released
        raise ValueError(
            f"The file is not one of a fit: {type(error).__name__}: {error}"
        ) from error
    made = dict(attributes(estimator))
    different = [
        text
        for name in sorted(made.keys() | saved.keys())
        if (text := _difference(name, made, saved))
    ]
    return Rebuilt(estimator, said, len(made), different)


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
