"""Ids are compared as they are, whatever container they come in."""

import decimal
import uuid
from datetime import date

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from column_kinds import Blocks, parquet, stored
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skdpgmm import DPKMeans, metrics
from skdpgmm._queries.cells import CELL_BITS, CellMoments, NearestCell
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.blocks import WORD_BITS
from skdpgmm._rows.persons import TakingPart, first_contributions, unit_codes
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.records import exact_sums

LONG = 123456789012345680 + np.arange(8)  # a float64 holds every sixteenth
TEXT = [str(i) for i in LONG]


# Eight ids of eight persons, in each container.
IDS = {
    "numpy": LONG,
    "uint64": LONG.astype(np.uint64),
    "objects": LONG.astype(object),
    "list": LONG.tolist(),
    "list of numbers of numpy": list(LONG),
    "range": range(8),
    "beyond 64 bits": [2**70 + i for i in range(8)],
    "both ends of 64 bits": [2**63 + i for i in range(7)] + [-1],
    "signed and unsigned": [*(np.uint64(2**63 + i) for i in range(7)), np.int64(-1)],
    "strings": TEXT,
    "strings that end in nulls": ["a", "a\0", "a\0b", "a\0c", "b", "c", "d", "e"],
    "strings of numpy": np.array(TEXT),
    "strings of any length": np.array(TEXT, dtype=np.dtypes.StringDType()),
    "bytes": [text.encode() for text in TEXT],
    "1 is not '1'": [1, "1", b"1", 2, "2", 3, "3", b"3"],
    "tuples": [("clinic", i) for i in range(8)],
    "uuids": [uuid.UUID(int=i) for i in range(8)],
    "decimals": [decimal.Decimal(int(i)) for i in LONG],
    "dates": [date(2020, 1, 1 + i) for i in range(8)],
    "whole floats": np.arange(8.0),
    "nanoseconds": LONG.astype("datetime64[ns]"),
    "pandas": pd.Series(LONG),
    "pandas index": pd.Index(LONG),
    "Int64": pd.Series(LONG, dtype="Int64"),
    "UInt64": pd.Series(LONG, dtype="UInt64"),
    "array of Int64": pd.array(LONG, dtype="Int64"),
    "int64[pyarrow]": pd.Series(LONG, dtype="int64[pyarrow]"),
    "uint64[pyarrow]": pd.Series(LONG, dtype="uint64[pyarrow]"),
    "pandas strings": pd.Series(TEXT, dtype="string"),
    "pandas strings with nulls": pd.Series(
        ["a", "a\0", "a\0b", "a\0c", "b", "c", "d", "e"], dtype="string"
    ),
    "string[pyarrow]": pd.Series(TEXT, dtype="string[pyarrow]"),
    "categorical": pd.Series(LONG).astype("category"),
    "categorical array": pd.Categorical(LONG),
    "times": pd.Series(pd.to_datetime(LONG)),
    "times of a zone": pd.Series(pd.to_datetime(LONG, utc=True)),
    "times of pyarrow": pd.Series(
        pd.array(LONG.astype("M8[ns]"), dtype=pd.ArrowDtype(pa.timestamp("ns")))
    ),
    "frame of one column": pd.DataFrame({"id": LONG}),
    "polars": pl.Series(LONG),
    "polars strings": pl.Series(TEXT),
    "polars categorical": pl.Series(TEXT, dtype=pl.Categorical),
    "polars times": pl.Series(LONG).cast(pl.Datetime("ns")),
    "polars decimals": pl.Series([decimal.Decimal(int(i)) for i in LONG]),
    "polars 128 bits": pl.Series(LONG).cast(pl.Int128),
    "pyarrow": pa.array(LONG),
    "pyarrow chunks": pa.chunked_array([LONG[:3], LONG[3:]]),
    "pyarrow strings": pa.array(TEXT),
    "pyarrow dictionary": pa.array(TEXT).dictionary_encode(),
    "pyarrow times": pa.array(LONG).cast(pa.timestamp("ns")),
    "pyarrow bytes": pa.array([text.encode() for text in TEXT]),
    "tensor": torch.from_numpy(LONG),
    "masked array without a mask": np.ma.array(LONG),
    "blocks": Blocks(LONG[:3], LONG[3:]),
    "blocks of several types": Blocks(LONG[:3], TEXT[3:]),
    "blocks of series": Blocks(
        pd.Series(LONG[:3], dtype="Int64"), pd.Series(LONG[3:], dtype="Int64")
    ),
    "dask": da.from_array(LONG, 3),
    "dask series": dd.from_pandas(pd.Series(LONG, dtype="Int64"), 2),
}
X = np.array([[1.0]] + [[-1.0]] * 7)


def integer_sums(X, ids):
    """Return the number of records that take part, and their sum on the grid."""
    zero = np.zeros((1, 1))
    ball, cell = Ball(zero[0], 1.0), NearestCell(zero, np.zeros(1, dtype=np.intp))
    query = CellMoments(ball, cell, zero, np.ones(1), ("count", "sum"))
    rows = ArrayRows(X, None, first_contributions(ids, len(X), None))
    return tuple(
        int(high) * 2**WORD_BITS + int(low)
        for high, low in map(np.ravel, exact_sums(rows, query))
    )


