"""Cells: records go to their own, and the stated sensitivity is attained."""

import math

import numpy as np
import pytest
from private_queries import (
    LENGTHS,
    MARGIN,
    MOMENTS,
    axis,
    change,
    exact_sums,
    squared_distance,
    whole_ball,
)

from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm.privacy.bounded_sum import parts
from skdpgmm.privacy.grid import HOST


@pytest.mark.parametrize("seed", [3032, 12464, 30964, 33825])
def test_far_centers_keep_rows_apart(seed):
    """A public centre may be anywhere, for instance in `means_init`.

    The record is at the same distance from both centres. A product that is not
    exact then lets the number of rows decide for all of them: with these seeds
    one more row has moved the other one too, on x86-64 with OpenBLAS.
    """
    d, rng = 8, np.random.default_rng(seed)
    point = rng.standard_normal(d)
    point *= 100.0 / np.linalg.norm(point)
    ball = whole_ball(d)
    centers = ball.on_grid([point, rng.permutation(point)])
    row = np.full((1, d), rng.integers(2**20, int(2**24 / math.sqrt(d))) / 2.0**24)
    query = CellMoments(
        ball, NearestCell(centers, np.zeros(2, int)), centers, np.ones(2), ("count",)
    )
    before = np.zeros(2, dtype=object)
    for n in range(1, 18):
        (counts,) = exact_sums(query, np.repeat(row, n, axis=0), np.zeros(n))
        assert squared_distance(counts, before) <= 1
        before = counts


def worst_cells(d, projected, moments):
    ball = whole_ball(d, projected)
    p = ball.n_features
    centers = np.zeros((1, p))
    cell = NearestCell(centers, np.zeros(1, np.intp))
    return CellMoments(ball, cell, centers, np.array([0.4]), moments)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("d", [1, 5, 40])
def test_cells_attain(d, projected, length):
    query = worst_cells(d, projected, (*MOMENTS, "tied"))
    ratios = change(query, axis(d, length))
    assert len(ratios) == 6
    assert MARGIN < min(ratios.values()) <= max(ratios.values()) <= 1.0
    # A person with three such records, and two opposite ones replaced.
    tripled = change(query, np.repeat(axis(d, length), 3, axis=0))
    assert 3.0 * MARGIN < min(tripled.values()) <= 3.0
    plus, minus = (
        exact_sums(query, axis(d, sign * length), np.zeros(1))[1] for sign in (1, -1)
    )
    replaced = math.sqrt(squared_distance(plus, minus))
    assert 2.0 * MARGIN < replaced / parts(query)[1].l2_sensitivity <= 2.0


@pytest.mark.parametrize("d", [2, 5])
def test_full_scatter_counts_entries_off_the_diagonal_twice(d):
    # Along the diagonal of the space nearly all of the norm is off the diagonal
    # of the matrix: one triangle alone would leave half of its square out.
    query = worst_cells(d, False, ("full", "tied"))
    ratios = change(query, np.ones((1, d)))
    assert MARGIN < min(ratios.values()) <= max(ratios.values()) <= 1.0


@pytest.mark.parametrize("classes", [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 2, 3], [5]])
def test_records_go_to_the_nearest_centre_of_their_class(classes):
    rng = np.random.default_rng(0)
    ball, classes = whole_ball(3), np.array(classes)
    centers = ball.on_grid(rng.standard_normal((len(classes), 3)))
    codes = rng.choice(classes, 500)
    G = ball.to_grid(rng.standard_normal((500, 3)))
    squares = np.sum((G[:, None] - centers) ** 2, axis=2)
    squares[classes[None] != codes[:, None]] = np.inf
    found = NearestCell(centers, classes).assign(G, codes, HOST)
    assert np.array_equal(found, squares.argmin(axis=1))


def test_one_centre_takes_all_and_counts_of_classes_look_at_no_row():
    ball, codes = whole_ball(3), np.array([2, 0, 7])
    one = NearestCell(np.zeros((1, 3)), np.zeros(1, int))
    assert one.assign(np.ones((3, 3)), codes, HOST).tolist() == [0, 0, 0]
    zero = np.zeros((3, 3))
    each = NearestCell(zero, np.array([0, 2, 7]))
    query = CellMoments(ball, each, zero, np.ones(3), ("count",))
    assert query.sees == "codes" and each.assign(None, codes, HOST).tolist() == [
        1,
        0,
        2,
    ]
    assert CellMoments(ball, each, zero, np.ones(3), ("sum",)).sees == "grid"
