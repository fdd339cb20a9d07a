"""What X can be: one table of all kinds of rows, and what is done with each.

A new kind is a class with the methods of `Source`, in a file of its own, and its line
in `SOURCES`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _get_feature_names, check_array, check_is_fitted

from skdpgmm._rows.array_api import (
    checked_rows,
    device_of,
    example_of,
    is_in_memory,
    like,
)
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.containers import frame_of
from skdpgmm._rows.device import DeviceRows
from skdpgmm._rows.memory_maps import MappedFile, read_from_file
from skdpgmm._rows.opened import (
    FLOATS,
    Asked,
    Opened,
    check_two_dimensions,
    look_at,
    names_of,
    refuse_iterator,
)
from skdpgmm._rows.plain import is_dask, numbers, plain
from skdpgmm._rows.streams import MappedBlocks, StreamRows
from skdpgmm.privacy.grid import row_slices

# Rows of an array in a file that are mapped at a time.
_ROWS_AT_A_TIME = 4096
# What arrays have, or frames, and streams of blocks do not.
_OF_ARRAYS = (
    "shape",
    "__array__",
    "__array_interface__",
    "__dataframe__",
    "__getitem__",
)


class Source(Protocol):
    """A kind of thing that has rows.

    Attributes
    ----------
    lazy : bool
        Whether what is made of its rows is computed later.
    in_memory : bool
        Whether all of its rows are in memory, so that they can be indexed.
    """

    lazy: bool
    in_memory: bool

    def sees(self, X) -> bool:
        """Whether `X` is of this kind, and of none before it in the table."""
        ...

    def open(self, X, asked: Asked) -> Opened:
        """Look at all rows once, before any budget is spent, or say what is wrong."""
        ...

    def map(self, function, X) -> Any:
        """Return a function of rows, where the rows are."""
        ...

    def collect(self, values) -> Any:
        """Return numbers or labels in memory."""
        ...

    def blocks(self, values) -> Iterable:
        """Return an iterable of arrays in memory: what `map` gave, in order."""
        ...

    def first(self, X, n) -> Any:
        """Return at most `n` of the first rows, in memory."""
        ...


class _InMemory:
    lazy, in_memory = False, True

    def collect(self, values):
        return values

    def blocks(self, values):
        return [values]

    def first(self, X, n):
        return X[:n]


class DaskCollections:
    """Arrays and frames of Dask, which need not be installed."""

    lazy, in_memory = True, False

    def sees(self, X):
        return is_dask(X)

    def open(self, X, asked):
        from skdpgmm._rows.dask_chunks import as_rows, open_chunks

        array = as_rows(X)
        check_two_dimensions(array)
        if array.dtype.kind not in "fiub":
            raise ValueError(
                f"X must be of real numbers, got a Dask array of {array.dtype}."
            )
        kept = asked.kept(array.shape[0])
        rows, classes = open_chunks(array, asked.y, asked.classes, kept, asked.n_block)
        dtype = array.dtype if array.dtype in FLOATS else np.dtype(np.float64)
        return Opened(rows, array.shape, dtype, classes, names_of(frame_of(X)))

    def map(self, function, X):
        from skdpgmm._rows.dask_chunks import map_rows

        return map_rows(function, X)

    def collect(self, values):
        return values.compute()

    def blocks(self, values):
        return (values.blocks[i].compute() for i in range(values.numblocks[0]))

    def first(self, X, n):
        return X[:n].compute() if hasattr(X, "chunks") else X.head(n, npartitions=-1)


class Tensors(_InMemory):
    """Arrays of other libraries, on whatever device, under array API dispatch."""

    def sees(self, X):
        return device_of(X) is not None

    def open(self, X, asked):
        device: Any = device_of(X)
        example = example_of(X)
        if is_in_memory(X):
            opened = Arrays().open(device.to_host(X), asked)
            return replace(opened, example=example)
        X = checked_rows(X, device)
        shape, dtype = tuple(X.shape), device.to_host(X[:0]).dtype
        classes, codes = asked.codes(shape[0])
        rows = DeviceRows(X, device, codes, asked.kept(shape[0]))
        return Opened(rows, shape, dtype, classes, example=example)

    def map(self, function, X):
        device: Any = device_of(X)
        return like(function(device.to_host(X)), X)


class Streams:
    """Objects that give blocks of rows, anew each time."""

    lazy, in_memory = True, False

    def sees(self, X):
        if isinstance(X, list | tuple | str | bytes | dict) or issparse(X):
            return False
        return isinstance(X, Iterable) and not any(hasattr(X, a) for a in _OF_ARRAYS)

    def open(self, X, asked):
        refuse_iterator(X)
        look = look_at(X)
        n_rows = look.shape[0]
        classes, codes = asked.codes(n_rows)
        rows = StreamRows(
            MappedBlocks(numbers, X),
            look.shape,
            look.dtype,
            look.digest,
            codes,
            asked.kept(n_rows),
            asked.n_block,
            asked.n_jobs,
        )
        return Opened(rows, look.shape, look.dtype, classes, names_of(look.frame))

    def map(self, function, X):
        return MappedBlocks(function, X)

    def collect(self, values):
        return np.concatenate([np.asarray(block) for block in values])

    def blocks(self, values):
        return values

    def first(self, X, n):
        return next(iter(X))[:n]


class Files(_InMemory):
    """Arrays that are not in memory, but can be sliced."""

    in_memory = False

    def sees(self, X):
        if isinstance(X, np.ndarray):
            return isinstance(X, np.memmap)
        if isinstance(X, MappedFile):
            return True
        return all(hasattr(X, a) for a in ("shape", "dtype", "chunks", "__getitem__"))

    def open(self, X, asked):
        X = read_from_file(X)
        check_two_dimensions(X)
        slices = (X[rows] for rows in row_slices(X.shape[0], asked.n_block))
        look = look_at(slices, X.shape[1])
        classes, codes = asked.codes(look.shape[0])
        rows = ArrayRows(
            X,
            codes,
            asked.kept(look.shape[0]),
            asked.n_block,
            asked.n_jobs,
            checked=False,
            digest=look.digest,
        )
        return Opened(rows, look.shape, look.dtype, classes)

    def map(self, function, X):
        if len(X.shape) != 2:
            return function(X)
        X = read_from_file(X)
        slices = row_slices(X.shape[0], _ROWS_AT_A_TIME)
        return np.concatenate([function(np.asarray(X[rows])) for rows in slices])

    def collect(self, values):
        return np.asarray(values[:])


class Arrays(_InMemory):
    """All else: arrays in memory, lists, frames, and what is none of these."""

    def sees(self, X):
        return True

    def open(self, X, asked):
        names = _get_feature_names(X)
        X = check_array(X, dtype=FLOATS, estimator=asked.who, input_name="X")
        classes, codes = asked.codes(len(X))
        rows = ArrayRows(X, codes, asked.kept(len(X)), asked.n_block, asked.n_jobs)
        return Opened(rows, X.shape, X.dtype, classes, names)

    def map(self, function, X):
        return function(X)


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
    return source_of(X).open(X, asked)


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
    return source_of(X).map(function, X)


def over_blocks(method):
    """Make a method of rows in memory one of rows of any kind."""

    @wraps(method)
    def mapped(self, X):
        check_is_fitted(self)
        if method.__name__ == "transform":
            check_output(self, X)
        return map_rows(_OfBlock(self, method), X)

    return mapped


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
