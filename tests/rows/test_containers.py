"""Synthetic rows and labels come in the containers of the records."""

import pickle
import warnings

import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPSyntheticClassifier,
    DPSyntheticResampler,
)
from skdpgmm._rows.containers import Frame, frame_of, labels_like, rows_like

X, Y = make_blobs([600, 300], n_features=4, random_state=0)
NAMES = ["a", "b", "c", "d"]
# A frame of several types: the last column holds small integers.
FRAME = pd.DataFrame(X, columns=NAMES).astype({"b": "float32", "d": "int16"})
LABELS = pd.Series(np.where(Y, "yes", "no"), name="answer")


def resampled(X, y, synthesizer=None, **params):
    params = {"n_samples": 80, "random_state": 0, **params}
    return DPSyntheticResampler(synthesizer, **params).fit_resample(X, y)


def by_name(types=True):
    """A step that finds columns by their names, and others by their types."""
    steps = [("names", StandardScaler(), ["d", "a"])]
    if types:
        doubles = make_column_selector(dtype_include="float")
        steps.append(("types", StandardScaler(), doubles))
    return ColumnTransformer(steps)


# --------------------------------------------------------------------------
# Rows
# --------------------------------------------------------------------------

VALUES = np.array([[-3.7], [0.4], [0.6], [1.5], [2.5], [1e25], [-1e25]])
NUMPY_TYPES = [*np.typecodes["Integer"], *np.typecodes["Float"], "?"]
NUMPY_TYPES.remove("g")  # not in frames
OTHER_TYPES = {
    "Int8": "int8",
    "UInt64": "uint64",
    "boolean": "bool",
    "Float32": "float32",
    "int64[pyarrow]": "int64",
    "double[pyarrow]": "float64",
    "Sparse[float64]": "float64",
}


