"""One unit moves an exact sum by no more than is stated: checked in integers."""

import itertools
import math

import numpy as np
import pytest
from extremes import ENTRIES, MAX
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from private_queries import (
    MOMENTS,
    QUERIES,
    SOFT_MOMENTS,
    exact_sums,
    scale_of,
    squared_distance,
    whole_ball,
)
from scipy.special import log_softmax

from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.histograms import (
    AgreementCount,
    DistanceHistogram,
    LinearCell,
    NormHistogram,
)
from skdpgmm._queries.lifts import projected
from skdpgmm._queries.soft import SoftMoments
from skdpgmm._queries.softmax import CONSTANT, SoftmaxErrors
from skdpgmm.privacy.bounded_sum import Block, exact, parts
from skdpgmm.privacy.grid import GRID_BITS, HOST

SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck)
)


@st.composite
def neighbours(draw):
    """A seed for theta, records, and two persons' worth of further records."""
    d = draw(st.integers(1, 6))
    m = draw(st.integers(1, 3))
    n_classes = draw(st.integers(1, 3))
    n = draw(st.integers(0, 4))
    rows = n + 2 * m
    X = draw(arrays(np.float64, (rows, d), elements=ENTRIES))
    # Rows in the units of the query, so that some fall inside of every clip.
    in_units = draw(arrays(bool, rows))
    if n and draw(st.booleans()):
        X[-1] = X[0]  # a duplicate
    codes = draw(arrays(np.intp, rows, elements=st.integers(0, n_classes - 1)))
    order = draw(st.permutations(range(n + m)))
    return draw(st.integers(0, 2**32)), X, in_units, codes, n_classes, m, order


@pytest.mark.parametrize("name", QUERIES)
@SETTINGS
@given(case=neighbours())
def test_one_unit_moves_sums_by_at_most_the_sensitivity(name, case):
    seed, X, in_units, codes, n_classes, m, order = case
    query = QUERIES[name](np.random.default_rng(seed), X.shape[1], n_classes)
    with np.errstate(over="ignore"):
        X = np.clip(np.where(in_units[:, None], X * scale_of(query), X), -MAX, MAX)
    n = len(X) - 2 * m
    others, person, stranger = range(n), range(n, n + m), range(n + m, n + 2 * m)
    order = np.array(order, dtype=int)

    def sums(rows):
        rows = np.array(rows, dtype=int)
        return exact_sums(query, X[rows], codes[rows])

    without = sums(others)
    # In any order: the neighbours move within the block too.
    with_person = sums(np.array([*others, *person])[order])
    with_stranger = sums([*stranger, *others])
    for part, a, b, c in zip(
        parts(query), without, with_person, with_stranger, strict=True
    ):
        assert part.l2_sensitivity == int(part.l2_sensitivity)
        bound = m * int(part.l2_sensitivity)
        assert squared_distance(a, b) <= bound**2, part.name
        assert squared_distance(b, c) <= (2 * bound) ** 2, part.name


