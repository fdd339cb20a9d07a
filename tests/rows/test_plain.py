"""Rows in any container: the same model as of an array, or an error that costs nothing.

Numpy takes masked values for values and dates for numbers, in silence.
"""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from column_kinds import Blocks
from private_fits import ESTIMATORS, sized
from sklearn.utils import check_array

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm._rows.plain import no_records_told

N = 120
# Small integers, which every type holds.
X = np.random.default_rng(0).integers(0, 50, size=(N, 3)).astype(float)
Y = np.arange(N) % 3
FRAME = pd.DataFrame(X, columns=list("abc"))
MIXED = FRAME.astype({"a": "Int64", "b": "int64[pyarrow]"})
MASK = np.zeros(X.shape, dtype=bool)
MASK[3, 1] = True
MASKED = np.ma.array(X, mask=MASK)
DAY = pd.Timestamp("2020-01-01")


class DataArray:
    """What an array of xarray has: the methods of Dask, in memory too."""

    __module__ = "xarray.core.dataarray"
    dims = ("rows", "columns")

    def __init__(self, data):
        self.data = data
        self.shape, self.dtype = data.shape, data.dtype
        self.chunks = getattr(data, "chunks", None)

    def __dask_graph__(self):
        return getattr(self.data, "__dask_graph__", lambda: None)()

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.data)

    def __getitem__(self, rows):
        return DataArray(self.data[rows])


class Dataset:
    __module__ = "xarray.core.dataset"
    dims = ("rows",)


class Stored:
    """What an array of h5py has; its chunks may be None."""

    chunks = None

    def __init__(self, data):
        self.data, self.shape, self.dtype = data, data.shape, data.dtype

    def __getitem__(self, rows):
        return self.data[rows]


def halves(frame):
    return Blocks(frame[:40], frame[40:])


ROWS = {
    "Int64": FRAME.astype("Int64"),
    "Float64": FRAME.astype("Float64"),
    "double[pyarrow]": FRAME.astype("double[pyarrow]"),
    "several types": MIXED,
    "objects": FRAME.astype(object),
    "polars": pl.DataFrame(FRAME),
    "polars, several types": pl.DataFrame(
        {"a": X[:, 0].astype(int), "b": X[:, 1], "c": X[:, 2].astype(np.float32)}
    ),
    "table of pyarrow": pa.table(FRAME),
    "blocks of Int64": halves(FRAME.astype("Int64")),
    "blocks of several types": halves(MIXED),
    "blocks of polars": halves(pl.DataFrame(FRAME)),
    "blocks of lists": Blocks(X[:40].tolist(), X[40:].tolist()),
    "dask Int64": dd.from_pandas(FRAME.astype("Int64"), 3),
    "dask double[pyarrow]": dd.from_pandas(FRAME.astype("double[pyarrow]"), 3),
    "dask, several types": dd.from_pandas(MIXED, 3),
    "bfloat16": torch.from_numpy(X).bfloat16(),
    "blocks of bfloat16": halves(torch.from_numpy(X).bfloat16()),
    "masked array without a mask": np.ma.array(X),
    "xarray": DataArray(X),
    "xarray of dask": DataArray(da.from_array(X, (50, 3))),
    "h5py": Stored(X),
}


@pytest.mark.parametrize("kind", ROWS)
def test_the_same_model_as_of_an_array(kind):
    rows = ROWS[kind]
    expected = DPLogisticRegression(random_state=0).fit(X, Y)
    found = DPLogisticRegression(random_state=0).fit(rows, Y)
    np.testing.assert_array_equal(found.coef_, expected.coef_)
    answer = found.predict(rows)
    if hasattr(answer, "compute"):
        answer = answer.compute()
    elif not isinstance(answer, np.ndarray):
        answer = np.concatenate(list(answer))
    np.testing.assert_array_equal(answer, expected.predict(X))


LISTS = pd.DataFrame({"e": list(X)})
ARROW_LISTS = pd.DataFrame(
    {"e": pd.Series(X.tolist(), dtype=pd.ArrowDtype(pa.list_(pa.float64())))}
)
BAD = {
    "Int64 with NA": (FRAME.astype("Int64").mask(MASK), "contains NaN"),
    "blocks of Int64 with NA": (halves(FRAME.astype("Int64").mask(MASK)), "in row 3"),
    "dask Int64 with NA": (
        dd.from_pandas(FRAME.astype("Int64").mask(MASK), 3),
        "in row 3",
    ),
    "polars with null": (
        pl.DataFrame(FRAME).with_columns(pl.lit(None, pl.Float64).alias("a")),
        "contains NaN",
    ),
    "masked": (MASKED, "masked values"),
    "blocks, masked": (Blocks(X, MASKED), "masked values"),
    "dask, masked": (da.from_array(MASKED, (40, 3)), "Chunk 0 .*masked values"),
    "dates": (np.full((N, 3), np.datetime64("2020-01-01")), "real numbers"),
    "durations": (np.full((N, 3), np.timedelta64(3, "s")), "real numbers"),
    "dates in blocks": (Blocks(np.full((N, 3), np.datetime64("2020-01-01"))), "real"),
    "a frame with dates": (FRAME.assign(c=DAY), "column 'c' holds dates"),
    "a frame of dates": (pd.DataFrame({"a": [DAY] * N}), "column 'a' holds dates"),
    "dates of pyarrow": (
        FRAME.assign(c=pd.Series([DAY] * N).astype(pd.ArrowDtype(pa.timestamp("ns")))),
        "column 'c' holds dates",
    ),
    "polars dates": (
        pl.DataFrame(FRAME).with_columns(pl.lit(DAY).alias("t")),
        "column 't' holds dates",
    ),
    "dask dates": (dd.from_pandas(FRAME.assign(c=DAY), 2), "column 'c' holds dates"),
    "lists": (LISTS, r"column 'e' holds lists: .*np.stack"),
    "lists of pyarrow": (ARROW_LISTS, "column 'e' holds lists"),
    "polars lists": (pl.DataFrame({"e": X.tolist()}), "column 'e' holds lists"),
    "polars arrays": (
        pl.DataFrame({"e": pl.Series(X.tolist(), dtype=pl.Array(pl.Float64, 3))}),
        "column 'e' holds lists",
    ),
    "dask lists": (dd.from_pandas(ARROW_LISTS, 2), "column 'e' holds lists"),
    "blocks with lists": (halves(LISTS), "column 'e' holds lists"),
    "strings": (FRAME.assign(c="x"), "could not convert string"),
    "dask strings": (dd.from_pandas(FRAME.assign(c="x"), 2), "real numbers"),
    "blocks with strings": (halves(FRAME.assign(c="x")), "real numbers"),
    "a data set of xarray": (Dataset(), "one of its variables"),
}


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("kind", BAD)
def test_what_numpy_would_take_in_silence_is_refused(kind, cls):
    rows, message = BAD[kind]
    estimator = sized(cls, 2)
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        estimator.fit(rows, Y)
    assert not hasattr(caught.value, "privacy_")
    assert vars(estimator) == vars(sized(cls, 2))


