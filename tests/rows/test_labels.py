"""Labels, and the public classes, are taken as they are, whatever they come in."""

import functools

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
import zarr
from column_kinds import Blocks, parquet, stored
from numpy.testing import assert_array_equal
from private_fits import make_data

from skdpgmm import DPEmbeddingSynthesizer, DPLogisticRegression, metrics

N = 120
ROWS, CODES = make_data(N, 3)
NAMES = np.array(["a", "b", "c"])[CODES]
BIG = 2**53 + CODES
# Labels, and the classes that scikit-learn has of the same in numpy.
LABELS = {
    "numpy": (CODES, CODES),
    "list": (CODES.tolist(), CODES),
    "list of strings": (NAMES.tolist(), NAMES),
    "objects": (NAMES.astype(object), NAMES),
    "integers as objects": (CODES.astype(object), CODES),
    "bools": (CODES > 0, CODES > 0),
    "list of bools": ((CODES > 0).tolist(), CODES > 0),
    "floats": (CODES.astype(float), CODES.astype(float)),
    "large": (BIG, BIG),
    "large uint64": ((2**63 + CODES.astype(np.uint64)),) * 2,
    "strings of any length": (NAMES.astype(np.dtypes.StringDType()), NAMES),
    "Int64": (pd.Series(BIG, dtype="Int64"), BIG),
    "int64[pyarrow]": (pd.Series(BIG, dtype="int64[pyarrow]"), BIG),
    "boolean": (pd.Series(CODES > 0, dtype="boolean"), CODES > 0),
    "bool[pyarrow]": (pd.Series(CODES > 0, dtype="bool[pyarrow]"), CODES > 0),
    "string": (pd.Series(NAMES, dtype="string"), NAMES),
    "string[pyarrow]": (pd.Series(NAMES, dtype="string[pyarrow]"), NAMES),
    "categorical": (pd.Series(NAMES, dtype="category"), NAMES),
    "categorical integers": (pd.Series(BIG).astype("category"), BIG),
    "frame of one column": (pd.DataFrame({"label": BIG}), BIG),
    "frame of one nullable column": (
        pd.DataFrame({"label": pd.Series(BIG, dtype="Int64")}),
        BIG,
    ),
    "polars": (pl.Series(BIG), BIG),
    "polars strings": (pl.Series(NAMES), NAMES),
    "polars categorical": (pl.Series(NAMES, dtype=pl.Categorical), NAMES),
    "polars frame": (pl.DataFrame({"label": NAMES}), NAMES),
    "pyarrow": (pa.array(BIG), BIG),
    "pyarrow strings": (pa.chunked_array([pa.array(NAMES)]), NAMES),
    "blocks": (Blocks(BIG[:50], BIG[50:]), BIG),
    "blocks of strings": (Blocks(NAMES[:50].tolist(), NAMES[50:]), NAMES),
    "blocks of series": (Blocks(pd.Series(NAMES[:50]), pd.Series(NAMES[50:])), NAMES),
    "dask": (da.from_array(BIG, 50), BIG),
    "dask Int64": (dd.from_pandas(pd.Series(BIG, dtype="Int64"), 3), BIG),
    "dask boolean": (
        dd.from_pandas(pd.Series(CODES > 0, dtype="boolean"), 3),
        CODES > 0,
    ),
    "dask strings": (dd.from_pandas(pd.Series(NAMES), 3), NAMES),
    "dask string": (dd.from_pandas(pd.Series(NAMES, dtype="string"), 3), NAMES),
    "dask categories": (
        dd.from_pandas(pd.Series(NAMES, dtype="category"), 3),
        NAMES,
    ),
    "dask frame": (dd.from_pandas(pd.DataFrame({"label": NAMES}), 3), NAMES),
    "tensor": (torch.from_numpy(BIG), BIG),
}
BESIDE = {
    "memory": lambda X: X,
    "blocks": lambda X: Blocks(X[:30], X[30:]),
    "dask": lambda X: da.from_array(X, (70, 3)),
}


@functools.cache
def of_plain_labels(kind):
    return DPLogisticRegression(random_state=0).fit(ROWS, LABELS[kind][1])


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_taken_as_they_are(kind, beside):
    y, plain = LABELS[kind]
    rows = BESIDE[beside](ROWS)
    expected = of_plain_labels(kind)
    found = DPLogisticRegression(random_state=0).fit(rows, y)
    assert found.classes_.tolist() == expected.classes_.tolist()
    assert {type(label) for label in found.classes_.tolist()} == {
        type(label) for label in plain.tolist()
    }
    assert_array_equal(found.coef_, expected.coef_)
    if beside == "memory":
        synthesizer = DPEmbeddingSynthesizer(random_state=0)
        score = synthesizer.fit(ROWS, y).score(ROWS, y)
        assert np.isfinite(score)
        assert score == pytest.approx(
            DPEmbeddingSynthesizer(random_state=0).fit(ROWS, plain).score(ROWS, plain)
        )


