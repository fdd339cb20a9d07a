"""Rows in a Dask collection: every release is one graph, and only sums travel."""

from __future__ import annotations

import math
import zlib
from contextlib import contextmanager
from functools import wraps
from itertools import pairwise

import dask
import dask.array as da
import numpy as np

from skdpgmm._rows.arrays import ArrayRows, checked_block
from skdpgmm._rows.blocks import one_blas_thread, widen
from skdpgmm._rows.columns import joined
from skdpgmm._rows.digest import digest
from skdpgmm._rows.labels import encode_labels, label_column
from skdpgmm._rows.plain import floats_for, plain, unwrapped

# Sums that are added in one task.
_FAN_IN = 16


class DaskRows:
    """Rows in the chunks of a Dask array, summed where they are.

    A chunk that is computed again, because its worker was lost, gives the same
    integers, and Dask takes one result of each task: so each record counts once. Noise
    is drawn by the process that calls `fit`.

    Parameters
    ----------
    chunks : list of Delayed
        Arrays of shape (rows, d).
    labels : list of Delayed or None
        Labels of the rows of each chunk.
    classes : ndarray of shape (n_classes,), or None
        The public set of classes, sorted.
    kept : ndarray of bool of shape (n,), or None
        Rows that take part; a function of each unit's own records only.
    lengths : tuple of int
        Rows of each chunk.
    digest : int
        Of all chunks, as they were first looked at.
    block_size : int
        Rows summed at a time.
    """

    def __init__(self, chunks, labels, classes, kept, lengths, digest, block_size):
        self.digest = digest
        nothing = [None] * len(chunks)
        self.n_rows = self.n_records = sum(lengths)
        if kept is not None:
            self.n_records = int(np.count_nonzero(kept))
            kept = np.split(kept, np.cumsum(lengths)[:-1])
        labels, kept = labels or nothing, kept or nothing
        starts = np.cumsum([0, *lengths[:-1]]).tolist()
        self._parts = list(zip(chunks, labels, kept, starts, strict=True))
        self._public = classes, block_size
        self._held = {}

    def sum(self, query):
        """Sum over the chunks by a tree of tasks."""
        task = dask.delayed(_sum_of_chunk, pure=False)
        held = self._held.get(query.ball) or [None] * len(self._parts)
        # Sent to a worker once, not with every task.
        query = dask.delayed(query, pure=False, traverse=False)
        sums = [
            task(query, *part, self._public, grid)
            for part, grid in zip(self._parts, held, strict=True)
        ]
        add = dask.delayed(_add, pure=False)
        while len(sums) > 1:
            sums = [add(sums[i : i + _FAN_IN]) for i in range(0, len(sums), _FAN_IN)]
        (total,) = dask.compute(sums[0])
        return _value(total)

    @contextmanager
    def holding(self, ball):
        """Keep the grid points of this ball, if there are workers.

        These move to disk what their memory does not hold; other schedulers do not.
        """
        new = _has_workers() and ball not in self._held
        if new:
            self._held[ball] = self._grids(ball)
        try:
            with one_blas_thread():
                yield
        finally:
            if new:
                del self._held[ball]

    def _grids(self, ball):
        task = dask.delayed(_grid_of_chunk, pure=False)
        sent = dask.delayed(ball, pure=False, traverse=False)
        outer = self._held.get(ball.outer) or [None] * len(self._parts)
        return dask.persist(
            *(
                task(sent, X, kept, start, self._public[1], grid)
                for (X, _, kept, start), grid in zip(self._parts, outer, strict=True)
            )
        )


def _errors_as_values(function):
    """Make a function return its exceptions.

    When a task raises, Dask writes its arguments to the log of the worker: records.
    """

    @wraps(function)
    def returns(*args):
        try:
            return function(*args)
        except Exception as error:
            return error

    return returns


def _value(result):
    """Raise what `_errors_as_values` has caught."""
    if isinstance(result, Exception):
        raise result
    return result


def _has_workers():
    """Whether tasks run on the workers of a cluster."""
    client = getattr(dask.base.get_scheduler(), "__self__", None)
    return hasattr(client, "scheduler_info")