def test_masked_values_are_refused_wherever_they_come_from():
    for params in ({"center": MASKED[3]}, {"X_public": MASKED}):
        with pytest.raises(ValueError, match=f"{next(iter(params))} .*masked"):
            DPEmbeddingSynthesizer(**params).fit(X, Y)
    pair = np.ma.array([0.5, 0.5], mask=[False, True])
    for params in (
        {"means_init": np.ma.array(X[:2], mask=MASK[2:4])},
        {"weights_init": pair},
        {"precisions_init": pair, "covariance_type": "spherical"},
    ):
        with pytest.raises(ValueError, match=f"{next(iter(params))} .*masked"):
            DPGaussianMixture(2, **params).fit(X)
    with pytest.raises(ValueError, match="masked"):
        DPKMeans(2).fit(X).predict(MASKED)


def test_bytes_of_a_file_as_labels():
    names = np.array([b"a", b"b", b"c"], dtype=object)[Y]
    with pytest.raises(TypeError, match=r"decode them, .*asstr"):
        DPLogisticRegression().fit(X, Stored(names))
    plain = Stored(names.astype(str).astype(object))
    assert DPLogisticRegression().fit(X, plain).classes_.tolist() == ["a", "b", "c"]
    for labels in (DataArray(Y), DataArray(da.from_array(Y, 50))):
        for rows in (X, DataArray(da.from_array(X, (70, 3)))):
            model = DPLogisticRegression().fit(rows, labels)
            assert model.classes_.tolist() == [0, 1, 2]


LAZY = {
    "blocks": halves(X),
    "dask array": da.from_array(X, (50, 3)),
    "dask frame": dd.from_pandas(FRAME, 2),
}


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("kind", LAZY)
def test_frames_of_lazy_answers_are_refused(kind, library):
    for model in (DPKMeans(2), DPEmbeddingSynthesizer(2)):
        rows = FRAME if kind == "dask frame" else X
        model.fit(rows).set_output(transform=library)
        assert hasattr(model.transform(rows), "columns")
        with pytest.raises(ValueError, match=r"set_output.* X is lazy"):
            model.transform(LAZY[kind])


# --------------------------------------------------------------------------
# Names of tasks
# --------------------------------------------------------------------------


def task_names(make, monkeypatch):
    """Return the names of all tasks of a fit, those of the given rows left out."""
    names = set()
    compute = dask.compute

    def watched(*args, **kwargs):
        for one in args:
            names.update(map(str, one.__dask_graph__().keys()))
        return compute(*args, **kwargs)

    with monkeypatch.context() as patch, dask.config.set({"delayed_pure": True}):
        patch.setattr(dask, "compute", watched)
        rows, y, ids = make()
        given = set(map(str, rows.__dask_graph__().keys()))
        DPEmbeddingSynthesizer(random_state=0).fit(rows, y, privacy_ids=ids)
    return names - given


def test_names_of_tasks_say_nothing_of_labels_or_persons(monkeypatch):
    # A token that is a hash of the labels would be the same in both fits, and tell
    # whoever sees the names of tasks whether they are.
    rows = da.from_array(X, (50, 3), name="rows")
    once, again = (
        task_names(lambda: (rows, Y, np.arange(N) // 2), monkeypatch) for _ in range(2)
    )
    assert len(once) > 20
    assert not once & again


def test_what_is_no_number_is_not_quoted():
    said = "X must be of real numbers: could not convert string to float. Images and"
    with pytest.raises(ValueError, match=said) as caught:
        no_records_told(np.array(["a secret"]).astype, float)
    error = caught.value
    assert "secret" not in str(error)
    assert error.__context__ is None and error.__cause__ is None
    with pytest.raises(TypeError, match=r"not 'object'. Images and"):
        no_records_told(float, object())
    with pytest.raises(ValueError, match=r"got 1D array instead: give a row") as caught:
        no_records_told(check_array, [1234.5, 1.0])
    assert "1234" not in str(caught.value)
    with pytest.raises(KeyError, match="other"):
        no_records_told({}.pop, "other")
    with pytest.raises(ValueError, match="invalid literal for int"):
        no_records_told(int, "other")
    assert no_records_told(int, "11", base=2) == 3
