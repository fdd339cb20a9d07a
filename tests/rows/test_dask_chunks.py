"""Dask: the same model to the bit, from any chunks, workers lost or not."""

import dask
import dask.array as da
import dask.callbacks
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import torch
from distributed import Client, LocalCluster
from private_fits import CASES_OF_ROWS, fit_cases, fitted_state, make_data
from row_kinds import spent_by
from sklearn.pipeline import make_pipeline
from tapes import assert_same

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    TorchEmbeddingTransformer,
)

N, D = 500, 40


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def chunked(X, n_chunks):
    bounds = np.linspace(0, len(X), n_chunks + 1).astype(int)
    return da.from_array(X, chunks=(tuple(np.diff(bounds)), *X.shape[1:]))


def fitted(name, X, y, d=D, **params):
    constructor, labelled = fit_cases(d)[name]
    estimator = constructor(random_state=0, **params)
    ids = np.arange(X.shape[0]) // 3 if "max_contributions" in params else None
    return estimator.fit(X, **({"y": y} if labelled else {}), privacy_ids=ids)


@pytest.mark.parametrize("n_chunks", [1, 7])
@pytest.mark.parametrize("name", CASES_OF_ROWS)
def test_same_model_to_the_bit(name, n_chunks):
    X, y = make_data(N, D)
    params = {"max_contributions": 2, "block_size": 64}
    expected = fitted_state(fitted(name, X, y, **params))
    found = fitted(name, chunked(X, n_chunks), chunked(y, n_chunks), **params)
    assert_same(fitted_state(found), expected)
    # Labels need not have the chunks of the rows, nor be in Dask.
    found = fitted(name, chunked(X, n_chunks), y, **params)
    assert_same(fitted_state(found), expected)