@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning")
def test_labels_in_files(tmp_path):
    for i, (values, plain) in enumerate(
        [(pa.array(BIG), BIG), (pa.array(NAMES), NAMES)]
    ):
        folder = tmp_path / str(i)
        folder.mkdir()
        y = parquet(folder, values)
        for rows in (make(ROWS) for make in BESIDE.values()):
            model = DPLogisticRegression(random_state=0).fit(rows, y)
            assert model.classes_.tolist() == np.unique(plain).tolist()
    y = stored(tmp_path, NAMES)
    assert DPLogisticRegression().fit(ROWS, y).classes_.tolist() == ["a", "b", "c"]
    text = zarr.create_array(tmp_path / "t.zarr", shape=(N,), dtype=str)
    text[:] = NAMES
    assert DPLogisticRegression().fit(ROWS, text).classes_.tolist() == ["a", "b", "c"]


CLASSES = {
    "a set": ({0, 1, 2, 7}, CODES),
    "a frozen set": (frozenset("abcd"), NAMES),
    "a range": (range(4), CODES),
    "keys": ({"a": 1, "b": 2, "c": 3, "d": 4}.keys(), NAMES),
    "Int64": (pd.Series([2**53 + i for i in range(4)], dtype="Int64"), BIG),
    "large floats for integers": ([0.0, 1.0, 2.0, 2.0**60], CODES),
    "a categorical": (pd.Categorical(list("abcd")), NAMES),
    "polars": (pl.Series(list("abcd")), NAMES),
}


@pytest.mark.parametrize("kind", CLASSES)
def test_public_classes_in_any_container(kind):
    classes, y = CLASSES[kind]
    model = DPLogisticRegression(classes=classes, random_state=0).fit(ROWS, y)
    assert len(model.classes_) == 4
    assert set(np.unique(y).tolist()) <= set(model.classes_.tolist())


BAD_LABELS = {
    "1 and '1'": ([1, "1"] * 60, "one kind, .* got int and str"),
    "1 and True": ([1, True] * 60, "got bool and int"),
    "bytes": ([b"a", b"b"] * 60, "decode them"),
    "bytes of numpy": (np.array([b"a", b"b"] * 60), "decode them"),
    "beyond 64 bits": ([2**70, 1] * 60, "64 bits"),
    "lists": ([[1, 2], [2, 3]] * 60, "got list"),
    "an iterator": (iter([1, 2]), "iterator"),
    "None": ([None, "a"] * 60, "in some rows"),
    "NA": (pd.Series(["a", None] * 60, dtype="string"), "in some rows"),
    "NA among integers": (pd.Series([1, None] * 60, dtype="Int64"), "in some rows"),
    "polars null": (pl.Series([1, None] * 60), "in some rows"),
    "masked": (np.ma.array(CODES, mask=CODES == 2), "masked"),
    "dask NA": (
        dd.from_pandas(pd.Series([1, None] * 60, dtype="Int64"), 2),
        "in some rows",
    ),
}


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("kind", BAD_LABELS)
def test_labels_that_merge_or_miss_are_refused_by_name(kind, beside):
    y, message = BAD_LABELS[kind]
    if kind == "an iterator":
        y = iter([1, 2])
    estimator = DPEmbeddingSynthesizer()
    with pytest.raises((ValueError, TypeError), match=f"y .*{message}") as caught:
        estimator.fit(BESIDE[beside](ROWS), y)
    assert not hasattr(caught.value, "privacy_")
    assert vars(estimator) == vars(DPEmbeddingSynthesizer())


@pytest.mark.parametrize("classes", [[1, "1"], {1, 2}, [0, True], [None, 1]])
def test_classes_that_merge_or_miss_are_refused_by_name(classes):
    y = np.ones(N, dtype=int)
    y[0] = 2
    if classes == {1, 2}:
        # A set has merged them before anybody can see it.
        DPEmbeddingSynthesizer(classes=classes).fit(ROWS, y)
        return
    with pytest.raises(ValueError, match="classes"):
        DPEmbeddingSynthesizer(classes=classes).fit(ROWS, y)


def test_labels_are_drawn_as_they_are():
    model = DPEmbeddingSynthesizer(random_state=0).fit(ROWS, BIG)
    for y in (
        2**53 + 1,
        np.int64(2**53 + 1),
        [2**53 + 1] * 4,
        pd.Series([2**53 + 1] * 4),
    ):
        assert model.sample(4, y=y)[1].tolist() == [2**53 + 1] * 4
    with pytest.raises(ValueError, match="one kind"):
        model.sample(2, y=[1, "1"])


def test_labels_that_are_compared_are_not_merged():
    truth = pd.Series(BIG, dtype="Int64")
    wrong = pd.Series(2**53 + (CODES + 1) % 3, dtype="Int64")
    for other in (wrong, wrong.tolist(), BIG.astype(float) + 2.0):
        score = metrics.private_accuracy(truth, other, epsilon=np.inf)
        assert score.accuracy == 0.0
    assert metrics.private_accuracy(truth, BIG, epsilon=np.inf).accuracy == 1.0
    found = metrics.by_class(metrics.frechet_distance, ROWS, truth, ROWS, truth)
    assert list(found) == np.unique(BIG).tolist()
    for y in ([1, "1"], [None, 1], np.ma.array([1, 2], mask=[0, 1])):
        with pytest.raises(ValueError, match="y_true"):
            metrics.private_accuracy(y, [1, 1])