@pytest.mark.parametrize("kind", IDS)
def test_ids_tell_persons_apart(kind):
    ids = IDS[kind]
    assert len(set(unit_codes(ids).tolist())) == 8
    # With and without person 0, the sums move by one record: before, ids that were
    # merged let one of the others in instead, and the sum moved by two.
    count, total = integer_sums(X, ids)
    without = integer_sums(X[1:], unit_codes(ids)[1:])
    assert (count, without[0]) == (8, 7)
    assert total - without[1] == 2**CELL_BITS
    model = DPKMeans(1, epsilon=np.inf, clip_norm=1.0).fit(X, privacy_ids=ids)
    assert model.cluster_counts_ == [8.0]


def test_ids_in_files(tmp_path):
    for ids in (parquet(tmp_path, pa.array(LONG)), stored(tmp_path, LONG)):
        assert len(set(unit_codes(ids).tolist())) == 8
    np.save(tmp_path / "ids.npy", LONG)
    assert len(set(unit_codes(np.load(tmp_path / "ids.npy", mmap_mode="r")))) == 8


@pytest.mark.parametrize("kind", IDS)
def test_equal_ids_are_one_person(kind):
    ids = IDS[kind]
    if isinstance(ids, Blocks):
        twice = Blocks(*ids, *ids)
    elif isinstance(ids, da.Array):
        twice = da.concatenate([ids, ids])
    else:
        twice = Blocks(ids, ids)
    codes = unit_codes(twice)
    assert_array_equal(codes[:8], codes[8:])
    assert len(set(codes.tolist())) == 8


MISSING = {
    "None": [None, 1],
    "None among strings": ["a", None],
    "nan": [1.0, np.nan],
    "nan among strings": ["a", float("nan")],
    "a tuple": [(1, None), (1, 2)],
    "a decimal": [decimal.Decimal("nan"), decimal.Decimal(1)],
    "numpy": np.array([1.0, np.nan]),
    "NaT": np.array(["2020-01-01", "NaT"], dtype="datetime64[s]"),
    "Int64": pd.Series([1, None], dtype="Int64"),
    "int64[pyarrow]": pd.Series([1, None], dtype="int64[pyarrow]"),
    "strings": pd.Series(["a", None], dtype="string"),
    "objects": pd.Series(["a", pd.NA], dtype=object),
    "categorical": pd.Series(["a", None], dtype="category"),
    "times": pd.Series([pd.Timestamp(0), pd.NaT]),
    "polars null": pl.Series([1, None]),
    "polars nan": pl.Series([1.0, float("nan")]),
    "pyarrow": pa.array([1, None]),
    "pyarrow dictionary": pa.DictionaryArray.from_arrays(
        pa.array([0, 1]), pa.array(["a", None])
    ),
    "masked": np.ma.array([1, 2], mask=[False, True]),
    "blocks": Blocks(np.array([1]), np.array([np.nan])),
}
BAD_IDS = {
    "large floats": LONG.astype(float)[:2],
    "large floats of 32 bits": np.array([2.0**24, 1.0], dtype=np.float32),
    "halves": [0.5, 1.0],
    "Float64": pd.Series([0.5, 1.0], dtype="Float64"),
    "a float among strings": ["a", 2.0**53],
    "True and 1": [True, 1],
    "lists": [[1], [2]],
    "two columns": pd.DataFrame({"a": [1, 2], "b": [1, 2]}),
    "two dimensions": np.zeros((2, 1)),
    "complex": np.array([1j, 2j]),
    "tensors": [torch.tensor(1), torch.tensor(1)],
    "periods": pd.Series(pd.period_range("2020", periods=2)),
    "an iterator": iter([1, 2]),
    "a string": "ab",
    "a number": 3,
    "too few": [1],
}


@pytest.mark.parametrize("kind", [*MISSING, *BAD_IDS])
def test_ids_that_tell_nobody_are_refused_by_name(kind):
    ids = MISSING.get(kind, BAD_IDS.get(kind))
    estimator = DPKMeans(1)
    with pytest.raises((ValueError, TypeError), match="privacy_ids") as caught:
        estimator.fit(X[:2], privacy_ids=ids)
    assert not hasattr(caught.value, "privacy_")
    assert vars(estimator) == vars(DPKMeans(1))
    if not hasattr(ids, "__next__"):
        with pytest.raises((ValueError, TypeError), match="privacy_ids"):
            metrics.private_accuracy([0, 1], [0, 1], privacy_ids=ids)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=200),
    st.integers(1, 4),
    st.sampled_from([np.asarray, list, pd.Series, lambda x: [str(i) for i in x]]),
)
def test_the_first_records_of_each_person_are_kept(persons, m, container):
    """Which they are depends on nobody else."""
    kept = first_contributions(container(persons), len(persons), m)
    for person in set(persons):
        mine = kept[np.array(persons) == person]
        assert_array_equal(mine, np.arange(len(mine)) < m)


def test_the_order_of_many_records_is_kept():
    # numpy sorts few, or in few runs, stably in any case.
    ids = np.random.default_rng(0).integers(50, size=5000)
    kept = first_contributions(ids, len(ids), 3)
    for person in range(50):
        mine = np.flatnonzero(ids == person)
        assert_array_equal(np.flatnonzero(kept & (ids == person)), mine[:3])


def test_a_mask_of_those_who_take_part_is_taken_as_it_is():
    kept = np.array([True, False, True])
    part = TakingPart(kept, enforced=True)
    assert first_contributions(part, 3, 1) is kept
    assert "True" not in repr(part)  # a mask of private records
    with pytest.raises(ValueError, match="must have 4 entries"):
        first_contributions(part, 4, 1)