@pytest.mark.parametrize(("d", "n"), [(3, 130), (40, 130), (40, 3500)])
@pytest.mark.parametrize("name", QUERIES)
def test_sums_add_over_rows(name, d, n):
    """A row's summand does not depend on the other rows, to the bit.

    Otherwise one more row could change what all others contribute, and the
    bound on one summand would not bound the change of the sum.
    """
    for seed in range(2):
        rng = np.random.default_rng(seed)
        query = QUERIES[name](rng, d, 2)
        X = scale_of(query) * rng.standard_normal((n, d)) / np.sqrt(d)
        X[:: n // 7] *= 10.0 ** rng.uniform(-300, 300)
        center = query.center if name == "norms" else query.ball.center
        X[1::3] += center
        codes = rng.integers(0, 2, size=n)
        together = exact_sums(query, X, codes)
        # One by one, and in pieces that work in several rounds.
        pieces = [0, 7, 64, n // 2 + 1, n]
        for cuts in (range(n + 1), pieces) if n < 1000 else (pieces,):
            apart = [
                exact_sums(query, X[a:b], codes[a:b])
                for a, b in itertools.pairwise(cuts)
            ]
            for total, *summands in zip(together, *apart, strict=True):
                assert np.array_equal(total, sum(summands))


def test_projection_is_exact():
    # Integers small enough that no order of summation rounds: |G P| < 2**53.
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((300, 16)))[0]
    matrix = projected(whole_ball(300), basis).lift.matrix
    assert np.array_equal(matrix, np.rint(matrix))
    assert np.linalg.norm(matrix, axis=0).max() * 2.0**GRID_BITS < 2.0**53


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


@pytest.mark.parametrize("distance", [0.0, 1.0, 5.0, 100.0, 1e4, 1e9])
@pytest.mark.parametrize("d", [8, 40])
def test_whitening_keeps_rows_apart(d, distance):
    """The whitened row is the same to the bit in every block, wherever the mean is."""
    rng = np.random.default_rng(0)
    ball = whole_ball(d)
    points = rng.standard_normal((3, d))
    points *= distance / np.linalg.norm(points, axis=1, keepdims=True)
    W = rng.standard_normal((3, d, d))
    query = SoftMoments(
        ball, ball.on_grid(points), W, np.zeros(3), 3.0, np.zeros(3, int), "full"
    )
    G = ball.to_grid(rng.standard_normal((100, d)) / math.sqrt(d))
    codes = np.zeros(100, int)
    rows = [query.map(G[[i]], codes[[i]], HOST)[1] for i in range(len(G))]
    assert np.array_equal(query.map(G, codes, HOST)[1], np.concatenate(rows, axis=1))


@pytest.mark.parametrize("name", QUERIES)
def test_no_rows_sum_to_zero(name):
    query = QUERIES[name](np.random.default_rng(0), 4, 2)
    for total in exact_sums(query, np.empty((0, 4)), np.empty(0)):
        assert not np.any(total)


# --------------------------------------------------------------------------
# The stated sensitivity is attained: it is no larger than it has to be
# --------------------------------------------------------------------------

# What rounding to the grid may cost of the bound.
MARGIN = 0.995
LENGTHS = [0.5, 1.0, 3.0, 1e300]


def change(query, rows, codes=None):
    """Distance from the empty sum, as a share of the sensitivity, of each part."""
    codes = np.zeros(len(rows), dtype=np.intp) if codes is None else codes
    ratios = {}
    for part, total in zip(parts(query), exact_sums(query, rows, codes), strict=True):
        distance = math.sqrt(squared_distance(total, 0 * total))
        ratios[part.name] = distance / part.l2_sensitivity
    return ratios


def axis(d, length, i=0):
    row = np.zeros((1, d))
    row[0, i] = length
    return row


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


@pytest.mark.parametrize("whitener_ndim", [1, 2, 3])
@pytest.mark.parametrize("moment", SOFT_MOMENTS)
@pytest.mark.parametrize("d", [1, 5, 40])
def test_soft_moments_attain(d, moment, whitener_ndim):
    k = 2
    W = {
        1: np.full(k, 10.0),
        2: np.full((k, d), 10.0),
        3: np.broadcast_to(10.0 * np.eye(d), (k, d, d)),
    }[whitener_ndim]
    # The first component takes the record whole.
    log_weights = np.array([0.0, -1e6])
    query = SoftMoments(
        whole_ball(d), np.zeros((k, d)), W, log_weights, 2.0, np.zeros(k, int), moment
    )
    for length in LENGTHS:
        ratios = change(query, axis(d, length, d - 1))
        assert ratios["counts"] == 1.0
        assert MARGIN < min(ratios.values()) <= max(ratios.values()) <= 1.0
    plus, minus = (exact_sums(query, axis(d, s), np.zeros(1))[1] for s in (1, -1))
    replaced = math.sqrt(squared_distance(plus, minus))
    assert 2.0 * MARGIN < replaced / parts(query)[1].l2_sensitivity <= 2.0


@pytest.mark.parametrize("length", [0.0, *LENGTHS, MAX])
def test_histograms_attain(length):
    edges = np.array([0.1, 1.0, 2.0])
    ball = whole_ball(3)
    cell = NearestCell(np.zeros((1, 3)), np.zeros(1, np.intp))
    for query in (
        NormHistogram(np.zeros(3), edges),
        DistanceHistogram(ball, cell, np.zeros((1, 3)), edges),
    ):
        assert change(query, axis(3, length)) == {"counts": 1.0}


def test_agreement_attains():
    rule = LinearCell(np.array([[8.0], [-8.0]]), np.zeros(2), np.array([0, 1]))
    query = AgreementCount(whole_ball(1), rule)
    assert change(query, axis(1, 0.5), np.array([0])) == {"count": 1.0}
    assert change(query, axis(1, 0.5), np.array([1])) == {"count": 0.0}
    assert change(query, np.array([[0.5], [-MAX]]), np.arange(2)) == {"count": 2.0}


@pytest.mark.parametrize("d", [1, 5, 40])
def test_gradient_attains(d):
    # Errors are longer than the clip norm as long as the weights are zero.
    query = SoftmaxErrors(whole_ball(d), np.zeros((3, d + 1)), 0.5, ("sum", "count"))
    for length in LENGTHS[1:]:
        ratios = change(query, axis(d, length, d - 1))
        assert MARGIN < ratios["gradient"] <= 1.0
        assert MARGIN < ratios["errors"] <= 1.0
    plus, minus = (exact_sums(query, axis(d, s), np.zeros(1))[0] for s in (1, -1))
    replaced = math.sqrt(squared_distance(plus, minus))
    assert 2.0 * MARGIN < replaced / parts(query)[0].l2_sensitivity <= 2.0


def test_errors_attain():
    # All probability on a class that is not the record's.
    weights = np.zeros((3, 5))
    weights[1, -1] = 1e4
    query = SoftmaxErrors(whole_ball(4), weights)
    assert MARGIN < change(query, axis(4, 0.5))["errors"] <= 1.0
    right, wrong = (exact_sums(query, axis(4, 0.5), np.array([c]))[0] for c in (1, 0))
    assert not right.any()
    found = wrong * parts(query)[0].scale
    assert np.allclose(found, [-1.0, 1.0, 0.0], atol=1e-3)


def test_gradient_is_that_of_the_cross_entropy():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 4)) / 10.0, rng.integers(3, size=200)
    W = rng.standard_normal((3, 5))
    query = SoftmaxErrors(whole_ball(4), W, 2.0, ("sum", "count"))  # clips nothing
    units = [part.scale for part in parts(query)]
    gradient, errors = (
        a * b for a, b in zip(exact(query, Block(X, y)), units, strict=True)
    )
    found = np.column_stack([gradient, CONSTANT * errors])

    def loss(W):
        scores = X @ W[:, :-1].T + 0.1 * W[:, -1]
        return -np.sum(log_softmax(scores, axis=1)[np.arange(200), y])

    step = 1e-5
    for index in np.ndindex(W.shape):
        shift = np.zeros_like(W)
        shift[index] = step
        slope = (loss(W + shift) - loss(W - shift)) / (2.0 * step)
        assert abs(found[index] - slope) < 0.01


