"""The table of what X can be, and methods of rows of any kind."""

import inspect
import pickle

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import zarr

from skdpgmm import DPEmbeddingSynthesizer, DPGaussianMixture, DPKMeans
from skdpgmm._rows.kinds import Arrays, DaskCollections, Files, Streams
from skdpgmm._rows.sources import (
    SOURCES,
    _OfBlock,
    first_rows,
    is_lazy,
    map_rows,
    source_of,
)

X = np.arange(60.0).reshape(20, 3)


class Blocks:
    def __iter__(self):
        return iter((X[:7], X[7:8], X[8:]))


@pytest.fixture
def given(tmp_path):
    stored = np.memmap(tmp_path / "rows", X.dtype, "w+", shape=X.shape)
    stored[:] = X
    return {
        "array": (X, Arrays),
        "list": (X.tolist(), Arrays),
        "frame": (pd.DataFrame(X), Arrays),
        "sparse": (scipy.sparse.csr_array(X), Arrays),
        "text": ("no rows", Arrays),
        "memory map": (stored, Files),
        "zarr": (zarr.array(X, chunks=(6, 3)), Files),
        "stream": (Blocks(), Streams),
        "generator": ((block for block in Blocks()), Streams),
        "dask": (da.from_array(X, chunks=(6, 3)), DaskCollections),
    }


def test_every_kind_is_seen_by_the_first_of_its_own(given):
    for name, (rows, kind) in given.items():
        assert type(source_of(rows)) is kind, name
        assert is_lazy(rows) is (kind in (Streams, DaskCollections))
    assert isinstance(SOURCES[-1], Arrays) and SOURCES[-1].sees(None)


def test_maps_and_first_rows_are_the_same_of_all_kinds(given):
    for name in ("array", "memory map", "zarr", "stream", "dask"):
        rows, kind = given[name]
        source = source_of(rows)
        mapped = map_rows(lambda block: np.asarray(block).sum(axis=1), rows)
        collected = source_of(mapped).collect(mapped)
        np.testing.assert_array_equal(collected, X.sum(axis=1))
        blocks = np.concatenate(list(source_of(mapped).blocks(mapped)))
        np.testing.assert_array_equal(blocks, X.sum(axis=1))
        np.testing.assert_array_equal(first_rows(rows, 2), X[:2])
        assert source.in_memory is (kind is Arrays)


@pytest.mark.parametrize("ask", [first_rows, lambda X, n: map_rows(np.sum, X)])
def test_what_gives_its_rows_once_is_refused_at_once(given, ask):
    with pytest.raises(TypeError, match=r"iterator .generator.*only once.*give a list"):
        ask(given["generator"][0], 2)


@pytest.mark.parametrize(
    "estimator, name",
    [
        (DPKMeans(2, random_state=0), "predict"),
        # Under `set_output`, the attribute of the class is another function.
        (DPKMeans(2, random_state=0), "transform"),
        (DPEmbeddingSynthesizer(2, random_state=0), "transform"),
        (DPGaussianMixture(2, random_state=0, max_iter=1), "score_samples"),
    ],
)
def test_a_method_for_blocks_is_found_by_its_name(estimator, name):
    """Workers get a name and the estimator, not a function by value."""
    estimator.fit(X)
    function = inspect.unwrap(getattr(type(estimator), name))
    again = pickle.loads(pickle.dumps(_OfBlock(estimator, function)))
    assert again.method is function
    np.testing.assert_array_equal(again(X), getattr(estimator, name)(X))


class Doubled(DPKMeans):
    """A subclass that changes an answer does so once."""

    def predict(self, X):
        return 2 * super().predict(X)


def test_an_override_is_applied_once():
    model = Doubled(2, random_state=0).fit(X)
    rows = da.from_array(X, chunks=(6, 3))
    np.testing.assert_array_equal(model.predict(rows).compute(), model.predict(X))
    assert set(model.predict(X)) <= {0, 2}
