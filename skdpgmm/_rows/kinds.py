"""The kinds of rows: what is looked at, mapped and collected in which way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _get_feature_names, check_array

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
from skdpgmm._rows.plain import ENCODE, is_dask, numbers
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


class InMemory:
    """What is done with all that is in memory."""

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
                f"X must be of real numbers, got a Dask array of {array.dtype}. "
                f"{ENCODE}"
            )
        kept = asked.kept(array.shape[0])
        rows, classes = open_chunks(array, asked.y, asked.classes, kept, asked.n_block)
        dtype = array.dtype if array.dtype in FLOATS else np.dtype(np.float64)
        return Opened(rows, array.shape, dtype, classes, names_of(frame_of(X)))

    def map(self, function, X):
        from skdpgmm._rows.dask_chunks import map_chunks

        return map_chunks(function, X)

    def collect(self, values):
        return values.compute()

    def blocks(self, values):
        return (values.blocks[i].compute() for i in range(values.numblocks[0]))

    def first(self, X, n):
        return X[:n].compute() if hasattr(X, "chunks") else X.head(n, npartitions=-1)


class Tensors(InMemory):
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
        names = names_of(look.frame)
        return Opened(rows, look.shape, look.dtype, classes, names, frame=look.frame)

    def map(self, function, X):
        refuse_iterator(X)
        return MappedBlocks(function, X)

    def collect(self, values):
        return np.concatenate([np.asarray(block) for block in values])

    def blocks(self, values):
        return values

    def first(self, X, n):
        refuse_iterator(X)
        return next(iter(X))[:n]


class Files(InMemory):
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


class Arrays(InMemory):
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