def test_norm_histogram_puts_norms_where_they_belong():
    # Not privacy, but the bins must mean what they say, whatever overflows.
    edges = np.array([1e-5, 1.0, 1e100])
    rows = np.array(
        [[0, 0], [5e-324, 0], [0.6, 0.8], [0.7, 0.8], [1e99, 1e99], [1e200, 1e200]]
    )
    (counts,) = exact_sums(NormHistogram(np.zeros(2), edges), rows, np.zeros(6))
    assert counts.tolist() == [2, 1, 2, 1]
    far = np.array([[MAX, -MAX], [0.0, 1e300]])
    (counts,) = exact_sums(NormHistogram(np.zeros(2), edges), far, np.zeros(2))
    assert counts.tolist() == [0, 0, 0, 2]


def test_responsibilities_are_integers_of_a_fixed_sum():
    rng = np.random.default_rng(0)
    for seed in range(5):
        query = QUERIES["soft-diag-diag"](np.random.default_rng(seed), 4, 2)
        X = scale_of(query) * rng.standard_normal((50, 4)) + query.ball.center
        for row in X:
            counts = exact_sums(query, row[None], np.zeros(1))[0]
            assert sum(counts) == 2**10
            assert min(counts) >= 0
            # None for the components of another class.
            assert not np.any(counts[query.classes == 1])


# --------------------------------------------------------------------------
# Lemma of clip_round
# --------------------------------------------------------------------------
