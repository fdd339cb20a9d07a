"""One value a record, such as a label or an id, out of any container, as it is.

No value is cast on the way: a cast to float64, which containers make for what is
missing, merges integers beyond 2**53, and one to strings merges 1 and "1".
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Set
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from skdpgmm._rows.array_api import as_numpy
from skdpgmm._rows.plain import is_dask, unwrapped

# Types that are compared by value. Values of different kinds are never the same.
_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool, np.bool_),
    "int": (int, np.integer),
    "float": (float, np.floating),
    "str": (str,),
    "bytes": (bytes,),
    "Decimal": (Decimal,),
    "date": (date, time, timedelta),
    "UUID": (UUID,),
    "tuple": (tuple,),
}


def exact_column(values: Any, name: str) -> np.ndarray:
    """Return values in one dimension, of a type that tells them apart.

    Parameters
    ----------
    values : array-like, series, blocks of such, an array in a file, Dask collection
        One value a record.
    name : str
        Of the parameter, for messages.

    Returns
    -------
    column : ndarray of shape (n,)
        Of numbers, strings, bytes, dates, or objects. None is missing.
    """
    column = _column(values, name)
    if column.dtype.kind not in "biufSUOMm":
        raise TypeError(f"{name} must hold one value a record, got {column.dtype}.")
    if _any_missing(column):
        raise ValueError(f"{name} contains NaN, None or the like in some rows.")
    return column


def kinds_of(column: np.ndarray, name: str) -> set[str]:
    """Return what kinds of values a column of objects has, or refuse them by type."""
    kinds = set()
    for one in set(map(type, column)):
        # A bool is an int as well.
        kind = next((k for k, types in _KINDS.items() if issubclass(one, types)), None)
        # The last is an integer of numpy.
        if kind is None or issubclass(one, np.timedelta64):
            raise TypeError(
                f"{name} must hold numbers, strings, dates or the like, got "
                f"{one.__name__}."
            )
        kinds.add(kind)
    return kinds


def joined(columns: list[np.ndarray]) -> np.ndarray:
    """Return columns one after another, as objects where their types differ."""
    kinds = {column.dtype.kind for column in columns}
    same = len({column.dtype for column in columns}) == 1
    if same or kinds in ({"U"}, {"S"}, {"i"}, {"u"}):
        return np.concatenate(columns)
    return np.concatenate([_objects(column.tolist()) for column in columns])


def _column(values, name):
    values = unwrapped(values, name)
    if is_dask(values):
        values = values.compute()
    values = as_numpy(values)
    if isinstance(values, Iterator):
        raise TypeError(f"{name} is an iterator, which can be read only once.")
    if np.ma.isMaskedArray(values):
        if np.ma.is_masked(values):
            raise ValueError(f"{name} contains masked values.")
        values = values.data
    if isinstance(values, np.ndarray):
        return _one_dimension(np.asarray(values), name)
    for library, convert in (
        ("pandas", _from_pandas),
        ("polars", _from_polars),
        ("pyarrow", _from_arrow),
    ):
        if type(values).__module__.partition(".")[0] == library:
            column = convert(values, name)
            if column is not None:
                return column
    if isinstance(values, Set | list | tuple | range):
        return _one_dimension(_objects(values), name)
    if hasattr(values, "shape") and hasattr(values, "__getitem__"):
        if not hasattr(values, "__array__") or hasattr(values, "chunks"):
            values = values[:]  # an array in a file
        return _one_dimension(np.asarray(values), name)
    if hasattr(values, "__array__"):
        return _one_dimension(np.asarray(values), name)
    if isinstance(values, Iterable) and not isinstance(values, str | bytes | dict):
        blocks = [_column(block, name) for block in values]
        if blocks:
            return joined(blocks)
    raise ValueError(f"{name} must be one-dimensional, got {type(values).__name__}.")


def _one_dimension(array, name):
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}.")
    # Strings of no fixed length, and what is said to be an object, are objects.
    if array.dtype.kind in "TO":
        return _objects(array.astype(object))
    return array


def _objects(values):
    plain = (one.item() if isinstance(one, np.generic) else one for one in values)
    return np.fromiter(plain, dtype=object, count=len(values))


def _from_pandas(values, name):
    pd = sys.modules["pandas"]
    if isinstance(values, pd.DataFrame):
        if values.shape[1] != 1:
            raise ValueError(
                f"{name} must be one-dimensional, got shape {values.shape}."
            )
        values = values.iloc[:, 0]
    dtype = getattr(values, "dtype", None)
    if dtype is None:
        return None
    if values.isna().any():
        raise ValueError(f"{name} contains NaN, None or the like in some rows.")
    if isinstance(dtype, pd.CategoricalDtype):
        codes = getattr(values, "cat", values).codes
        return _column(dtype.categories, name)[np.asarray(codes)]
    if isinstance(dtype, np.dtype):
        return _one_dimension(np.asarray(values), name)
    bare = getattr(dtype, "numpy_dtype", None)
    if isinstance(bare, np.dtype) and bare.kind in "biu":
        return np.asarray(values.to_numpy(dtype=bare))
    return _objects(values.tolist())


def _from_polars(values, name):
    pl = sys.modules["polars"]
    if isinstance(values, pl.DataFrame):
        if values.width != 1:
            raise ValueError(
                f"{name} must be one-dimensional, got shape {values.shape}."
            )
        values = values.to_series()
    if not isinstance(values, pl.Series):
        return None
    if values.null_count():
        raise ValueError(f"{name} contains NaN, None or the like in some rows.")
    if values.dtype.is_temporal():
        values = values.to_physical()  # objects would lose nanoseconds
    if str(values.dtype).lower() in np.sctypeDict:  # such as Int64
        return values.to_numpy()
    return _objects(values.to_list())


def _from_arrow(values, name):
    pa = sys.modules["pyarrow"]
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        return None
    if values.null_count:
        raise ValueError(f"{name} contains NaN, None or the like in some rows.")
    if pa.types.is_temporal(values.type):
        # Objects would lose nanoseconds, or need pandas to hold them.
        width = pa.int32() if values.type.bit_width == 32 else pa.int64()
        values = values.cast(width)
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return values.to_numpy(
            **({} if isinstance(values, pa.ChunkedArray) else {"zero_copy_only": False})
        )
    return _objects(values.to_pylist())


def _any_missing(column):
    kind = column.dtype.kind
    if kind == "f":
        return bool(np.isnan(column).any())
    if kind in "Mm":
        return bool(np.isnat(column).any())
    return kind == "O" and _any_missing_object(column)


def _any_missing_object(values):
    types = set(map(type, values))
    if {"NoneType", "NAType", "NaTType"} & {one.__name__ for one in types}:
        return True
    if any(issubclass(one, tuple) for one in types):
        tuples = [value for value in values if isinstance(value, tuple)]
        if any(_any_missing_object(value) for value in tuples):
            return True
    if any(issubclass(one, float | np.floating | Decimal) for one in types):
        return any(value != value for value in values if not isinstance(value, tuple))
    return False
