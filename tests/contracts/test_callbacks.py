"""Callbacks see that a fit goes on, and nothing else."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
import torch
from private_fits import fit_cases, fitted_state, make_data
from sklearn.callback import ProgressBar
from sklearn.linear_model import LogisticRegression

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPKMeans,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    TorchEmbeddingTransformer,
)

N, D = 307, 40


class Recorder:
    """Asks for all that a hook can get."""

    max_propagation_depth = None

    def __init__(self):
        self.events, self.given, self.states = [], [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(
        self, estimator, context, *, X, y, metadata, fitted_estimator
    ):
        self._note("begin", estimator, context, X, y, metadata, fitted_estimator)

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self._note("end", estimator, context, X, y, metadata, fitted_estimator)

    def _note(self, event, estimator, context, *given):
        self.events.append((event, context.task_name))
        self.given += given
        self.states.append(dict(vars(estimator)))


def arrays_in(value, seen):
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from arrays_in(part, seen)
    elif isinstance(value, list | tuple | set):
        for part in value:
            yield from arrays_in(part, seen)
    elif hasattr(value, "__dict__") and not callable(value):
        yield from arrays_in(vars(value), seen)


@pytest.mark.parametrize("name", ["kmeans", "mixture-full", "synthesizer", "logistic"])
def test_every_release_is_a_task_and_nothing_private_is_seen(name):
    X, y = make_data(N, D)
    constructor, labelled = fit_cases(D)[name]
    recorder = Recorder()
    estimator = constructor(random_state=0).set_callbacks(recorder)
    estimator.fit(X, **({"y": y} if labelled else {}))
    releases = dict.fromkeys(e.name.split(":")[0] for e in estimator.privacy_.ledger)
    tasks = [(event, name) for name in releases for event in ("begin", "end")]
    assert recorder.events == [
        "setup",
        ("begin", "fit"),
        *tasks,
        ("end", "fit"),
        "teardown",
    ]
    assert all(value is None for value in recorder.given)
    arrays = list(arrays_in(recorder.states, set()))
    assert arrays
    for array in arrays:
        assert N not in array.shape
        assert not np.shares_memory(array, X)


def test_callbacks_do_not_change_the_fit():
    X, _ = make_data(N, D)
    plain = DPKMeans(2, random_state=0).fit(X)
    watched = DPKMeans(2, random_state=0).set_callbacks(Recorder()).fit(X)
    np.testing.assert_array_equal(plain.cluster_centers_, watched.cluster_centers_)
    assert (
        fitted_state(watched).keys() - {"_skl_callbacks"} == fitted_state(plain).keys()
    )


def test_a_fit_that_fails_is_torn_down():
    X, _ = make_data(N, D)
    recorder = Recorder()
    kmeans = DPKMeans(2).set_callbacks(recorder)
    before = dict(vars(kmeans))
    with pytest.raises(ValueError, match="NaN"):
        kmeans.fit(np.where(X == X[0, 0], np.nan, X))
    assert recorder.events == ["setup", ("begin", "fit"), "teardown"]
    assert vars(kmeans) == before


def test_a_hook_that_raises_at_the_end_leaves_no_fit_and_tells_what_was_spent():
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "fit":
                raise RuntimeError("enough")

    X, _ = make_data(N, 3)
    kmeans = DPKMeans(2).set_callbacks(Failing())
    before = dict(vars(kmeans))
    with pytest.raises(RuntimeError, match="enough") as caught:
        kmeans.fit(X)
    assert vars(kmeans) == before
    assert caught.value.privacy_.spent_mu == pytest.approx(caught.value.privacy_.mu)


@pytest.mark.parametrize("cls", [DPSyntheticClassifier, DPSyntheticResampler])
def test_callbacks_reach_the_synthesizer(cls):
    X, y = make_data(N, 3)
    recorder = Recorder()
    synthesizer = DPEmbeddingSynthesizer(random_state=0)
    given = {"classifier": LogisticRegression()} if cls is DPSyntheticClassifier else {}
    cls(synthesizer, n_samples=100, **given).set_callbacks(recorder).fit(X, y)
    assert ("begin", "norms") in recorder.events
    assert recorder.events.count("setup") == recorder.events.count("teardown") == 1


def test_embedding_tells_of_its_batches():
    recorder = Recorder()
    transformer = TorchEmbeddingTransformer(torch.nn.Linear(4, 3), batch_size=10)
    X = np.random.default_rng(0).standard_normal((25, 4)).astype(np.float32)
    expected = transformer.fit_transform(X)
    found = transformer.set_callbacks(recorder).transform(X)
    np.testing.assert_array_equal(found, expected)
    batches = [("begin", "batch"), ("end", "batch")] * 3
    assert recorder.events == [
        "setup",
        ("begin", "transform"),
        *batches,
        ("end", "transform"),
        "teardown",
    ]
    assert all(value is None for value in recorder.given)


def test_the_progress_bar_of_scikit_learn():
    pytest.importorskip("rich")
    X, _ = make_data(N, 3)
    out = io.StringIO()
    with redirect_stdout(out):
        DPKMeans(2, random_state=0).set_callbacks(ProgressBar()).fit(X)
    assert "DPKMeans" in out.getvalue()
