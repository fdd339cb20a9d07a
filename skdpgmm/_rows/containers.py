"""Synthetic rows and labels in the containers that the records came in.

What is carried over is the container: names and types of columns, name and type of a
series. It is public, as the shape of a record is; no index and no value goes along.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._rows.array_api import as_numpy

_FLOAT: Any = np.dtype(np.float64)


class Frame(NamedTuple):
    """A data frame without its rows.

    Attributes
    ----------
    library : {"pandas", "polars"}
    columns : pandas.Index or list of str
    dtypes : tuple
        Types of the columns.
    """

    library: str
    columns: Any
    dtypes: tuple

    def filled(self, rows):
        """Return a frame of these columns that holds rows.

        Parameters
        ----------
        rows : ndarray of shape (n, n_columns)
            What is to be in columns of integers is rounded, and all is kept within
            what the type of its column holds.

        Returns
        -------
        frame : DataFrame
            Types that are not of numbers become floating point numbers.
        """
        bare = [self._bare(dtype) for dtype in self.dtypes]
        if self.library == "pandas":
            return _pandas_frame(rows, self.columns, self.dtypes, bare)
        return _polars_frame(rows, self.columns, bare)

    def kept(self):
        """Return the same with nothing in it that is of the values of records.

        Types that are not of numbers, such as that of categories, become those of
        floating point numbers.
        """
        bare = [self._bare(dtype) for dtype in self.dtypes]
        if self.library == "polars":
            return self._replace(dtypes=_numbers_of(bare))
        dtypes = zip(self.dtypes, bare, strict=True)
        kept = tuple(_FLOAT if one is None else dtype for dtype, one in dtypes)
        return self._replace(columns=self.columns.copy(), dtypes=kept)

    def of_library(self, library):
        """Return the same for frames of another library."""
        if library == self.library:
            return self
        names = [str(name) for name in self.columns]
        return Frame(library, names, _numbers_of(map(self._bare, self.dtypes)))

    def of_floats(self):
        """Return the same with numbers of any size in columns of other types."""
        double: Any = _FLOAT
        if self.library == "polars":
            double = sys.modules["polars"].Float64
        bare = [self._bare(dtype) for dtype in self.dtypes]
        dtypes = (
            dtype if one is not None and one.kind == "f" else double
            for dtype, one in zip(self.dtypes, bare, strict=True)
        )
        return self._replace(dtypes=tuple(dtypes))

    def _bare(self, dtype):
        """Return the type of numpy of numbers in a column, or None for others."""
        if isinstance(dtype, np.dtype):
            pass
        elif self.library == "pandas":
            dtype = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
        elif dtype.is_numeric() or str(dtype) == "Boolean":
            name = str(dtype).lower().replace("boolean", "bool")
            with suppress(TypeError):  # such as decimals
                dtype = np.dtype(name)
        numbers = isinstance(dtype, np.dtype) and dtype.kind in "fiub"
        return dtype if numbers else None


def frame_of(X) -> Frame | None:
    """Return the container of rows, or None for those that are in no frame."""
    X = _without_chunks(X)
    if _is(X, "pandas", "DataFrame"):
        return Frame("pandas", X.columns, tuple(X.dtypes))
    if _is(X, "polars", "DataFrame"):
        return Frame("polars", X.columns, tuple(X.dtypes))
    return None


def rows_like(rows, X):
    """Return rows in the container of `X`: a frame, a list or else as they are."""
    if isinstance(X, list):
        return rows.tolist()
    frame = frame_of(X)
    return rows if frame is None else frame.filled(rows)


def labels_like(labels, y, classes=None):
    """Return labels in the container of `y`.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Labels.
    y : array-like
        Its name and type are taken over, where the type holds all labels.
    classes : ndarray of shape (n_classes,), optional
        The set of classes where it was given as public, and not taken from `y`. They
        replace the categories of a type, which may be those that occur, unless these
        have an order, which somebody has declared.

    Returns
    -------
    labels : Series, DataFrame of one column, list or ndarray of shape (n,)
    """
    if isinstance(y, list):
        return labels.tolist()
    column = column_of(y, classes)
    return labels if column is None else column.filled(as_numpy(labels))


class Column(NamedTuple):
    """A series, or a frame of one column, without its values.

    Attributes
    ----------
    library : {"pandas", "polars"}
    name : Any
        Of the series; of a frame its columns.
    dtype : Any
    is_frame : bool
    """

    library: str
    name: Any
    dtype: Any
    is_frame: bool

    def filled(self, labels):
        """Return labels with this name, and of this type where it holds all of them."""
        if self.library == "pandas":
            series = _pandas_series(labels, self.dtype)
            if self.is_frame:
                return series.to_frame().set_axis(self.name, axis=1)
            return series.rename(self.name)
        series = _polars_series(labels, self.name, self.dtype)
        return series.to_frame() if self.is_frame else series


def column_of(y, classes=None) -> Column | None:
    """Return the container of labels, or None for those that are in none.

    `classes` is as for `labels_like`.
    """
    y = _without_chunks(y)
    if _is(y, "pandas", "Series"):
        return Column("pandas", y.name, _declared(y.dtype, classes), False)
    if _is(y, "pandas", "DataFrame"):
        dtype = _declared(y.dtypes.iloc[0], classes)
        return Column("pandas", y.columns.copy(), dtype, True)
    if _is(y, "polars", "Series"):
        return Column("polars", y.name, y.dtype, False)
    if _is(y, "polars", "DataFrame"):
        return Column("polars", y.columns[0], y.dtypes[0], True)
    return None


def plain_frame(library, names, dtype, n_columns):
    """Return the container of rows of one type, with names as scikit-learn gives."""
    if names is None:
        names = [f"x{i}" for i in range(n_columns)]
    return Frame(library, list(names), (np.dtype(dtype),) * n_columns)


def one_column(y):
    """Return the column of a frame that has only one, and else what is given."""
    kind = _without_chunks(y)
    if _is(kind, "pandas", "DataFrame") or _is(kind, "polars", "DataFrame"):
        return y[y.columns[0]] if len(y.columns) == 1 else y
    return y


def _is(X, library, name):
    module = sys.modules.get(library)
    return module is not None and isinstance(X, getattr(module, name))


def _without_chunks(X):
    """Return a frame of pandas like a Dask frame, without rows."""
    return getattr(X, "_meta", X) if hasattr(X, "__dask_graph__") else X


def _numbers(values, dtype):
    """Return numbers in another type of numpy, or as they are without one."""
    if dtype is None or values.dtype == dtype:
        return values
    if dtype.kind == "b":
        return values > 0.5
    limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    low, high = float(limits.min), float(limits.max)
    if dtype.kind != "f":
        values = np.rint(values)
        # The largest integer of 64 bits is not a floating point number.
        high = high if high <= limits.max else np.nextafter(high, 0.0)
    return np.clip(values, low, high).astype(dtype)


def _pandas_frame(rows, columns, dtypes, bare):
    import pandas as pd

    if all(dtype == rows.dtype for dtype in dtypes):
        return pd.DataFrame(rows, columns=columns)
    made = {}
    for i, (dtype, one) in enumerate(zip(dtypes, bare, strict=True)):
        column = pd.Series(_numbers(rows[:, i], one))
        made[i] = column if one is None else column.astype(dtype)
    return pd.DataFrame(made).set_axis(columns, axis=1)


def _polars_frame(rows, columns, bare):
    import polars as pl

    return pl.DataFrame(
        [
            pl.Series(name, _numbers(rows[:, i], one))
            for i, (name, one) in enumerate(zip(columns, bare, strict=True))
        ]
    )


def _declared(dtype, classes):
    """Return a type of pandas whose categories, if any, are what is public."""
    import pandas as pd

    categories = isinstance(dtype, pd.CategoricalDtype)
    if categories and classes is not None and not dtype.ordered:
        return pd.CategoricalDtype(classes)
    return dtype


def _numbers_of(bare):
    return tuple(_FLOAT if one is None else one for one in bare)


def _pandas_series(labels, dtype):
    import pandas as pd

    series = pd.Series(labels)
    if isinstance(dtype, pd.CategoricalDtype):
        codes = dtype.categories.get_indexer(series)
        if (codes < 0).any():
            return series
        return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))
    try:
        found = series.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        return series
    return found if (found == series).all() else series


def _polars_series(labels, name, dtype):
    import polars as pl

    series = pl.Series(name, labels.tolist())
    try:
        found = series.cast(dtype)
    except (pl.exceptions.PolarsError, TypeError):
        return series
    return found if found.to_list() == series.to_list() else series
