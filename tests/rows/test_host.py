"""Arrays to write to: each thread has its own, and none outlives its use."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skdpgmm._rows.host import HOST, BufferedHost, grid_points
from skdpgmm.privacy.grid import Ball, Host


def test_arrays_are_used_again_by_their_name():
    on = BufferedHost()
    first = on.scratch((5, 3), "rows")
    assert np.shares_memory(first, on.scratch((4, 3), "rows"))
    assert not np.shares_memory(first, on.scratch((5, 3), "others"))
    for shape in ((6, 3), (5, 2), (5,)):
        assert on.scratch(shape, "rows").shape == shape


def test_a_panel_is_a_copy_that_the_next_overwrites():
    on, rows = BufferedHost(), np.arange(6, dtype=np.float32).reshape(3, 2)
    panel = on.panel(rows)
    assert panel.dtype == np.float64 and not np.shares_memory(panel, rows)
    assert_array_equal(panel, rows)
    assert np.shares_memory(panel, on.panel(rows + 1.0))
    assert not np.shares_memory(Host().panel(rows), Host().panel(rows))


def test_every_thread_has_arrays_of_its_own():
    on = BufferedHost()
    mine = on.scratch((5, 3), "rows")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(on.scratch, (5, 3), "rows").result()
        pool.submit(on.forget).result()
    assert not np.shares_memory(mine, other)
    assert np.shares_memory(mine, on.scratch((5, 3), "rows"))


def test_what_is_forgotten_is_gone():
    on = BufferedHost()
    first = on.scratch((5, 3), "rows")
    on.forget()
    assert not np.shares_memory(first, on.scratch((5, 3), "rows"))


@pytest.mark.parametrize("bits, dtype", [(24, np.float32), (14, np.int16)])
@pytest.mark.parametrize("n_numbers", [1, 7, 2**18])
def test_grid_points_are_those_of_the_ball(n_numbers, bits, dtype, monkeypatch):
    monkeypatch.setattr(BufferedHost, "n_numbers", n_numbers)
    X = np.random.default_rng(0).standard_normal((20, 3)) * np.repeat(
        [[1e-3], [1e300]], 10, axis=0
    )
    ball = Ball(np.ones(3), 2.0).rounded(bits)
    given = X.copy()
    G = grid_points(X, ball.to_grid, ball)
    assert G.dtype == dtype and not HOST._buffers
    assert_array_equal(X, given)
    assert_array_equal(G, ball.to_grid(X))


def test_nothing_is_kept_of_rows_when_a_grid_fails():
    class Fails:
        n_features = 3

        def __call__(self, G, ball, on):
            raise MemoryError

    with pytest.raises(MemoryError):
        ball = Ball(np.zeros(3), math.sqrt(3.0), Fails())
        grid_points(np.ones((20, 3)), ball.to_grid, ball)
    assert not HOST._buffers
