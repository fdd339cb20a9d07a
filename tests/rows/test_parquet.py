"""Columns of Parquet files: rows and labels, or a clear error."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from private_fits import make_data
from row_kinds import parquet

from skdpgmm import (
    DPKMeans,
    DPLogisticRegression,
    ParquetColumn,
)

N = 500


def test_labels_of_a_file_may_be_strings(tmp_path):
    X, y = make_data(N, 3)
    names = np.array(["a", "b", "c"])
    rows, labels = parquet(tmp_path, X, names[y])
    found = DPLogisticRegression(random_state=0).fit(rows, labels)
    expected = DPLogisticRegression(random_state=0).fit(X, names[y])
    np.testing.assert_array_equal(found.classes_, names)
    np.testing.assert_array_equal(found.coef_, expected.coef_)


def table_of(values):
    return pa.table({"x": values})


@pytest.mark.parametrize(
    "values, message",
    [
        (pa.array([[1.0, 2.0], None]), "nulls in column 'x', in the 2 rows from 0"),
        (pa.array([[1.0, 2.0], [None, 1.0]]), "nulls within lists"),
        (pa.array([[1.0, 2.0], [1.0]]), "lists of 1 to 2 entries"),
        (pa.array([1.0, 2.0]), "2 dimensions"),
    ],
)
def test_bad_parquet(values, message, tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(table_of(values), path)
    with pytest.raises(ValueError, match=message):
        DPKMeans(2).fit(ParquetColumn(path, "x"))
    with pytest.raises(ValueError, match=r"column must be one of \['x'\], got 'y'"):
        ParquetColumn(path, "y")
