"""Samples come in the container of the records, or in what `set_output` says."""

import pickle

import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from private_fits import REGISTRY, SAMPLERS, fit, fit_cases, fitted_state
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdpgmm import DPEmbeddingSynthesizer, DPGaussianMixture, DPSyntheticResampler
from skdpgmm._estimators.framed import arrays_only

FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
NAMES = ["length", "width", "petals", "marked"]
_IRIS = load_iris(as_frame=True)
# Lengths are measured to a tenth, and one column holds whole numbers.
X = _IRIS.data.set_axis(NAMES, axis=1).astype({"width": "float32"})
X = X.assign(
    petals=X["petals"].round().astype("int16"),
    marked=(X["marked"] > 1.0).astype("int8"),
)
Y = _IRIS.target_names[_IRIS.target].astype(object)
Y = pd.Series(Y, name="species", dtype="category")
AS = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "dask": lambda frame: dd.from_pandas(frame, 3),
}


def fitted(cls, rows=X, labels=Y, **params):
    """A fit of the plainest case of an estimator."""
    facts = REGISTRY[cls]
    make, _ = fit_cases(X.shape[1])[facts.case]
    params = {"epsilon": 8.0, "random_state": 0, **params}
    return fit(make(**params), rows, labels, facts.labelled)


@pytest.mark.parametrize("kind", AS)
@pytest.mark.parametrize("cls", SAMPLERS)
def test_after_a_fit_to_a_frame_samples_are_frames_like_it(cls, kind):
    frame, labels = AS[kind](X), AS[kind](Y) if kind == "polars" else Y
    expected, codes = fitted(cls, X.to_numpy(float), Y.to_numpy()).sample(40)
    rows, found = fitted(cls, frame, labels).sample(40)
    assert type(rows) is FRAMES.get(kind, pd.DataFrame)
    assert list(rows.columns) == NAMES
    assert list(rows.dtypes) == list(X.dtypes if kind == "dask" else frame.dtypes)
    assert_array_equal(rows["length"].to_numpy(), expected[:, 0])
    assert_array_equal(rows["petals"].to_numpy(), np.rint(expected[:, 2]))
    assert_array_equal(rows["marked"].to_numpy(), np.rint(expected[:, 3]))
    assert_array_equal(np.asarray(found), codes)
    if REGISTRY[cls].labelled:
        assert (found.name, found.dtype) == ("species", labels.dtype)
    else:
        assert type(found) is np.ndarray


def test_batches_are_frames():
    synthesizer = fitted(DPEmbeddingSynthesizer)
    whole = synthesizer.sample(30, random_state=1)
    rows, labels = zip(*synthesizer.iter_samples(30, batch_size=12), strict=True)
    assert [len(batch) for batch in rows] == [12, 12, 6]
    for batch, of_batch in zip(rows, labels, strict=True):
        assert list(batch.dtypes) == list(whole[0].dtypes)
        assert (of_batch.name, of_batch.dtype) == ("species", Y.dtype)
    assert set(synthesizer.sample(5, y="setosa")[1]) == {"setosa"}


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("cls", SAMPLERS)
def test_set_output(cls, library):
    array = X.to_numpy(np.float32)
    estimator = fitted(cls, array, Y.to_numpy())
    dtype = estimator.sample(3)[0].dtype
    with config_context(transform_output=library):
        assert type(estimator.sample(3)[0]) is FRAMES[library]
    assert estimator.set_output(transform=library) is estimator
    rows, labels = estimator.sample(3)
    assert type(rows) is FRAMES[library] and type(labels) is np.ndarray
    assert list(rows.columns) == ["x0", "x1", "x2", "x3"]
    assert {str(one).lower() for one in rows.dtypes} == {str(dtype)}
    assert type(clone(estimator).fit(array, Y).sample(2)[0]) is FRAMES[library]
    estimator.set_output(transform="default")
    assert type(estimator.sample(3)[0]) is np.ndarray


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("cls", SAMPLERS)
def test_a_frame_of_another_library(cls, library):
    (other,) = FRAMES.keys() - {library}
    estimator = fitted(cls, AS[other](X)).set_output(transform=library)
    rows, _ = estimator.sample(10)
    expected = pl.from_pandas(X) if library == "polars" else X
    assert type(rows) is FRAMES[library]
    assert list(rows.columns) == NAMES
    assert list(rows.dtypes) == list(expected.dtypes)


