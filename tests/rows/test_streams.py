"""Rows in blocks: the same on every pass, or refused before noise is drawn."""

import numpy as np
import pandas as pd
import pytest
from private_fits import make_data
from row_kinds import CHANGED, Pieces, spent_by, swapped

import skdpgmm._estimators.session
from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPKMeans,
)
from skdpgmm.privacy.grid import row_slices

N, D = 500, 3


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

    original = skdpgmm._estimators.session.make_keys
    monkeypatch.setattr(
        skdpgmm._estimators.session,
        "make_keys",
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


def test_half_precision_and_integers_of_a_file():
    X, _ = make_data(N, 3)
    for dtype in (np.float16, np.int32):
        Z = X.astype(dtype)
        found = DPKMeans(2, random_state=0).fit(Pieces(Z, 9))
        expected = DPKMeans(2, random_state=0).fit(Z.astype(np.float64))
        np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)


def test_every_release_reads_the_rows_once():
    X, y = make_data(N, 40)
    blocks = Pieces(X, 100)
    synthesizer = DPEmbeddingSynthesizer(label_model=True, random_state=0).fit(
        blocks, y
    )
    n_releases = len({e.name.split(":")[0] for e in synthesizer.privacy_.ledger})
    assert blocks.n_passes == n_releases + 1  # one look before


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


def test_frames_in_blocks_are_rows():
    X, _ = make_data(N, 3)
    frames = [pd.DataFrame(X[:100]), pd.DataFrame(X[100:])]

    class Frames:
        def __iter__(self):
            return iter(frames)

    found = DPKMeans(2, random_state=0).fit(Frames())
    expected = DPKMeans(2, random_state=0).fit(X)
    np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)
