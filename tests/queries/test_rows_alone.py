"""A record's summand is the same whatever stands beside it: to the bit, on the way too.

Integers alone would not tell: a last bit that differs is rounded away nearly always,
but not for the records that somebody chooses. So what goes into every rounding,
comparison and root is recorded, row by row.
"""

import sys
from collections import Counter

import numpy as np
import pytest
from private_queries import QUERIES, errors, exact_sums, gradient, random_ball, scale_of
from sklearn.externals.array_api_compat import torch as xp

from skdpgmm._queries import cells, histograms, lifts, soft, softmax
from skdpgmm._rows import device
from skdpgmm.privacy import grid
from skdpgmm.privacy.passes import Summand

SITES = [
    (grid, "clip_round"),
    (grid, "squared_norms"),
    (cells, "clip_round"),
    (histograms, "squared_norms"),
    (lifts, "clip_round"),
    (soft, "clip_round"),
    (soft, "squared_norms"),
    (soft, "softmax"),
    (softmax, "clip_round"),
]


class Recorder:
    """Counts the rows that functions get and give, by the function that calls them."""

    def __init__(self, monkeypatch):
        self.rows = Counter()
        for module, name in SITES:
            original = getattr(module, name)
            monkeypatch.setattr(module, name, self.watched(original))

    def watched(self, original):
        def function(V, *args, **kwargs):
            caller = sys._getframe(1).f_code.co_qualname
            if caller == "SoftMoments._whiten":  # of public matrices
                return original(V, *args, **kwargs)
            self.note(f"{caller}, given", V)
            result = original(V, *args, **kwargs)
            given = result if isinstance(result, tuple) else (result,)
            for i, array in enumerate(given):
                self.note(f"{caller}, result {i}", array)
            return result

        return function

    def note(self, key, array):
        self.rows.update((key, row.tobytes()) for row in array)

    def of(self, query, X, codes):
        self.rows = Counter()
        exact_sums(query, X, codes)
        return self.rows


def rows_for(query, rng, n, d, n_classes):
    """Rows of which some interact with the query, some are clipped, some are zero."""
    X = scale_of(query) * rng.standard_normal((n, d)) / np.sqrt(d)
    X[::5] *= 10.0 ** rng.uniform(-3, 3, size=(len(X[::5]), 1))
    X[3] = 0.0
    center = query.center if not hasattr(query, "ball") else query.ball.center
    return X + center, rng.integers(0, n_classes, size=n)


def check(query, X, codes, recorder, panels, monkeypatch):
    alone = sum(
        (recorder.of(query, X[[i]], codes[[i]]) for i in range(len(X))), Counter()
    )
    assert alone
    for size in panels:
        monkeypatch.setattr(
            grid,
            "cache_slices",
            lambda X, n=0, s=size: grid.row_slices(len(X), s),
        )
        together = recorder.of(query, X, codes)
        changed = {key for key, _ in (together - alone) + (alone - together)}
        assert not changed, f"panels of {size}: {changed}"


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("n_classes", [2, 11])
def test_row_is_the_same_in_every_panel(name, n_classes, monkeypatch):
    recorder = Recorder(monkeypatch)
    rng = np.random.default_rng(n_classes)
    d = 7
    query = QUERIES[name](rng, d, n_classes)
    X, codes = rows_for(query, rng, 21, d, n_classes)
    check(query, X, codes, recorder, range(1, 22), monkeypatch)


@pytest.mark.parametrize("kind", [gradient, errors])
@pytest.mark.parametrize("n_classes", range(2, 51))
def test_softmax_of_any_number_of_classes(kind, n_classes, monkeypatch):
    recorder = Recorder(monkeypatch)
    rng = np.random.default_rng(n_classes)
    query = kind(random_ball)(rng, 5, n_classes)
    X, codes = rows_for(query, rng, 21, 5, n_classes)
    check(query, X, codes, recorder, (1, 2, 4, 7, 20, 21), monkeypatch)


@pytest.mark.parametrize("d", [1, 2, 3, 8, 17, 64, 300, 4097, 9000])
def test_squared_norms_of_one_row_and_of_many(d):
    rng = np.random.default_rng(d)
    V = rng.standard_normal((23, d)) * 10.0 ** rng.uniform(-5, 5, size=(23, 1))
    alone = np.concatenate([grid.squared_norms(V[[i]]) for i in range(len(V))])
    for size in range(1, 24):
        for start in range(0, 24 - size):
            some = grid.squared_norms(V[start : start + size].copy())
            assert some.tobytes() == alone[start : start + size].tobytes()


@pytest.mark.parametrize("n_rows", range(1, 70))
def test_sum_in_order_is_that_of_one_column(n_rows):
    rng = np.random.default_rng(n_rows)
    A = rng.standard_normal((n_rows, 20)) * 10.0 ** rng.uniform(-8, 8, (n_rows, 20))
    total = grid.sum_in_order(A)
    np.testing.assert_allclose(total, A.sum(axis=0), rtol=1e-9, atol=1e-6)
    for size in range(1, 20):
        for layout in (np.ascontiguousarray, np.asfortranarray):
            some = grid.sum_in_order(layout(A[:, 3 : 3 + size]))
            assert some.tobytes() == total[3 : 3 + size].tobytes()


# --------------------------------------------------------------------------
# On a device
# --------------------------------------------------------------------------

torch = pytest.importorskip("torch")
TORCH = device.Device(xp, lambda array: array.numpy(), torch.from_numpy)
HAVE_KERNELS = [
    "norms",
    *(name for name in QUERIES if name.startswith(("cells", "gradient", "errors"))),
]


class DeviceRecorder(Recorder):
    def __init__(self, monkeypatch):
        self.rows = Counter()
        clip_round, norms = device._clip_round, device._squared_norms

        def watched_clip_round(xp, V, bits):
            self.note("clip_round, given", V.numpy())
            out = clip_round(xp, V, bits)
            self.note("clip_round, result", out[0].numpy())
            return out

        def watched_norms(V):
            out = norms(V)
            self.note("norms", out.numpy()[:, None])
            return out

        monkeypatch.setattr(device, "_clip_round", watched_clip_round)
        monkeypatch.setattr(device, "_squared_norms", watched_norms)

    def of(self, query, X, codes):
        self.rows = Counter()
        rows = device.DeviceRows(torch.from_numpy(X.copy()), TORCH, codes)
        with np.errstate(all="ignore"):
            rows.sum(Summand(query))
        return self.rows


@pytest.mark.parametrize("name", HAVE_KERNELS)
@pytest.mark.parametrize("n_classes", [2, 11])
def test_row_is_the_same_in_every_block_of_a_device(name, n_classes, monkeypatch):
    recorder = DeviceRecorder(monkeypatch)
    rng = np.random.default_rng(n_classes)
    query = QUERIES[name](rng, 7, n_classes)
    assert type(query) in device._KERNELS
    X, codes = rows_for(query, rng, 40, 7, n_classes)
    alone = [recorder.of(query, X[[i]], codes[[i]]) for i in range(len(X))]
    for size in (1, 2, 3, 4, 8, 13, 20):
        for start in (0, 3, 40 - size):
            some = slice(start, start + size)
            together = recorder.of(query, X[some], codes[some])
            assert together == sum(alone[some], Counter()), (size, start)