@_errors_as_values
def _sum_of_chunk(query, X, labels, kept, start, public, grid):
    classes, block_size = public
    labels = _value(labels)
    codes = None if labels is None else _encode(labels, classes)
    rows = _rows_of_chunk(X, codes, kept, start, block_size)
    if grid is not None:
        rows.hold(query.ball, _value(grid))
    *sums, seen = rows.sum(query)
    return *sums, seen + widen(np.array(_digest_of_labels(labels, start)))


@_errors_as_values
def _grid_of_chunk(ball, X, kept, start, block_size, outer):
    rows = _rows_of_chunk(X, None, kept, start, block_size)
    if outer is not None:
        rows.hold(ball.outer, _value(outer))
    return rows.grid(ball)


def _rows_of_chunk(X, codes, kept, start, block_size):
    return ArrayRows(X, codes, kept, block_size, 1, checked=False, first=start)


def _digest_of_labels(labels, start):
    """Return a hash of the labels of a chunk and its place, 0 without labels."""
    if labels is None:
        return 0
    labels = np.asarray(labels)
    if labels.dtype.hasobject:
        labels = np.array([str(label) for label in labels])
    return zlib.crc32(labels.tobytes(), start % 2**32)


@_errors_as_values
def _add(sums):
    return tuple(sum(parts) for parts in zip(*map(_value, sums), strict=True))


def _as_floats(part, dtype):
    values = part.to_numpy(dtype=dtype, na_value=np.nan)
    return type(part)(values, columns=part.columns, index=part.index)


def as_array(X, name):
    """Return a Dask array of chunks of known lengths.

    Parameters
    ----------
    X : dask.array.Array, or a Dask data frame or series
        Frames are measured, which computes them once.
    name : str
        For messages.

    Returns
    -------
    array : dask.array.Array
    """
    if hasattr(X, "to_dask_array"):
        dtypes = X.dtypes if hasattr(type(X), "dtypes") and X.ndim == 2 else ()
        if (dtype := floats_for(dtypes)) is not None:
            meta = dict.fromkeys(X.columns, dtype)
            X = X.map_partitions(_as_floats, dtype, meta=meta)
        X = X.to_dask_array(lengths=True)
    if not isinstance(X, da.Array):
        raise TypeError(
            f"{name} must be a Dask array or data frame, got {type(X).__name__}."
        )
    if any(math.isnan(length) for length in X.chunks[0]):
        raise ValueError(
            f"{name} has chunks of unknown size: call {name}.compute_chunk_sizes() "
            "before."
        )
    if 0 in X.chunks[0]:
        raise ValueError(
            f"{name} must not have empty chunks; chunk {X.chunks[0].index(0)} is empty."
        )
    return X


def as_rows(X):
    """Return a Dask array whose records are each in one chunk.

    Parameters
    ----------
    X : dask.array.Array or dask.dataframe.DataFrame
        Records along the first dimension.

    Returns
    -------
    array : dask.array.Array
    """
    X = as_array(X, "X")
    for axis, n_chunks in enumerate(X.numblocks[1:], start=1):
        if n_chunks > 1:
            raise ValueError(
                f"X has {n_chunks} chunks along axis {axis}, and a record must be in "
                f"one: call X.rechunk({{{axis}: -1}}) before."
            )
    return X


def open_chunks(X, y, classes, kept, block_size):
    """Look at every chunk once, in one graph.

    Parameters
    ----------
    X : dask.array.Array of shape (n, d)
        From `as_rows`.
    y : array-like or Dask collection of shape (n,), or None
        Labels.
    classes : array-like or None
        The public set of classes; None takes the labels that occur.
    kept : ndarray of bool of shape (n,), or None
        Rows that take part.
    block_size : int
        Rows summed at a time.

    Returns
    -------
    rows : DaskRows
    classes : ndarray or None
    """
    lengths = X.chunks[0]
    chunks = list(X.to_delayed().ravel())
    labels = [None] * len(chunks)
    if y is not None:
        labels = labels_of_chunks(y, lengths)
    look = dask.delayed(_look, pure=False)
    seen = dask.compute(
        *(
            look(chunk, label, i, start, X.shape[1], X.dtype)
            for i, (chunk, label, start) in enumerate(
                zip(chunks, labels, np.cumsum([0, *lengths[:-1]]), strict=True)
            )
        )
    )
    found, digests = zip(*map(_value, seen), strict=True)
    total = sum(digests)
    if y is None:
        return DaskRows(chunks, None, None, kept, lengths, total, block_size), None
    all_labels = joined(list(found))
    classes, _ = encode_labels(all_labels, classes, len(all_labels))
    return DaskRows(chunks, labels, classes, kept, lengths, total, block_size), classes


