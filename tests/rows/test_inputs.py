"""Rows that are not in memory: the same model, to the bit, or a clear error."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from private_fits import CASES_OF_ROWS, fit_cases, fitted_state, make_data
from row_kinds import OUT_OF_MEMORY, Pieces, parquet
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tapes import assert_same

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    ParquetColumn,
)

N, D = 500, 40


def fitted_pair(name, kind, folder, **params):
    X, y = make_data(N, D)
    constructor, labelled = fit_cases(D)[name]
    rows, labels = OUT_OF_MEMORY[kind](folder, X, y)
    ids = np.arange(N) // 3
    pair = []
    for data, target in ((X, y), (rows, labels)):
        estimator = constructor(random_state=0, max_contributions=2, **params)
        given = {"y": target} if labelled else {}
        pair.append(estimator.fit(data, privacy_ids=ids, **given))
    return *pair, X, rows


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
@pytest.mark.parametrize("name", CASES_OF_ROWS)
def test_same_model_to_the_bit(name, kind, tmp_path):
    params = {"block_size": 64, "n_jobs": 2}
    expected, found, *_ = fitted_pair(name, kind, tmp_path, **params)
    assert_same(fitted_state(found), fitted_state(expected))


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
@pytest.mark.parametrize("name", CASES_OF_ROWS)
def test_same_answers(name, kind, tmp_path):
    expected, found, X, rows = fitted_pair(name, kind, tmp_path)
    for method in ("predict", "transform", "predict_proba", "score_samples"):
        if hasattr(found, method):
            answer = getattr(found, method)(rows)
            if not isinstance(answer, np.ndarray):
                for _ in range(2):  # it starts anew
                    blocks = list(answer)
                    assert len(blocks) > 1
                answer = np.concatenate(blocks)
            wanted = getattr(expected, method)(X)
            if wanted.dtype.kind == "f":
                np.testing.assert_allclose(answer, wanted, rtol=1e-9, atol=1e-12)
            else:
                np.testing.assert_array_equal(answer, wanted)
    if "logistic" not in name:
        np.testing.assert_allclose(found.score(rows), expected.score(X), rtol=1e-9)


def test_labels_of_a_file_may_be_strings(tmp_path):
    X, y = make_data(N, 3)
    names = np.array(["a", "b", "c"])
    rows, labels = parquet(tmp_path, X, names[y])
    found = DPLogisticRegression(random_state=0).fit(rows, labels)
    expected = DPLogisticRegression(random_state=0).fit(X, names[y])
    np.testing.assert_array_equal(found.classes_, names)
    np.testing.assert_array_equal(found.coef_, expected.coef_)


def test_lazy_rows_go_through_a_pipeline():
    X, y = make_data(N, D)
    kmeans = DPKMeans(3, random_state=0)
    expected = make_pipeline(kmeans, DPGaussianMixture(2, random_state=0)).fit(X)
    blocks = Pieces(X, 100, 200)
    found = make_pipeline(kmeans, DPGaussianMixture(2, random_state=0)).fit(blocks)
    np.testing.assert_array_equal(found[-1].means_, expected[-1].means_)
    scaled = make_pipeline(FunctionTransformer(), DPLogisticRegression(random_state=0))
    assert scaled.fit(X, y).score(X, y) > 0.5


def test_half_precision_and_integers_of_a_file():
    X, _ = make_data(N, 3)
    for dtype in (np.float16, np.int32):
        Z = X.astype(dtype)
        found = DPKMeans(2, random_state=0).fit(Pieces(Z, 9))
        expected = DPKMeans(2, random_state=0).fit(Z.astype(np.float64))
        np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)


def test_every_release_reads_the_rows_once():
    X, y = make_data(N, D)
    blocks = Pieces(X, 100)
    synthesizer = DPEmbeddingSynthesizer(label_model=True, random_state=0).fit(
        blocks, y
    )
    n_releases = len({e.name.split(":")[0] for e in synthesizer.privacy_.ledger})
    assert blocks.n_passes == n_releases + 1  # one look before


# --------------------------------------------------------------------------
# Bad input
# --------------------------------------------------------------------------


def with_nan(X):
    X = X.copy()
    X[333, 0] = np.nan
    return X


def mixed(X):
    class Mixed(Pieces):
        def __iter__(self):
            first, *others = super().__iter__()
            yield first.astype(np.float32)
            yield from others

    return Mixed(X, 100)


class Growing(Pieces):
    """Has another row each time."""

    def __iter__(self):
        yield from super().__iter__()
        yield self.rows[: self.n_passes]


class Shrinking(Pieces):
    def __iter__(self):
        self.n_passes += 1
        yield self.rows[self.n_passes :]


BAD = {
    "an iterator": (lambda X: iter([X]), TypeError, "read only once"),
    "a generator": (lambda X: (b for b in [X]), TypeError, "read only once"),
    "nan in a later block": (
        lambda X: Pieces(with_nan(X), 100),
        ValueError,
        "first in row 333",
    ),
    "an empty block": (lambda X: Pieces(X, 100, 0), ValueError, "row 100 has no rows"),
    "no block": (lambda X: Pieces(X[:0]), ValueError, "no rows"),
    "two types": (mixed, ValueError, "row 100 is of float64.* of float32"),
    "one dimension": (lambda X: Pieces(X[:, 0], 9), ValueError, "2 dimensions"),
    "strings": (lambda X: Pieces(X.astype(str), 9), ValueError, "real numbers"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_streams_cost_nothing(kind):
    make, error, message = BAD[kind]
    X, _ = make_data(N, 3)
    estimator = DPKMeans(2)
    with pytest.raises(error, match=message) as caught:
        estimator.fit(make(X))
    assert not hasattr(caught.value, "privacy_")
    assert vars(estimator) == vars(DPKMeans(2))


@pytest.mark.parametrize("kind", [Growing, Shrinking])
def test_rows_that_change_end_the_fit_and_what_was_released_is_said(kind):
    X, _ = make_data(N, 3)
    estimator = DPKMeans(2)
    with pytest.raises(ValueError, match="other rows than when") as caught:
        estimator.fit(kind(X, 100))
    # The number of records is private.
    assert not any(c.isdigit() for c in str(caught.value))
    assert caught.value.privacy_.spent_mu > 0.0


def test_a_failed_fit_says_what_was_released():
    class Breaking(Pieces):
        def __iter__(self):
            if self.n_passes == 3:
                raise OSError("the disk is gone")
            return super().__iter__()

    X, _ = make_data(N, 3)
    estimator = DPKMeans(2)
    with pytest.raises(OSError, match="the disk is gone") as caught:
        estimator.fit(Breaking(X, 100))
    assert vars(estimator) == vars(DPKMeans(2))
    report = caught.value.privacy_
    assert report.ledger[0].name == "norms: counts"
    assert 0.0 < report.spent_mu < report.mu
    assert str(report) in "".join(caught.value.__notes__)


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


def test_frames_in_blocks_are_rows():
    X, _ = make_data(N, 3)
    frames = [pd.DataFrame(X[:100]), pd.DataFrame(X[100:])]

    class Frames:
        def __iter__(self):
            return iter(frames)

    found = DPKMeans(2, random_state=0).fit(Frames())
    expected = DPKMeans(2, random_state=0).fit(X)
    np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)