def test_a_stream_of_frames():
    class Blocks:
        def __iter__(self):
            return iter([X[:70], X[70:]])

    rows, labels = fitted(DPEmbeddingSynthesizer, Blocks()).sample(9)
    assert list(rows.dtypes) == list(X.dtypes)
    assert labels.name == "species"


@pytest.mark.parametrize("cls", [DPGaussianMixture, DPSyntheticResampler])
def test_set_output_of_what_transforms_nothing(cls):
    estimator = cls()
    assert estimator.set_output() is estimator
    for bad in ("numpy", "", 3):
        with pytest.raises(ValueError, match=r"^transform must be one of .*pandas"):
            estimator.set_output(transform=bad)
    assert type(estimator) is cls and vars(estimator) == vars(cls())


@pytest.mark.parametrize("library", FRAMES)
def test_a_resampler_that_is_asked_for_frames(library):
    resampler = DPSyntheticResampler(n_samples=60, random_state=0)
    arrays = X.to_numpy(float), Y.to_numpy()
    assert type(resampler.fit_resample(*arrays)[0]) is np.ndarray
    resampler.set_output(transform=library)
    rows, _ = resampler.fit_resample(*arrays)
    assert type(rows) is FRAMES[library]
    rows, labels = resampler.fit_resample(X, Y)
    assert type(rows) is FRAMES[library] and list(rows.columns) == NAMES
    assert labels.dtype == Y.dtype


def test_the_next_step_finds_columns_by_name_and_by_type():
    step = ColumnTransformer(
        [
            ("names", StandardScaler(), ["petals", "length"]),
            ("types", StandardScaler(), make_column_selector(dtype_include="float32")),
        ]
    )
    rows, labels = fitted(DPEmbeddingSynthesizer).sample(600)
    model = make_pipeline(step, LogisticRegression()).fit(rows, labels)
    assert model.score(X, Y) > 0.8


def test_under_arrays_only_nothing_is_rounded():
    synthesizer = fitted(DPEmbeddingSynthesizer)
    with arrays_only():
        rows, labels = synthesizer.sample(9)
    assert type(rows) is np.ndarray and type(labels) is np.ndarray
    assert (rows[:, 2] != np.rint(rows[:, 2])).any()
    assert isinstance(synthesizer.sample(9)[0], pd.DataFrame)


# --------------------------------------------------------------------------
# What is kept
# --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("cls", SAMPLERS)
def test_nothing_of_a_record_is_kept(cls, kind):
    """Names and types are; values are not, be they categories."""
    secret = 40_961.25
    values = pd.Categorical([secret + i % 3 for i in range(len(X))])
    private = X.assign(width=values if kind == "pandas" else values.astype(float))
    estimator = fitted(cls, AS[kind](private), clip_norm=1e5)
    again = pickle.loads(pickle.dumps(estimator))
    rows, _ = again.sample(4)
    assert type(rows) is FRAMES[kind] and list(rows.columns) == NAMES
    for one in (estimator, again):
        frame = fitted_state(one)["_frame"]
        assert all(not hasattr(dtype, "categories") for dtype in frame.dtypes)
    data = pickle.dumps(estimator._frame)
    assert np.float64(secret).tobytes() not in data
    assert len(data) == len(
        pickle.dumps(fitted(cls, AS[kind](private[::2]), Y[::2])._frame)
    )


@pytest.mark.parametrize("labels", [Y, Y.to_frame()])
def test_categories_that_occur_are_not_kept_where_classes_are_given(labels):
    classes = ["virginica", "versicolor", "setosa", "other"]
    synthesizer = fitted(DPEmbeddingSynthesizer, labels=labels, classes=classes)
    _, found = synthesizer.sample(9)
    dtype = found.dtype if found.ndim == 1 else found.dtypes.iloc[0]
    assert list(dtype.categories) == sorted(classes)


def test_names_and_types_are_declared_public():
    declared = dict(fitted(DPGaussianMixture).privacy_.declared_public)
    assert declared["columns"] == "their names and types"
    plain = fitted(DPGaussianMixture, X.to_numpy(float))
    assert "columns" not in dict(plain.privacy_.declared_public)


def test_a_new_fit_forgets_the_frame():
    estimator = fitted(DPEmbeddingSynthesizer)
    estimator.fit(X.to_numpy(float), Y.to_numpy())
    assert type(estimator.sample(2)[0]) is np.ndarray