def as_type(values, dtype):
    """What a column of that type holds of numbers, as the documentation says."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return values > 0.5
    if dtype.kind == "f":
        info = np.finfo(dtype)
        return np.clip(values, float(info.min), float(info.max)).astype(dtype)
    info = np.iinfo(dtype)
    whole = [min(max(round(v), info.min), info.max) for v in values.tolist()]
    return np.array(whole, dtype=dtype)


@pytest.mark.parametrize("dtype", [*NUMPY_TYPES, *OTHER_TYPES])
def test_columns_of_pandas_keep_their_types(dtype):
    empty = pd.DataFrame({"x": pd.Series([1, 0], dtype=dtype)})
    for frame in (empty, empty.assign(y=1.0)):
        filled = frame_of(frame).filled(np.tile(VALUES, len(frame.columns)))
        assert list(filled.dtypes) == list(frame.dtypes)
        expected = as_type(VALUES[:, 0], OTHER_TYPES.get(dtype, dtype))
        found = filled["x"].to_numpy(expected.dtype)
        if expected.dtype.kind in "iu" and expected.dtype.itemsize == 8:
            # Beyond 2**53 the nearest numbers of float64 count.
            np.testing.assert_allclose(found.astype(float), expected.astype(float))
            assert (found > 0).tolist() == (expected > 0).tolist()
        else:
            assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "dtype", [pl.Int8, pl.Int64, pl.UInt16, pl.UInt64, pl.Float32, pl.Float64]
)
def test_columns_of_polars_keep_their_types(dtype):
    frame = pl.DataFrame({"x": [1, 0]}, schema={"x": dtype}).with_columns(y=1.0)
    filled = frame_of(frame).filled(np.tile(VALUES, 2))
    assert filled.schema == frame.schema
    expected = as_type(VALUES[:, 0], str(dtype).lower())
    assert_array_equal(filled["x"].to_numpy()[:5], expected[:5])
    flags = pl.DataFrame({"x": [True, False]})
    assert (
        frame_of(flags).filled(VALUES)["x"].to_list() == (VALUES[:, 0] > 0.5).tolist()
    )


def test_values_of_the_records_are_not_in_the_container():
    """Categories of a column of numbers are its values, so they become numbers."""
    frame = pd.DataFrame({"x": pd.Categorical([3.25, 7.5]), "y": [1.0, 2.0]})
    frame.attrs["note"] = "private"
    filled = frame_of(frame).filled(np.zeros((2, 2)))
    assert list(filled.dtypes) == [np.dtype(float)] * 2
    assert filled.attrs == {}
    assert list(filled.index) == [0, 1]


@pytest.mark.parametrize(
    "columns",
    [
        pd.Index(["a", "a", "b"], name="features"),
        pd.RangeIndex(3),
        pd.MultiIndex.from_tuples([("u", 1), ("u", 2), ("v", 1)]),
    ],
)
def test_columns_of_any_names(columns):
    frame = pd.DataFrame(np.ones((2, 3), np.float32), columns=columns)
    frame = frame.set_axis([7, 9])
    filled = rows_like(np.zeros((5, 3)), frame)
    pd.testing.assert_index_equal(filled.columns, columns)
    pd.testing.assert_index_equal(filled.index, pd.RangeIndex(5))
    assert list(filled.dtypes) == [np.dtype("float32")] * 3


def test_a_frame_holds_no_rows():
    """Nothing of the records is kept for later predictions."""
    few, many = FRAME[:200], pd.concat([FRAME] * 50)
    sizes = [len(pickle.dumps(frame_of(frame))) for frame in (few, many)]
    assert sizes[0] == sizes[1]
    assert Frame._fields == ("library", "columns", "dtypes")


# --------------------------------------------------------------------------
# Labels
# --------------------------------------------------------------------------

DRAWN = np.array([2, 0, 2, 2])
SERIES = {
    "integers": pd.Series([0, 2], name="y", dtype="int8"),
    "nullable": pd.Series([0, 2], name="y", dtype="Int64"),
    "arrow": pd.Series([0, 2], name="y", dtype="int64[pyarrow]"),
    "floats": pd.Series([0, 2], name="y", dtype="float32"),
    "objects": pd.Series([0, 2], name="y", dtype=object),
    "categories": pd.Series([0, 2], name=("y", 1), dtype="category"),
    "unused categories": pd.Series(pd.Categorical([0, 2], [5, 2, 0])),
    "an order": pd.Series(pd.Categorical([0, 2], [2, 0, 1], ordered=True), name="y"),
}


@pytest.mark.parametrize("kind", SERIES)
def test_series_keep_name_and_type(kind):
    y = SERIES[kind]
    found = labels_like(DRAWN, y)
    pd.testing.assert_series_equal(found, pd.Series(DRAWN, name=y.name).astype(y.dtype))
    frame = labels_like(DRAWN, y.to_frame())
    pd.testing.assert_frame_equal(frame, found.to_frame())


@pytest.mark.parametrize(
    "dtype", ["str", "string", object, "category", "string[pyarrow]"]
)
def test_series_of_strings(dtype):
    y = pd.Series(["no", "yes"], dtype=dtype)
    for drawn in (np.array(["yes", "yes", "no"]), np.array(["yes", "no"], object)):
        found = labels_like(drawn, y)
        assert found.dtype == y.dtype
        assert found.tolist() == drawn.tolist()


@pytest.mark.parametrize(
    "y",
    [
        pl.Series("y", ["no", "yes"]),
        pl.Series("y", ["no", "yes"], dtype=pl.Categorical),
        pl.Series("y", ["no", "yes"], dtype=pl.Enum(["yes", "no", "other"])),
        pl.Series("y", [0, 2], dtype=pl.Int8),
        pl.Series("y", [True, False]),
    ],
)
def test_series_of_polars_keep_name_and_type(y):
    drawn = np.array([y[1], y[1], y[0]])
    found = labels_like(drawn, y)
    assert (found.name, found.dtype) == ("y", y.dtype)
    assert found.to_list() == drawn.tolist()
    assert labels_like(drawn, y.to_frame()).equals(found.to_frame())


def test_what_the_type_does_not_hold_keeps_its_own():
    """Public classes may be more than those of the records."""
    drawn = np.array([300, 0])
    for y in (
        pd.Series([0, 1], dtype="int8"),
        pd.Series([0, 1], dtype="category"),
        pl.Series([0, 1], dtype=pl.Int8),
        pd.Series([True, False], dtype="category"),
    ):
        assert labels_like(drawn, y).to_list() == [300, 0]


def test_categories_that_occur_are_not_told():
    """They may be taken from the records, where `classes` says what is public."""
    classes = np.arange(4)
    for occurring in ([0, 1, 2, 3], [0, 1, 2]):
        y = pd.Series(occurring).astype("category")
        found = labels_like(np.array([0, 1]), y, classes)
        assert found.dtype == pd.CategoricalDtype(range(4))


# --------------------------------------------------------------------------
# Estimators
# --------------------------------------------------------------------------

CONTAINERS = {
    "arrays": (FRAME.to_numpy(), LABELS.to_numpy(), np.ndarray, np.ndarray),
    "pandas": (FRAME, LABELS, pd.DataFrame, pd.Series),
    "polars": (pl.from_pandas(FRAME), pl.from_pandas(LABELS), pl.DataFrame, pl.Series),
    "dask and pandas": (dd.from_pandas(FRAME, 3), LABELS, pd.DataFrame, pd.Series),
    "lists": (FRAME.to_numpy().tolist(), LABELS.tolist(), list, list),
    "frame and list": (FRAME, LABELS.tolist(), pd.DataFrame, list),
    "array and series": (FRAME.to_numpy(), LABELS, np.ndarray, pd.Series),
    "column of pandas": (FRAME, LABELS.to_frame(), pd.DataFrame, pd.DataFrame),
    "column of polars": (
        pl.from_pandas(FRAME),
        pl.from_pandas(LABELS.to_frame()),
        pl.DataFrame,
        pl.DataFrame,
    ),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_resampled_rows_come_as_the_records_did(kind):
    data, target, rows_type, labels_type = CONTAINERS[kind]
    expected, labels = resampled(*CONTAINERS["arrays"][:2])
    rows, found = resampled(data, target)
    assert type(rows) is rows_type and type(found) is labels_type
    if hasattr(rows, "columns"):
        assert list(rows.columns) == NAMES
        assert list(rows.dtypes) == list(data.dtypes)
        assert_array_equal(rows["a"].to_numpy(), expected[:, 0])
        assert_array_equal(rows["d"].to_numpy(), np.rint(expected[:, 3]))
    else:
        assert_array_equal(rows, expected)
    assert_array_equal(np.ravel(found), labels)
    if hasattr(found, "name"):
        assert (found.name, found.dtype) == ("answer", target.dtype)
    if hasattr(found, "columns"):
        assert list(found.columns) == ["answer"]


def test_a_fitted_resampler_knows_its_columns():
    resampler = DPSyntheticResampler(n_samples=80).fit(FRAME, LABELS)
    assert_array_equal(resampler.feature_names_in_, NAMES)
    assert_array_equal(resampler.get_feature_names_out(), NAMES)
    resampler.fit(X, Y)
    assert not hasattr(resampler, "feature_names_in_")


def test_a_step_by_column_names_follows_in_a_pipeline():
    pipeline = pytest.importorskip("imblearn.pipeline")
    model = pipeline.make_pipeline(
        DPSyntheticResampler(n_samples=500, random_state=0),
        by_name(),
        LogisticRegression(),
    )
    grid = {"dpsyntheticresampler__n_samples": [300, 500]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(FRAME, LABELS)
    assert search.score(FRAME, LABELS) > 0.9


def test_checks_of_imbalanced_learn():
    checks = pytest.importorskip("imblearn.utils.estimator_checks")
    for name in (
        "check_target_type",
        "check_samplers_pandas",
        "check_samplers_list",
        "check_samplers_preserve_dtype",
        "check_sampler_get_feature_names_out",
        "check_sampler_get_feature_names_out_pandas",
    ):
        resampler = DPSyntheticResampler(
            DPEmbeddingSynthesizer(), n_samples=100, random_state=0
        )
        getattr(checks, name)("DPSyntheticResampler", resampler)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_classifier_by_column_names(library):
    data, target, *_ = CONTAINERS[library]
    # Selectors by type are for pandas.
    inner = make_pipeline(by_name(types=library == "pandas"), LogisticRegression())
    model = DPSyntheticClassifier(None, inner, n_samples=500, random_state=0)
    model.fit(data, target)
    assert_array_equal(model.feature_names_in_, NAMES)
    assert model.score(data, target) > 0.9
    answers = model.predict_proba(FRAME)
    for other in (pl.from_pandas(FRAME), dd.from_pandas(FRAME, 2)):
        np.testing.assert_allclose(np.asarray(model.predict_proba(other)), answers)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_allclose(model.predict_proba(FRAME.to_numpy()), answers)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(FRAME[NAMES[::-1]])


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it is given."""

    def fit(self, X, y):
        self.seen_, self.classes_ = [X], np.unique(y)
        return self

    def predict(self, X):
        self.seen_.append(X)
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_and_arrays_make_one_model(library):
    data = FRAME.astype({"a": "int64", "b": "float64", "c": bool})
    given = data if library == "pandas" else pl.from_pandas(data)
    found, expected = (
        DPSyntheticClassifier(None, LogisticRegression(), n_samples=80, random_state=0)
        .fit(rows, LABELS)
        .classifier_
        for rows in (given, data.to_numpy(float))
    )
    assert_array_equal(found.coef_, expected.coef_)


def test_the_classifier_is_asked_about_what_it_was_trained_on():
    model = DPSyntheticClassifier(None, Recorder(), n_samples=80).fit(FRAME, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about names
        for given in (FRAME, FRAME.astype(float), FRAME.to_numpy()):
            model.predict(given)
    trained, *asked = model.classifier_.seen_
    for frame in (trained, *asked):
        assert list(frame.columns) == NAMES
        assert list(frame.dtypes) == ["float64", "float32", "float64", "float64"]
    for frame in asked:
        pd.testing.assert_frame_equal(frame, FRAME.astype({"d": float}))
    plain = DPSyntheticClassifier(None, Recorder(), n_samples=80).fit(X, Y)
    with pytest.warns(UserWarning, match="fitted without feature names"):
        plain.predict(FRAME)
    assert all(type(seen) is np.ndarray for seen in plain.classifier_.seen_)
