"""Rows of what can be sliced: grid points that are held, and files that change."""

import numpy as np
import pytest
import zarr
from private_fits import make_data
from row_kinds import spent_by, swapped
from tapes import assert_same
from views import ONE_RECORD

import skdpgmm._estimators.session
from skdpgmm import DPKMeans
from skdpgmm._queries.softmax import SoftmaxErrors
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.host import grid_points
from skdpgmm.privacy.accounting import Ledger
from skdpgmm.privacy.bounded_sum import Block, exact
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.records import PrivateRecords

N, D = 200, 3


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


@pytest.mark.parametrize("bits", [24, 14, 12])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e300])
def test_grid_points_that_are_held_change_nothing(scale, bits):
    """Few bytes represent grid points, those of the longest records as well."""
    rng = np.random.default_rng(0)
    X = scale * rng.standard_normal((500, 40))
    codes = rng.integers(3, size=500)
    ball = Ball(rng.standard_normal(40), 0.5).rounded(bits)
    coef = rng.standard_normal((3, 41))
    query = SoftmaxErrors(ball, coef, 0.5, ("sum", "count"))
    held = grid_points(X, ball.to_grid, ball)
    expected = exact(query, Block(X, codes))
    assert_same(exact(query, Block(None, codes, held)), expected)


def test_points_of_a_ball_inside_one_that_is_held_are_made_of_its_points():
    X, codes = make_data(100, 5)
    rows = ArrayRows(X, codes, block_size=30)
    outer = Ball(np.full(5, 0.3), 2.0).rounded(14)
    inner = outer.inside(1.0, 12)
    coef = np.random.default_rng(1).standard_normal((3, 6))
    query = SoftmaxErrors(inner, coef, 0.5, ("sum", "count"))
    expected = rows.sum(query)
    with rows.holding(outer), rows.holding(inner):
        with rows.holding(outer):  # once more, which ends before the other
            pass
        rows._X = None
        with pytest.raises(TypeError):
            rows.sum(query)
        rows._X = X
        rows.sum(SoftmaxErrors(outer, coef))
        rows._X = None
        for total, other in zip(rows.sum(query), expected, strict=True):
            assert np.array_equal(total, other)
    assert not rows._held


def test_grid_points_are_held_for_their_ball_alone():
    X, codes = make_data(100, 5)
    records = PrivateRecords(
        ArrayRows(X, codes, block_size=30),
        ledger=Ledger(np.inf),
        **ONE_RECORD,
        source=np.random.default_rng(0),
    )
    ball, other = Ball(np.zeros(5), 1.0), Ball(np.ones(5), 1.0)
    weights = np.random.default_rng(1).standard_normal((3, 6))
    queries = [SoftmaxErrors(b, weights, 0.5, ("sum",)) for b in (ball, other)]
    before = [records.release("x", query, [np.inf])[0].value for query in queries]
    with records.holding(ball):
        during = [records.release("x", query, [np.inf])[0].value for query in queries]
    after = [records.release("x", query, [np.inf])[0].value for query in queries]
    assert_same(before, during)
    assert_same(before, after)
