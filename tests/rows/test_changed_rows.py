"""Rows that are not the same on every pass are refused before noise is drawn."""

import re
import subprocess
import sys

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from private_fits import make_data
from private_queries import squared_distance

import skdpgmm._estimators.session
from skdpgmm import DPGaussianMixture, DPKMeans, DPLogisticRegression
from skdpgmm._rows.memory_maps import MappedFile, read_from_file
from skdpgmm.privacy.grid import row_slices
from skdpgmm.privacy.passes import digest

N, D = 200, 3
CHANGED = "X has other rows than when they were first looked at"


class Loader:
    """Blocks that a function of the number of the pass makes of the rows."""

    def __init__(self, X, change, size=32):
        self.X, self.change, self.size, self.n_passes = X, change, size, 0

    def __iter__(self):
        X = self.change(self.X.copy(), self.n_passes)
        self.n_passes += 1
        return (
            (X[rows] for rows in row_slices(len(X), self.size)) if len(X) else iter(())
        )


def later(pass_from, change):
    return lambda X, i: change(X) if i >= pass_from else X


def shuffled(X, i):
    return np.random.default_rng(i).permutation(X)


def swapped(X):
    X[[3, 150]] = X[[150, 3]]
    return X


def nudged(X):
    X[77, 1] = np.nextafter(X[77, 1], np.inf)
    return X


CHANGES = {
    "shuffled": shuffled,
    "shuffled after the look": later(1, lambda X: shuffled(X, 5)),
    "two swapped": later(2, swapped),
    "one bit": later(2, nudged),
    "columns swapped": later(2, lambda X: X[:, ::-1]),
}


def spent_by(fit):
    """Ledger of a fit that failed, which may have released what came before."""
    with pytest.raises(ValueError, match=CHANGED) as caught:
        fit()
    report = getattr(caught.value, "privacy_", None)
    return () if report is None else report.ledger


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threads", [1, 2])
def test_stream(change, dtype, threads):
    X = make_data(N, D)[0].astype(dtype)
    loader = Loader(X, CHANGES[change])
    ledger = spent_by(lambda: DPKMeans(2, n_jobs=threads).fit(loader))
    # The pass that differs is debited, and ends the fit.
    releases = {entry.name.split(":")[0] for entry in ledger}
    assert loader.n_passes == len(releases) + 1


def test_nothing_is_drawn_for_a_pass_that_differs(monkeypatch):
    drawn = []

    class Source:
        def standard_normal(self, shape):
            drawn.append(shape)
            return np.zeros(shape)

    original = skdpgmm._estimators.session.make_generators
    monkeypatch.setattr(
        skdpgmm._estimators.session,
        "make_generators",
        lambda *args: (Source(), original(*args)[1]),
    )
    X, _ = make_data(N, D)
    spent_by(lambda: DPKMeans(2, clip_norm=20.0).fit(Loader(X, shuffled)))
    assert not drawn


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (later(2, lambda X: X[:0]), "X gave no rows this time"),
        (later(2, lambda X: X.astype(np.float32)), "is of float32, and was of float64"),
        (later(2, lambda X: X[:-1]), CHANGED),
        (later(2, lambda X: np.concatenate([X, X[-1:]])), CHANGED),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_what_happened_is_named(change, message, threads):
    X, _ = make_data(N, D)
    with pytest.raises(ValueError, match=message):
        DPKMeans(2, n_jobs=threads).fit(Loader(X, change))


def test_cuts_of_a_stream_may_change():
    X, _ = make_data(N, D)

    class Recut(Loader):
        def __iter__(self):
            self.size = 7 + 10 * self.n_passes
            return super().__iter__()

    recut = DPKMeans(2, random_state=0).fit(Recut(X, lambda X, i: X))
    assert np.array_equal(
        recut.cluster_centers_, DPKMeans(2, random_state=0).fit(X).cluster_centers_
    )


def test_a_person_of_shuffled_rows_is_bounded():
    """The pass that would let one person count 100 times is never released."""
    X = np.concatenate([np.ones((100, 1)), -np.ones((100, 1))])
    ids = np.concatenate([np.zeros(100), np.arange(1, 101)]).astype(int)
    loader = Loader(X, later(1, lambda X: shuffled(X, 0)))
    estimator = DPKMeans(1, clip_norm=1.0, max_contributions=1)
    ledger = spent_by(lambda: estimator.fit(loader, privacy_ids=ids))
    assert len({entry.name.split(":")[0] for entry in ledger}) == 1
    assert loader.n_passes == 2


# --------------------------------------------------------------------------
# Files
# --------------------------------------------------------------------------


class Meddling:
    """Does something when a release begins, as another process might."""

    def __init__(self, monkeypatch, action, at=2):
        original, self.n, self.at = skdpgmm._estimators.session.PrivateRecords, 0, at

        def records_behind(rows, **kwargs):
            records = original(rows, **kwargs)
            release = records.release

            def meddled(*args):
                self.n += 1
                if self.n == self.at:
                    action()
                return release(*args)

            records.release = meddled
            return records

        monkeypatch.setattr(
            skdpgmm._estimators.session, "PrivateRecords", records_behind
        )


@pytest.mark.parametrize("kind", ["memmap", "zarr"])
def test_file_that_is_written_during_a_fit(kind, tmp_path, monkeypatch):
    X, _ = make_data(N, D)
    path = tmp_path / "rows"

    def write(X):
        if kind == "memmap":
            X.tofile(path)
        else:
            options = {"shape": X.shape, "dtype": X.dtype, "chunks": (64, D)}
            zarr.open(str(path), mode="w", **options)[:] = X

    write(X)
    opened = {
        "memmap": lambda: np.memmap(path, np.float64, "r", shape=X.shape),
        "zarr": lambda: zarr.open(str(path), mode="r"),
    }[kind]()
    Meddling(monkeypatch, lambda: write(swapped(X.copy())))
    assert len(spent_by(lambda: DPKMeans(2, block_size=50).fit(opened)))


