"""Rows without what numpy would drop or change in silence.

``np.asarray`` takes masked values for values and dates for numbers, and tells of a
column of lists, or of a bfloat16, that it cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# How the names of types of pandas, polars and pyarrow begin.
_TIMES = ("date", "time", "duration", "period")
_LISTS = ("list", "array", "fixed_size_list", "large_list")


def is_dask(X: Any) -> bool:
    """Whether `X` is a collection of Dask, which need not be installed."""
    # Arrays of xarray always have the method, which says None of those in memory.
    return hasattr(X, "__dask_graph__") and X.__dask_graph__() is not None


ENCODE = (
    "Images and texts become rows by an encoder first, such as ImageEncoder or "
    "TextEncoder; categories by numbers that do not depend on the records."
)

# What is said of paths and images, and of arrays of these.
_OF_ITEMS = ("must be a string or a real number", "Found array with dim")


def no_records_told(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function; where it finds no numbers, say so, but not what is there.

    numpy quotes what it cannot convert, and scikit-learn what has no columns: records.
    """
    try:
        return function(*args, **kwargs)
    except (TypeError, ValueError) as error:
        told, refused = str(error), type(error)
        if "could not convert" in told:
            told = "X must be of real numbers: could not convert string to float"
            refused = ValueError
        elif "instead:\narray=" in told:
            told = (
                told.partition(":\narray=")[0]
                + ": give a row for each record. Reshape your data"
            )
        elif not any(part in told for part in _OF_ITEMS):
            raise
    # Here, what was quoted is no context of the exception either.
    raise refused(f"{told.rstrip('.')}. {ENCODE}")


def unwrapped(X: Any, name: str) -> Any:
    """Return the array, of numpy or Dask, in an array of xarray; others as they are."""
    if type(X).__module__.partition(".")[0] != "xarray" or not hasattr(X, "dims"):
        return X
    if not hasattr(X, "dtype"):
        raise TypeError(
            f"{name} is a Dataset of xarray: give one of its variables, an array."
        )
    return X.data


def plain(X: Any, name: str = "X") -> Any:
    """Return rows as they are, out of a wrapper, or say what they cannot be.

    Parameters
    ----------
    X : array-like, or whatever else gives rows
        One block of them, or all.
    name : str
        Of the parameter, for messages.

    Returns
    -------
    X : array-like
    """
    X = unwrapped(X, name)
    if str(getattr(X, "dtype", "")) == "torch.bfloat16":
        X = X.float()  # exact
    if np.ma.is_masked(X):
        raise ValueError(f"{name} contains masked values.")
    # Of the class, as a Delayed of Dask has every attribute.
    frame = hasattr(type(X), "columns") and hasattr(type(X), "dtypes")
    if frame and getattr(X, "ndim", 2) == 2:  # no column of Dask
        _check_columns(X, name)
    elif isinstance(getattr(X, "dtype", None), np.dtype) and X.dtype.kind in "mM":
        raise TypeError(f"{name} must be of real numbers, got {X.dtype}.")
    return X


def numbers(X: Any) -> Any:
    """Return a block of rows, with columns that may have missing values as numbers.

    Parameters
    ----------
    X : array-like
        A block of rows.

    Returns
    -------
    X : array-like
        What is missing is NaN.
    """
    X = plain(X)
    dtype = floats_for(X.dtypes) if hasattr(X, "iloc") and X.ndim == 2 else None
    return X if dtype is None else X.to_numpy(dtype=dtype, na_value=np.nan)


def floats_for(dtypes) -> Any:
    """Return the type of numpy for columns of numbers that pandas keeps in types of its
    own; None where it does not, or where some are of no numbers.
    """
    bare = [getattr(dtype, "numpy_dtype", dtype) for dtype in dtypes]
    if bare == list(dtypes):
        return None
    if not all(getattr(one, "kind", "O") in "fiub" for one in bare):
        return None
    single = all(one == np.float32 for one in bare)
    return np.dtype(np.float32 if single else np.float64)


def _check_columns(X, name):
    for i, (column, dtype) in enumerate(zip(X.columns, X.dtypes, strict=True)):
        text = str(dtype).lower()
        what = None
        if text.startswith(_TIMES):
            what = "dates or times"
        elif text.startswith(_LISTS) or _holds_lists(X, i, text):
            what = "lists: give an array of two dimensions, such as np.stack of it"
        if what is not None:
            raise TypeError(
                f"{name} must be of real numbers; its column {column!r} holds {what}."
            )


def _holds_lists(X, i, text):
    if text != "object" or not hasattr(X, "iloc") or hasattr(X, "__dask_graph__"):
        return False
    return len(X) > 0 and isinstance(X.iloc[0, i], list | tuple | np.ndarray)
