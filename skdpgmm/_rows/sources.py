"""What `fit` takes as rows: arrays, arrays in files, streams of blocks, Dask.

Everything is looked at once before any budget is spent, so that bad rows cost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _get_feature_names, check_array

from skdpgmm._rows.array_api import (
    checked_rows,
    device_of,
    example_of,
    is_in_memory,
    like,
)
from skdpgmm._rows.arrays import ArrayRows, checked_block
from skdpgmm._rows.containers import frame_of
from skdpgmm._rows.device import DeviceRows
from skdpgmm._rows.labels import encode_labels
from skdpgmm._rows.memory_maps import MappedFile, read_from_file
from skdpgmm._rows.persons import first_contributions
from skdpgmm._rows.plain import is_dask, numbers, plain
from skdpgmm._rows.streams import StreamRows
from skdpgmm.privacy.grid import row_slices
from skdpgmm.privacy.passes import Rows, digest

_FLOATS = [np.float64, np.float32]
# Rows of an array in a file that are mapped at a time.
_ROWS_AT_A_TIME = 4096
# Rows of a block at least.
_FEWEST_ROWS = 64


class Asked(NamedTuple):
    """What goes with the rows of a fit.

    Attributes
    ----------
    y : array-like, or None without labels
    classes : array-like or None
        The public set of classes; None takes the labels that occur.
    privacy_ids : array-like or None
        Unit of each record.
    max_contributions : int or None
        Records of a unit that are kept.
    block_size, n_jobs : int
        How they are summed.
    who : str
        Name of the estimator, for messages.
    """

    y: Any
    classes: Any
    privacy_ids: Any
    max_contributions: int | None
    block_size: int
    n_jobs: int | None
    who: str


class Opened(NamedTuple):
    """Rows that were looked at, and what is known of them.

    Attributes
    ----------
    rows : Rows
    shape : tuple of int
        Number of rows and of features.
    dtype : dtype
        float32 or float64.
    classes : ndarray of shape (n_classes,), or None without labels
    names : ndarray of str of shape (n_features,), or None
        Names of the features.
    example : array without rows, or None
        On the device of an array of another library.
    """

    rows: Rows
    shape: tuple[int, int]
    dtype: Any
    classes: Any
    names: Any
    example: Any


def is_sliced(X) -> bool:
    """Whether `X` is an array that is not in memory, but can be sliced."""
    if isinstance(X, np.ndarray):
        return isinstance(X, np.memmap)
    if isinstance(X, MappedFile):
        return True
    return all(hasattr(X, a) for a in ("shape", "dtype", "chunks", "__getitem__"))


def is_stream(X) -> bool:
    """Whether `X` gives blocks of rows, rather than rows."""
    if isinstance(X, list | tuple | str | bytes | dict) or issparse(X):
        return False
    arrays = (
        "shape",
        "__array__",
        "__array_interface__",
        "__dataframe__",
        "__getitem__",
    )
    return isinstance(X, Iterable) and not any(hasattr(X, a) for a in arrays)


def open_rows(X, asked: Asked) -> Opened:
    """Look at the rows and labels that a fit is given, once."""
    # Each block costs some time of its own: shorter ones save no memory.
    block_size = max(asked.block_size, _FEWEST_ROWS)
    kwargs = {"block_size": block_size, "n_jobs": asked.n_jobs}
    X = plain(X)
    example = example_of(X)
    if is_dask(X):
        return _open_dask(X, asked, block_size)
    place, names = device_of(X), None
    if place is not None and is_in_memory(X):
        X, place = place.to_host(X), None
    if place is not None:
        X = checked_rows(X, place)
        shape, dtype = tuple(X.shape), place.to_host(X[:0]).dtype
    elif is_stream(X):
        shape, dtype, frame, seen = _look_at_stream(X)
        names = _names_of(frame)
    elif is_sliced(X):
        X = read_from_file(X)
        shape, dtype, _, seen = _look_at_slices(X, block_size)
    else:
        names = _get_feature_names(X)
        X = check_array(X, dtype=_FLOATS, estimator=asked.who, input_name="X")
        shape, dtype = X.shape, X.dtype
    classes = codes = None
    if asked.y is not None:
        classes, codes = encode_labels(asked.y, asked.classes, shape[0])
        codes = codes.astype(np.min_scalar_type(len(classes)))
    kept = first_contributions(asked.privacy_ids, shape[0], asked.max_contributions)
    rows: Rows
    if place is not None:
        rows = DeviceRows(X, place, codes, kept)
    elif is_stream(X):
        X = MappedBlocks(numbers, X)
        rows = StreamRows(X, shape, dtype, seen, codes, kept, **kwargs)
    elif is_sliced(X):
        rows = ArrayRows(X, codes, kept, checked=False, digest=seen, **kwargs)
    else:
        rows = ArrayRows(X, codes, kept, **kwargs)
    return Opened(rows, shape, dtype, classes, names, example)


def _open_dask(X, asked, block_size):
    from skdpgmm._rows.dask_chunks import as_rows, open_chunks

    array = as_rows(X)
    _check_two_dimensions(array)
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"X must be of real numbers, got a Dask array of {array.dtype}."
        )
    kept = first_contributions(
        asked.privacy_ids, array.shape[0], asked.max_contributions
    )
    rows, classes = open_chunks(array, asked.y, asked.classes, kept, block_size)
    dtype = array.dtype if array.dtype in _FLOATS else np.dtype(np.float64)
    return Opened(rows, array.shape, dtype, classes, _names_of(frame_of(X)), None)


def _look_at_stream(X):
    """Return what `_look_at` does for a stream, or say what is wrong with it."""
    if isinstance(X, Iterator):
        raise TypeError(
            f"X is an iterator ({type(X).__name__}), which can be read only once, and "
            "a fit reads its rows several times: give an object whose __iter__ starts "
            "anew each time."
        )
    return _look_at(X, None)


def _look_at_slices(X, block_size):
    _check_two_dimensions(X)
    starts = range(0, X.shape[0], block_size)
    return _look_at((X[i : i + block_size] for i in starts), X.shape[1])


def _check_two_dimensions(X):
    if len(X.shape) != 2:
        raise ValueError(
            f"Expected 2D array, got {len(X.shape)}D array instead: X has shape "
            f"{X.shape}. Reshape your data."
        )


def _look_at(blocks, n_features):
    """Return shape, type, frame and digest of rows, or say what is wrong with them."""
    n_rows = seen = 0
    dtype: Any = None
    frame = None
    for given in blocks:
        block = checked_block(numbers(given), n_features, n_rows)
        its_frame = frame_of(given)
        if n_rows == 0:
            frame = its_frame
        elif _columns(its_frame) != _columns(frame):
            raise ValueError(
                "X must have the same columns in all blocks, in one order; the block "
                f"that starts at row {n_rows} has others than those before it."
            )
        if dtype is not None and block.dtype != dtype:
            raise ValueError(
                f"X must be of one type; the block that starts at row {n_rows} is of "
                f"{block.dtype}, those before it are of {dtype}."
            )
        seen += digest(block, n_rows)
        n_rows, n_features, dtype = n_rows + len(block), block.shape[1], block.dtype
    if n_rows == 0:
        raise ValueError("X must have at least one row, got no blocks of rows.")
    # A file may spell out the order of bytes.
    return (n_rows, n_features), np.dtype(dtype.type), frame, seen


def _columns(frame):
    return None if frame is None else list(frame.columns)


def _names_of(frame):
    """Return the names of features of a frame, as scikit-learn has them."""
    if frame is None:
        return None
    return _get_feature_names(frame.filled(np.zeros((1, len(frame.columns)))))


def map_rows(function, X):
    """Apply a function of rows to rows of any kind.

    Parameters
    ----------
    function : callable
        Maps an array of rows to an array with a row, or a number, for each.
    X : array-like, or one of the other inputs
        Rows.

    Returns
    -------
    mapped : ndarray, dask.array.Array or MappedBlocks
        An array for an array, where that is; lazy for what is lazy.
    """
    X = plain(X)
    if is_dask(X):
        from skdpgmm._rows.dask_chunks import map_rows as map_chunks

        return map_chunks(function, X)
    place = device_of(X)
    if place is not None:
        return like(function(place.to_host(X)), X)
    if is_stream(X):
        return MappedBlocks(function, X)
    if is_sliced(X) and len(X.shape) == 2:
        X = read_from_file(X)
        slices = row_slices(X.shape[0], _ROWS_AT_A_TIME)
        return np.concatenate([function(np.asarray(X[rows])) for rows in slices])
    return function(X)


def check_output(estimator, X):
    """Refuse what `set_output` asks for where an answer is lazy: a frame is in memory.

    Parameters
    ----------
    estimator : estimator
        With `set_output`.
    X : array-like, or one of the other inputs
        Rows.
    """
    kind = _get_output_config("transform", estimator)["dense"]
    if kind != "default" and is_lazy(plain(X)):
        raise ValueError(
            f"set_output(transform={kind!r}) asks for a frame in memory, but X is "
            'lazy: leave it at "default", and make frames of the blocks or chunks.'
        )


def first_rows(X, n):
    """Return some of the first rows, at most `n`, of what is lazy."""
    if is_dask(X):
        return X[:n].compute() if hasattr(X, "chunks") else X.head(n, npartitions=-1)
    return next(iter(X))[:n]


def is_lazy(X) -> bool:
    """Whether functions of `X` come from `map_rows` uncomputed."""
    return is_dask(X) or is_stream(X)


def sum_of(values) -> float:
    """Return the sum of the numbers that `map_rows` gave."""
    if isinstance(values, MappedBlocks):
        return math.fsum(block.sum() for block in values)
    return float(values.sum())


def mean_of(values) -> float:
    """Return the mean of the numbers that `map_rows` gave."""
    if isinstance(values, MappedBlocks):
        values = np.concatenate(list(values))
    return float(values.mean())


class MappedBlocks:
    """Blocks of a stream under a function, computed when they are asked for.

    Parameters
    ----------
    function : callable
        Maps a block to a block.
    blocks : iterable of array-like
        Starts anew each time.
    """

    def __init__(self, function, blocks):
        self._function, self._blocks = function, blocks

    def __iter__(self):
        return (self._function(plain(block)) for block in self._blocks)