@pytest.mark.parametrize("name", CASES_OF_ROWS)
def test_answers_are_lazy(name):
    X, y = make_data(N, D)
    estimator = fitted(name, X, y)
    rows = chunked(X, 3)
    for method in ("predict", "transform", "predict_proba", "score_samples"):
        if hasattr(estimator, method):
            answer = getattr(estimator, method)(rows)
            expected = getattr(estimator, method)(X)
            assert isinstance(answer, da.Array)
            assert answer.chunks[0] == rows.chunks[0]
            assert (answer.shape, answer.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_allclose(
                answer.compute(), expected, rtol=1e-9, atol=1e-12
            )
    if hasattr(estimator, "score") and name != "logistic":
        np.testing.assert_allclose(estimator.score(rows), estimator.score(X))


def test_data_frames_keep_their_names():
    X, y = make_data(N, 3)
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(label=y)
    lazy = dd.from_pandas(frame, npartitions=4)
    found = DPEmbeddingSynthesizer(random_state=0)
    found.fit(lazy[["a", "b", "c"]], lazy["label"])
    expected = DPEmbeddingSynthesizer(random_state=0)
    expected.fit(frame[["a", "b", "c"]], frame["label"])
    states = [fitted_state(one) for one in (found, expected)]
    for state in states:
        state["_frame"] = str(state["_frame"])  # pandas has caches in it
    assert_same(*states)
    answer = found.transform(lazy[["a", "b", "c"]])
    wanted = expected.transform(frame[["a", "b", "c"]])
    np.testing.assert_allclose(answer.compute(), wanted, rtol=1e-9)
    with pytest.raises(ValueError, match="feature names"):
        found.transform(lazy[["a", "c", "b"]])


def test_embeddings_are_lazy():
    torch.manual_seed(0)
    encoder = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
    transformer = TorchEmbeddingTransformer(encoder, pooling="mean")
    images = np.random.default_rng(0).standard_normal((20, 1, 8, 8)).astype(np.float32)
    expected = transformer.fit_transform(images)
    found = transformer.fit(chunked(images, 3)).transform(chunked(images, 3))
    assert isinstance(found, da.Array)
    np.testing.assert_allclose(found.compute(), expected, rtol=1e-5)
    labels = np.arange(20) % 2
    pipeline = make_pipeline(transformer, DPLogisticRegression(random_state=0))
    pipeline.fit(chunked(images, 3), labels)
    lazily = pipeline.predict(chunked(images, 3)).compute()
    np.testing.assert_array_equal(lazily, pipeline.predict(images))
    with pytest.raises(ValueError, match=r"axis 2, .* X.rechunk\(\{2: -1\}\)"):
        transformer.transform(da.from_array(images, chunks=(20, 1, 4, 8)))


# --------------------------------------------------------------------------
# A cluster
# --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, **options) as cluster, Client(cluster) as client:
        yield client


@pytest.mark.parametrize("name", ["mixture-full", "synthesizer-labels"])
def test_two_workers(name, client):
    X, y = make_data(N, D)
    expected = fitted_state(fitted(name, X, y))
    with dask.config.set(scheduler=client):
        found = fitted(name, chunked(X, 7), chunked(y, 7))
    assert_same(fitted_state(found), expected)


def test_workers_hold_the_grid_of_the_head(client):
    X, y = make_data(N, D)
    with dask.config.set(scheduler=client):
        before = client.run(count_grids)
        head = DPLogisticRegression(n_random_features=8, random_state=0)
        found = head.fit(chunked(X, 4), chunked(y, 4))
        made = sum(client.run(count_grids).values()) - sum(before.values())
    # Once for all steps and looks; and a few rows of the first chunk by the worker that
    # sees a query for the first time.
    assert found.n_iter_ >= 20
    assert 4 <= made <= 4 + 2


def count_grids():
    """Return how often features were made in this process, from the first call on."""
    from skdpgmm._queries.lifts import Cosines
    from skdpgmm.privacy.grid import Ball

    if not hasattr(Ball, "made"):
        Ball.made = 0
        original = Ball.to_grid

        def counted(ball, V, on):
            Ball.made += isinstance(ball.lift, Cosines)
            return original(ball, V, on)

        Ball.to_grid = counted
    return Ball.made


def die_once(block, flag):
    """End the process that runs this, the first time."""
    import os

    if not os.path.exists(flag):
        if len(os.listdir(os.path.dirname(flag))) < 4:
            # Some passes are over by then.
            import tempfile

            tempfile.mkstemp(dir=os.path.dirname(flag))
        else:
            open(flag, "w").close()
            os._exit(1)
    return block


def test_a_worker_that_is_lost_changes_nothing(client, tmp_path):
    X, _ = make_data(N, 3)
    flag = str(tmp_path / "died")
    rows = chunked(X, 5).map_blocks(die_once, flag, dtype=X.dtype)
    expected = DPKMeans(2, random_state=0).fit(X)
    with dask.config.set(scheduler=client):
        found = DPKMeans(2, random_state=0).fit(rows)
    assert (tmp_path / "died").exists()
    assert_same(fitted_state(found), fitted_state(expected))


# --------------------------------------------------------------------------
# Bad input
# --------------------------------------------------------------------------


def with_nan(X):
    X = X.copy()
    X[-1, 0] = np.nan
    return X


def unknown(X):
    rows = chunked(X, 4)
    return rows[rows[:, 0] > 0.0]


def other_type(X):
    return chunked(X, 4).map_blocks(
        lambda block, block_info=None: block.astype(
            np.float32 if block_info[0]["chunk-location"][0] == 2 else np.float64
        ),
        dtype=np.float64,
        meta=np.zeros((0, 0)),
    )


def broken(X):
    def fail(block, block_info=None):
        if block_info and block_info[0]["chunk-location"][0] == 2:
            raise OSError("the disk is gone")
        return block

    return chunked(X, 4).map_blocks(fail, dtype=X.dtype, meta=np.zeros((0, 0)))


BAD = {
    "unknown size": (unknown, ValueError, r"X.compute_chunk_sizes\(\)"),
    "chunked columns": (
        lambda X: da.from_array(X, chunks=(100, 2)),
        ValueError,
        r"X.rechunk\(\{1: -1\}\)",
    ),
    "an empty chunk": (
        lambda X: da.from_array(X, chunks=((200, 0, 300), (3,))),
        ValueError,
        "chunk 1 is empty",
    ),
    "two types": (other_type, ValueError, "float64; chunk 2 is of float32"),
    "nan in the last chunk": (
        lambda X: chunked(with_nan(X), 4),
        ValueError,
        "Chunk 3 of X.* NaN or infinity, first in row 124",
    ),
    "one dimension": (lambda X: chunked(X[:, 0], 4), ValueError, "2D array, got 1D"),
    "strings": (lambda X: chunked(X.astype(str), 4), ValueError, "real numbers"),
    "a worker that raises": (broken, OSError, "the disk is gone"),
    "a bag": (lambda X: dask.delayed(X), TypeError, "Dask array or data frame"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_collections_cost_nothing(kind):
    make, error, message = BAD[kind]
    X, _ = make_data(N, 3)
    estimator = DPGaussianMixture(2)
    with pytest.raises(error, match=message) as caught:
        estimator.fit(make(X))
    assert not hasattr(caught.value, "privacy_")
    assert vars(estimator) == vars(DPGaussianMixture(2))


def test_no_task_of_a_fit_raises_with_records_as_its_arguments():
    X, _ = make_data(N, 3)
    calls = []

    def changed(block):
        calls.append(block)
        return block if len(calls) < 9 else np.full_like(block, np.nan)

    rows = chunked(X, 2).map_blocks(changed, dtype=X.dtype, meta=np.zeros((0, 0)))
    raised = []

    class Watch(dask.callbacks.Callback):
        def _posttask(self, key, result, dsk, state, worker_id):
            if isinstance(result, Exception):
                raised.append(result)

    with Watch(), pytest.raises(ValueError, match="NaN or infinity") as caught:
        DPKMeans(2, random_state=0).fit(rows)
    # It came out of the tasks as their value, and what was released is told.
    assert raised
    assert caught.value.privacy_.spent_mu > 0.0


def test_labels_that_do_not_fit():
    X, y = make_data(N, 3)
    for labels in (y[:-1], chunked(y[:-1], 4), np.c_[y, y]):
        with pytest.raises(
            ValueError, match=r"y must have 500 labels|y should be a 1d array"
        ):
            DPEmbeddingSynthesizer().fit(chunked(X, 4), labels)
    with pytest.raises(ValueError, match=r"not in classes=\[0, 1\]: \[2\]"):
        DPEmbeddingSynthesizer(classes=[0, 1]).fit(chunked(X, 4), chunked(y, 2))


@pytest.mark.parametrize("part", ["row", "label"])
def test_dask_chunks_that_come_out_differently(part, tmp_path):
    X, y = make_data(200, 3)
    calls = tmp_path / "calls"

    @dask.delayed(pure=False)
    def chunk(i):
        with open(calls, "a") as file:
            file.write("x")
        changed = calls.stat().st_size > 8  # after the look and a pass or two
        rows, labels = X[50 * i : 50 * i + 50].copy(), y[50 * i : 50 * i + 50].copy()
        if changed and i == 1:
            (rows if part == "row" else labels)[[0, 1, 2]] = (
                rows[[1, 2, 0]] if part == "row" else labels[[1, 2, 0]]
            )
        return rows, labels

    chunks = [chunk(i) for i in range(4)]
    rows = da.concatenate([da.from_delayed(c[0], (50, 3), np.float64) for c in chunks])
    labels = da.concatenate([da.from_delayed(c[1], (50,), y.dtype) for c in chunks])
    with dask.config.set(scheduler="synchronous"):
        spent_by(lambda: DPLogisticRegression().fit(rows, labels))