@_errors_as_values
def _look(X, labels, i, start, n_features, dtype):
    """Check a chunk; return its labels, each once, and its digest."""
    labels = _value(labels)
    if X.dtype != dtype:
        raise ValueError(
            f"X must be of one type, that of the Dask array, {dtype}; chunk {i} is of "
            f"{X.dtype}."
        )
    try:
        block = checked_block(plain(X), n_features, 0)
    except ValueError as error:
        raise ValueError(
            f"Chunk {i} of X, rows counted from its start: {error}"
        ) from error
    seen = digest(block, int(start)) + _digest_of_labels(labels, int(start))
    return None if labels is None else np.unique(labels), seen


def _encode(labels, classes):
    try:
        return encode_labels(labels, classes, len(labels))[1]
    except (ValueError, TypeError):  # not `from` it: it names the labels
        raise ValueError("y has other labels than it had at first.") from None


def labels_of_chunks(y, lengths):
    """Return the labels of each chunk of rows, as delayed arrays.

    Names of tasks are random: those that Dask makes of values are seen by whoever sees
    its dashboard, and would tell whether two sets of labels are the same.

    Parameters
    ----------
    y : Dask collection or other labels
        As many as rows.
    lengths : tuple of int
        Rows of each chunk.

    Returns
    -------
    labels : list of Delayed
        What went wrong is a value, as of `_errors_as_values`.
    """
    y = unwrapped(y, "y")
    bounds = np.cumsum([0, *lengths]).tolist()
    if not dask.is_dask_collection(y):
        y = label_column(y)
        _check_length(len(y), bounds[-1])
        return [
            dask.delayed(y[start:stop], pure=False, traverse=False)
            for start, stop in pairwise(bounds)
        ]
    if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1:
        y = y[y.columns[0]] if hasattr(y, "columns") else y[:, 0]
    if getattr(y, "ndim", None) != 1:
        raise ValueError("y should be a 1d array, one label a row.")
    if isinstance(y, da.Array):
        its_lengths = as_array(y, "y").chunks[0]
    else:
        its_lengths = dask.compute(
            *(dask.delayed(len, pure=False)(p) for p in y.to_delayed())
        )
    _check_length(sum(its_lengths), bounds[-1])
    parts = list(y.to_delayed())
    its_bounds = np.cumsum([0, *its_lengths]).tolist()
    gather = dask.delayed(_gather, pure=False)
    return [
        gather(
            [
                (part, max(start - first, 0), min(stop, last) - first)
                for part, (first, last) in zip(parts, pairwise(its_bounds), strict=True)
                if first < stop and start < last
            ]
        )
        for start, stop in pairwise(bounds)
    ]


def _check_length(n_labels, n_rows):
    if n_labels != n_rows:
        raise ValueError(f"y must have {n_rows} labels, one a row, got {n_labels}.")


@_errors_as_values
def _gather(pieces):
    return joined([label_column(part)[start:stop] for part, start, stop in pieces])


def map_chunks(function, X):
    """Apply a function of rows to every chunk, lazily.

    Parameters
    ----------
    function : callable
        Maps an array of rows to an array with a row, or a number, for each. It is
        sent to a worker once.
    X : dask.array.Array or dask.dataframe.DataFrame
        Rows.

    Returns
    -------
    array : dask.array.Array
    """
    array = as_rows(X)
    # A frame is mapped by its partitions, which have the names of its columns.
    chunks = array.to_delayed().ravel() if X is array else X.to_delayed()
    # What comes out of one row tells shape and type.
    row = np.zeros((1, *array.shape[1:]), array.dtype)
    if X is not array:
        row = X._meta_nonempty.iloc[:1]
    example = np.asarray(function(row))
    apply = dask.delayed(function, pure=False, traverse=False)
    blocks = [
        da.from_delayed(apply(chunk), (length, *example.shape[1:]), dtype=example.dtype)
        for chunk, length in zip(chunks, array.chunks[0], strict=True)
    ]
    return da.concatenate(blocks)
