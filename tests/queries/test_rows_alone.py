"""A record's summand is the same whatever stands beside it: to the bit, on the way too.

Integers alone would not tell: a last bit that differs is rounded away nearly always,
but not for the records that somebody chooses. So what maps return is compared before it
is rounded.
"""

import numpy as np
import pytest
from devices import DEVICES
from private_queries import (
    QUERIES,
    center_of,
    errors,
    exact_sums,
    gradient,
    random_ball,
    scale_of,
)

from skdpgmm._rows.host import BufferedHost
from skdpgmm.privacy import bounded_sum, grid
from skdpgmm.privacy.bounded_sum import Block, exact
from skdpgmm.privacy.grid import Host

LIBRARIES = {"host": Host(), "host, in buffers": BufferedHost(), **DEVICES}
N_ROWS = 21


def rows_for(query, rng, n, d, n_classes):
    """Rows of which some interact with the query, some are clipped, some are zero."""
    X = scale_of(query) * rng.standard_normal((n, d)) / np.sqrt(d)
    X[::5] *= 10.0 ** rng.uniform(-3, 3, size=(len(X[::5]), 1))
    X[3] = 0.0
    return X + center_of(query), rng.integers(0, n_classes, size=n)


def mapped(query, X, codes, on):
    """Return what a query sees of rows, and what it maps them to, a row for each."""
    X, codes = on.put(X.copy()), on.put(codes)
    with np.errstate(all="ignore"):
        seen = on.panel(X)
        seen = seen if query.ball is None else query.ball.to_grid(seen, on)
        home = getattr(on, "to_host", np.asarray)
        looked_at = home(seen).copy()
        e, v = query.map(seen, codes, on)
    found = [looked_at, home(e)]
    if v is not None:
        v = home(v)
        found.append(v.swapaxes(0, 1) if v.ndim == 3 else v)
    return [np.array(array, order="C") for array in found]  # buffers are used again


def check(query, X, codes, on, panels):
    alone = [mapped(query, X[[i]], codes[[i]], on) for i in range(len(X))]
    for start, stop in panels:
        together = mapped(query, X[start:stop], codes[start:stop], on)
        for rows, *each in zip(together, *alone[start:stop], strict=True):
            assert rows.tobytes() == b"".join(a.tobytes() for a in each), (start, stop)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("n_classes", [2, 11])
def test_row_is_mapped_alone(name, n_classes, library):
    rng = np.random.default_rng(n_classes)
    query = QUERIES[name](rng, 7, n_classes)
    X, codes = rows_for(query, rng, N_ROWS, 7, n_classes)
    panels = [
        (start, start + size)
        for size in range(1, N_ROWS)
        for start in {0, (N_ROWS - size) // 2, N_ROWS - size}
    ]
    check(query, X, codes, LIBRARIES[library], [*panels, (0, N_ROWS)])


@pytest.mark.parametrize("kind", [gradient, errors])
@pytest.mark.parametrize("n_classes", range(2, 51))
def test_softmax_of_any_number_of_classes(kind, n_classes):
    rng = np.random.default_rng(n_classes)
    query = kind(random_ball)(rng, 5, n_classes)
    X, codes = rows_for(query, rng, N_ROWS, 5, n_classes)
    panels = [(0, size) for size in (1, 2, 4, 7, 20, N_ROWS)]
    for on in LIBRARIES.values():
        check(query, X, codes, on, panels)


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("size", [1, 2, 7, 20])
def test_blocks_of_a_row_more_than_their_panels(name, size, monkeypatch):
    slices = grid.row_slices
    monkeypatch.setattr(bounded_sum, "row_slices", lambda n, _: slices(n, size))
    rng = np.random.default_rng(size)
    query = QUERIES[name](rng, 7, 2)
    for n in (size + 1, 2 * size + 1):
        X, codes = rows_for(query, rng, max(n, 4), 7, 2)
        together = exact_sums(query, X, codes)
        alone = [exact_sums(query, X[[i]], codes[[i]]) for i in range(len(X))]
        for total, *each in zip(together, *alone, strict=True):
            assert np.array_equal(total, sum(each))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", QUERIES)
def test_integers_of_every_library(name, library):
    rng = np.random.default_rng(0)
    query = QUERIES[name](rng, 7, 3)
    X, codes = rows_for(query, rng, 200, 7, 3)
    on = LIBRARIES[library]
    found = exact(query, Block(on.put(X), on.put(codes), None, on, True))
    for total, expected in zip(found, exact(query, Block(X, codes)), strict=True):
        np.testing.assert_array_equal(total, expected)


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