@pytest.mark.parametrize("part", ["row", "label"])
def test_dask_chunks_that_come_out_differently(part, tmp_path):
    X, y = make_data(N, D)
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
    rows = da.concatenate([da.from_delayed(c[0], (50, D), np.float64) for c in chunks])
    labels = da.concatenate([da.from_delayed(c[1], (50,), y.dtype) for c in chunks])
    with dask.config.set(scheduler="synchronous"):
        spent_by(lambda: DPLogisticRegression().fit(rows, labels))


CUT = """
import os, sys, numpy as np
import skdpgmm._estimators.session as base
from skdpgmm import DPKMeans
path = sys.argv[1]
np.random.default_rng(0).standard_normal((50_000, 3)).tofile(path)
X = np.memmap(path, np.float64, "r", shape=(50_000, 3))
Records = base.PrivateRecords
def records_behind(*args, **kwargs):
    os.truncate(path, 8 * 3 * 10_000)
    return Records(*args, **kwargs)
base.PrivateRecords = records_behind
try:
    DPKMeans(2).fit(X)
except ValueError as error:
    print(error)
"""


def test_memory_map_that_gets_shorter_is_an_error(tmp_path):
    # In a process of its own, which a read of the map would end.
    found = subprocess.run(
        [sys.executable, "-c", CUT, str(tmp_path / "rows")],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, (found.returncode, found.stderr)
    row = re.search(r"which is shorter than it was: row (\d+) is", found.stdout)
    assert row and int(row[1]) >= 10_000


@pytest.mark.parametrize("offset", [0, 24, 5000 * 24])
@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f8", "<i2", "?"])
def test_memory_maps_are_read_where_they_are(tmp_path, offset, dtype):
    X = (100 * np.random.default_rng(0).standard_normal((400, 6))).astype(dtype)
    path = tmp_path / "rows"
    path.write_bytes(b"\1" * offset + X.tobytes())
    whole = np.memmap(path, dtype, "r", offset, X.shape)
    for mapped, expected in ((whole, X), (whole[37:311], X[37:311])):
        rows = read_from_file(mapped)
        assert isinstance(rows, MappedFile)
        for some in (slice(0, 10), slice(100, 274), slice(250, None), slice(0, 0)):
            assert np.array_equal(rows[some], expected[some])
            assert rows[some].dtype == expected.dtype
    for other in (
        whole[::2],
        whole[:, 1:],
        whole.T,
        np.memmap(path, dtype, "c", offset, X.shape),
    ):
        assert read_from_file(other) is other


@pytest.mark.parametrize("mode", ["r", "c", "r+"])
def test_fits_of_memory_maps_are_those_of_arrays(tmp_path, mode):
    X, _ = make_data(N, D)
    X.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.float64, mode, shape=X.shape)
    if mode != "r":
        mapped[5] = X[5] = 1.0
    for rows, expected in ((mapped, X), (mapped[::2], X[::2])):
        a, b = (
            DPGaussianMixture(2, random_state=0, block_size=37).fit(r).means_
            for r in (rows, expected)
        )
        assert np.array_equal(a, b)


# --------------------------------------------------------------------------
# The digest
# --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 3, 8, 385])
def test_digest_is_a_sum_over_rows_and_their_places(dtype, d):
    rng = np.random.default_rng(0)
    # Small integers have few bits, and many rows that are the same.
    for X in (rng.standard_normal((60, d)), rng.integers(0, 2, (60, d))):
        X = X.astype(dtype)
        whole = digest(X, 100)
        for cut in (1, 17, 59):
            assert whole == digest(X[:cut], 100) + digest(X[cut:], 100 + cut)
        assert whole == digest(np.asfortranarray(X), 100) != digest(X, 101)
        order = rng.permutation(60)
        if not np.array_equal(X[order], X):
            assert digest(X[order], 100) != whole


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 3, 5, 8])
def test_every_swap_and_every_change_of_a_bit_is_seen(dtype, d):
    rng = np.random.default_rng(d)
    X = rng.integers(0, 3, (40, d)).astype(dtype)
    whole = digest(X, 0)
    for i in range(40):
        for j in range(i):
            Y = X.copy()
            Y[[i, j]] = Y[[j, i]]
            assert (digest(Y, 0) != whole) == bool(squared_distance(X[i], X[j]))
    for bit in range(8 * X.itemsize):
        Y = X.copy()
        Y.view(f"u{X.itemsize}")[7, d - 1] ^= np.array(1 << bit, f"u{X.itemsize}")
        assert digest(Y, 0) != whole


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [27, 28])
def test_digest_sees_all_of_a_row(width, dtype):
    rng = np.random.default_rng(0)
    # Images with a border of zeros, in which evenly spaced columns are all of it.
    images = np.zeros((100, width, width), dtype)
    images[:, 4:-4, 4:-4] = rng.random((100, width - 8, width - 8))
    X = images.reshape(100, -1)
    whole = digest(X, 0)
    assert digest(X[rng.permutation(100)], 0) != whole
    assert digest(images[:, :, ::-1].reshape(100, -1), 0) != whole
    for column in range(X.shape[1]):
        Y = X.copy()
        Y[50, column] += 1.0
        assert digest(Y, 0) != whole
