"""What X can be: one table of all kinds of rows, and what is done with any of them.

A new kind is a class with the methods of `Source`, in a file of its own, and its line
in `SOURCES`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted

from skdpgmm._rows.containers import frame_of
from skdpgmm._rows.kinds import (
    Arrays,
    DaskCollections,
    Files,
    Source,
    Streams,
    Tensors,
)
from skdpgmm._rows.opened import Asked, Opened
from skdpgmm._rows.plain import no_records_told, plain
from skdpgmm._rows.streams import MappedBlocks

# The first that sees X.
SOURCES: tuple[Source, ...] = (
    DaskCollections(),
    Tensors(),
    Streams(),
    Files(),
    Arrays(),
)


def source_of(X) -> Source:
    """Return the kind of rows, or of numbers, that `X` is."""
    return next(source for source in SOURCES if source.sees(X))


def open_rows(X, asked: Asked) -> Opened:
    """Look at the rows and labels that a fit is given, once."""
    X = plain(X)
    opened = no_records_told(source_of(X).open, X, asked)
    frame = frame_of(X) or opened.frame
    return replace(opened, frame=None if frame is None else frame.kept())


def map_rows(function, X):
    """Apply a function of rows to rows of any kind.

    Parameters
    ----------
    function : callable
        Maps an array of rows to an array with a row, or a number, for each.
    X : rows of any kind
        An array-like, memory map, stream of blocks, tensor or Dask collection.

    Returns
    -------
    mapped : ndarray, dask.array.Array or MappedBlocks
        An array for an array, where that is; lazy for what is lazy.
    """
    X = plain(X)
    return no_records_told(source_of(X).map, function, X)


F = TypeVar("F", bound=Callable[..., Any])


def over_blocks(method: F) -> F:
    """Make a method of rows in memory one of rows of any kind."""

    @wraps(method)
    def mapped(self, X):
        check_is_fitted(self)
        if method.__name__ == "transform":
            check_output(self, X)
        return map_rows(_OfBlock(self, method), X)

    return cast(F, mapped)


@dataclass(frozen=True)
class _OfBlock:
    """A method under `over_blocks`, for one block; other machines find it by name."""

    estimator: Any
    method: Any

    def __call__(self, X):
        return self.method(self.estimator, X)

    def __reduce__(self):
        name = self.method.__name__
        owners = (one for one in type(self.estimator).__mro__ if name in vars(one))
        owner = next(o for o in owners if inspect.unwrap(vars(o)[name]) is self.method)
        return _of_block, (self.estimator, owner, name)


def _of_block(estimator, owner, name):
    return _OfBlock(estimator, inspect.unwrap(vars(owner)[name]))


def check_output(estimator, X):
    """Refuse what `set_output` asks for where an answer is lazy: a frame is in memory.

    Parameters
    ----------
    estimator : estimator
        With `set_output`.
    X : rows of any kind
    """
    kind = _get_output_config("transform", estimator)["dense"]
    if kind != "default" and is_lazy(plain(X)):
        raise ValueError(
            f"set_output(transform={kind!r}) asks for a frame in memory, but X is "
            'lazy: leave it at "default", and make frames of the blocks or chunks.'
        )


def first_rows(X, n):
    """Return some of the first rows, at most `n`."""
    return source_of(X).first(X, n)


def is_lazy(X) -> bool:
    """Whether functions of `X` come from `map_rows` uncomputed."""
    return source_of(X).lazy


def sum_of(values) -> float:
    """Return the sum of the numbers that `map_rows` gave."""
    return float(_gathered(values).sum())


def mean_of(values) -> float:
    """Return the mean of the numbers that `map_rows` gave."""
    return float(_gathered(values).mean())


def _gathered(values):
    """Return the numbers of blocks in memory; others sum up where they are."""
    if isinstance(values, MappedBlocks):
        return np.concatenate(list(values))
    return values
