"""Columns out of containers: as they are, or refused by what they hold."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from column_kinds import Blocks
from numpy.testing import assert_array_equal

from skdpgmm._rows.columns import exact_column, joined, kinds_of

LARGE = [2**53, 2**53 + 1, 2**53 + 2]
CONTAINERS = {
    "list": list,
    "set": lambda values: dict.fromkeys(values).keys() & set(values),
    "array": np.array,
    "series": pd.Series,
    "Int64": lambda values: pd.Series(values, dtype="Int64"),
    "category": lambda values: pd.Series(values).astype("category"),
    "frame": lambda values: pd.DataFrame({"y": values}),
    "polars": pl.Series,
    "polars frame": lambda values: pl.DataFrame({"y": values}),
    "pyarrow": pa.array,
    "chunked": lambda values: pa.chunked_array([values[:1], values[1:]]),
    "blocks": lambda values: Blocks(values[:2], values[2:]),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_integers_beyond_float64_stay_apart(container):
    column = exact_column(CONTAINERS[container](LARGE), "y")
    assert sorted(column.tolist()) == LARGE


def test_values_that_look_alike_stay_apart():
    column = exact_column([1, "1", 1.5, b"1", (1, "1")], "y")
    assert column.dtype == object
    assert list(map(type, column)) == [int, str, float, bytes, tuple]
    assert kinds_of(column, "y") == {"int", "str", "float", "bytes", "tuple"}


@pytest.mark.parametrize(
    "blocks, expected",
    [
        ([[1, 2], [3]], np.int64),
        (["ab", "c"], "U2"),
        ([[1], [2.5]], object),  # an integer is not cast to the type of others
        ([[1], ["a"]], object),
        ([np.array([1], np.int8), np.array([300], np.int64)], np.int64),
        ([np.array([-1], np.int64), np.array([2**63], np.uint64)], object),
    ],
)
def test_blocks_are_joined_without_a_cast(blocks, expected):
    columns = [
        np.array(block if type(block) is not str else [block]) for block in blocks
    ]
    found = joined(columns)
    assert found.dtype == expected
    assert found.tolist() == [one for column in columns for one in column.tolist()]


@pytest.mark.parametrize(
    "values, message",
    [
        ([1.0, np.nan], "contains NaN"),
        ([1, None], "contains NaN, None"),
        (pd.Series([1, None], dtype="Int64"), "contains NaN, None"),
        (pl.Series([1, None]), "contains NaN, None"),
        (pa.array([1, None]), "contains NaN, None"),
        (np.array(["NaT", "2020-01-01"], "datetime64[D]"), "contains NaN"),
        (np.ma.array([1, 2], mask=[False, True]), "masked values"),
        (np.ones((3, 1)), r"one-dimensional, got shape \(3, 1\)"),
        (pd.DataFrame({"a": [1], "b": [2]}), "one-dimensional"),
        ("a text", "one-dimensional, got str"),
        ({"a": 1}, "one-dimensional, got dict"),
    ],
)
def test_what_is_no_column_is_refused(values, message):
    with pytest.raises(ValueError, match=f"ids.*{message}"):
        exact_column(values, "ids")


@pytest.mark.parametrize("values", [iter([1, 2]), (i for i in (1, 2))])
def test_what_can_be_read_once_is_refused(values):
    with pytest.raises(TypeError, match="only once"):
        exact_column(values, "y")


@pytest.mark.parametrize("values", [np.ones(2, complex), np.zeros(2, "i4,f4")])
def test_types_without_values_to_compare_are_refused(values):
    with pytest.raises(TypeError, match="one value a record"):
        exact_column(values, "y")


def test_kinds_are_told_apart():
    values = [True, 1, Decimal(1), date(2020, 1, 1)]
    column = np.fromiter(values, object, 4)
    assert kinds_of(column, "y") == {"bool", "int", "Decimal", "date"}
    with pytest.raises(TypeError, match="got complex"):
        kinds_of(np.fromiter([1j], object, 1), "y")


def test_objects_of_numpy_are_those_of_python():
    column = exact_column(np.array([np.int8(3), np.str_("a")], object), "y")
    assert_array_equal([type(one) for one in column], [int, str])
