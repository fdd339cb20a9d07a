"""The lemma of the grid: every rounded row is within the bound, checked in integers."""

import math

import numpy as np
import pytest
from extremes import ENTRIES, MAX
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skdpgmm.privacy.grid import (
    EXACT_BITS,
    GRID_BITS,
    HOST,
    NARROW_BITS,
    NORM_BITS,
    Ball,
    clip_round,
    integer_norms,
    row_slices,
    squared_norms,
    sum_in_order,
)


@st.composite
def wild_rows(draw):
    shape = draw(st.integers(0, 4)), draw(st.sampled_from([1, 2, 3, 17, 400, 2000]))
    return draw(arrays(np.float64, shape, elements=st.one_of(ENTRIES, st.floats())))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@example(V=np.array([[np.inf, -np.inf], [np.nan, 1.0], [MAX, MAX]]), bits=24)
@example(V=np.full((1, 2000), 2.0**13 / math.sqrt(2000)), bits=13)
@example(V=np.full((1, 2000), 2.0**26 / math.sqrt(2000)), bits=26)
@given(V=wild_rows(), bits=st.sampled_from([13, 16, 24, 26]))
def test_clip_round_lemma(V, bits):
    original = V.copy()
    out = clip_round(V, bits)
    sq = integer_norms(out)
    assert out.shape == original.shape
    assert np.array_equal(out, np.rint(out))  # integers, and nothing is nan
    slack = math.sqrt(V.shape[1]) + 3.0
    for before, row, square in zip(original, out, sq, strict=True):
        exact = sum(int(v) ** 2 for v in row)
        assert exact <= 4**bits
        assert square == exact
        if not np.isfinite(before).all():
            continue
        # Nothing is lost: a row inside is rounded, a row outside keeps its
        # direction and all of the length it may have.
        length = math.hypot(*before)
        if length <= 2.0**bits - slack:
            assert np.abs(row - before).max() <= 0.5
        else:
            assert math.sqrt(exact) >= 2.0**bits - 2.0 * slack
            # Beyond 1e300 only the signs are promised.
            if np.abs(before).max() <= 1e300:
                unit = before / length
                assert np.abs(row - unit * math.sqrt(exact)).max() <= 2.0 * slack


@pytest.mark.parametrize("bits", [13, 16, 24, 26])
@pytest.mark.parametrize("d", [1, 2, 50, 2000])
def test_clip_round_on_the_boundary(d, bits):
    # Just inside, on and just outside, in the direction that rounds worst.
    rng = np.random.default_rng(0)
    U = rng.standard_normal((300, d))
    U /= np.linalg.norm(U, axis=1, keepdims=True)
    U[0] = 1.0 / math.sqrt(d)
    U *= 2.0**bits * rng.uniform(0.9999, 1.0001, size=(300, 1))
    out = clip_round(U, bits)
    lengths = [math.isqrt(sum(int(v) ** 2 for v in row)) for row in out]
    assert max(lengths) <= 2**bits
    assert min(lengths) > 0.99 * 2**bits


@pytest.mark.parametrize("bits", [13, 26])
def test_a_row_on_the_bound_is_kept(bits):
    V = np.array([[2.0**bits, 0.0], [0.0, -(2.0**bits)]])
    np.testing.assert_array_equal(clip_round(V.copy(), bits), V)


@pytest.mark.parametrize("bits", [0, 1, 2, 5, 13])
def test_what_is_scaled_is_verified_again(bits):
    # Rounding may move a row of many features farther than the bound.
    V = 1e5 * np.random.default_rng(1).standard_normal((200, 3000))
    out = clip_round(V, bits)
    assert max(sum(int(v) ** 2 for v in row) for row in out) <= 4**bits


def test_what_is_scaled_is_verified_against_the_same_bound():
    # The radius that scaling aims at is -8.6 here, and the bound is 8.
    V = np.zeros((1, 973))
    V[0, 0] = 1000.0
    assert not clip_round(V, 3).any()


def test_rows_that_rounding_makes_longer_obey_the_bound():
    V = np.array([[15.6, 3.5], [11.5, 11.1], [3.2, 15.6]])
    assert np.all(np.sum(V**2, axis=1) <= 4.0**4)
    assert np.all(np.sum(np.rint(V) ** 2, axis=1) > 4.0**4)
    assert np.all(np.sum(clip_round(V, 4) ** 2, axis=1) <= 4.0**4)


# --- what the lemma rests on --------------------------------------------------------
def test_integers_of_so_many_bits_are_exact():
    most = 2**EXACT_BITS
    assert float(np.float32(most - 1)) == most - 1
    assert float(np.float32(most + 1)) != most + 1
    # Squares of norms, in float32 and in float64.
    assert 2 * NARROW_BITS == EXACT_BITS
    assert 2 * NORM_BITS < 53 <= 2 * (NORM_BITS + 1)
    assert GRID_BITS <= min(EXACT_BITS, NORM_BITS)


def test_arrays_of_numpy():
    X = np.asfortranarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert HOST.put(X) is HOST.floats(X) is X
    for copy in (HOST.floats(X, copy=True), HOST.panel(X), HOST.panel(X, narrow=True)):
        assert not np.shares_memory(copy, X)
        np.testing.assert_array_equal(copy, X)
    assert HOST.panel(X).dtype == HOST.floats(X.astype(int)).dtype == np.float64
    assert HOST.panel(X, narrow=True).dtype == np.float32
    for made in (HOST.scratch((2, 3), "name"), HOST.empty((2, 3))):
        assert made.shape == (2, 3) and made.dtype == np.float64
    assert HOST.indices(X).dtype == np.intp
    found = HOST.integers(X)
    assert found.dtype == np.int64 and found.flags.c_contiguous
    assert HOST.indices(X).tolist() == found.tolist() == X.tolist()


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("n_rows", [0, 1, 6, 7])
def test_slices_hold_each_row_once(n_rows, size):
    slices = row_slices(n_rows, size)
    assert len(slices) == max(1, math.ceil(n_rows / size))
    held = [i for rows in slices for i in range(n_rows)[rows]]
    assert held == [*range(n_rows)]
    assert all(0 <= rows.start <= rows.stop <= n_rows for rows in slices)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 13])
def test_sums_in_order(n):
    rng = np.random.default_rng(n)
    A = rng.integers(-9, 10, (n, 4)).astype(float)
    np.testing.assert_array_equal(sum_in_order(A), A.sum(axis=0))
    # To the bit, each column is what it is alone.
    B = rng.standard_normal((n, 4)) * 10.0 ** rng.integers(-9, 9, (n, 4))
    alone = [sum_in_order(B[:, [j]])[0] for j in range(4)]
    np.testing.assert_array_equal(sum_in_order(B), alone)


@pytest.mark.parametrize("xp", [np, "another library"])
@pytest.mark.parametrize("d", [1, 5, 4095, 4096, 4097, 9000])
def test_squared_norms(d, xp):
    rng = np.random.default_rng(d)
    U = rng.integers(-9, 10, (3, d)).astype(float)
    np.testing.assert_array_equal(squared_norms(U, xp), (U * U).sum(axis=1))
    B = rng.standard_normal((3, d))
    alone = [squared_norms(B[[i]], xp)[0] for i in range(3)]
    np.testing.assert_array_equal(squared_norms(B, xp), alone)


# --- balls --------------------------------------------------------------------------
CENTER = np.array([1.0, -2.0, 3.0])
BALL = Ball(CENTER, 5.0, bits=10)


class Twice:
    """A lift to the first two coordinates, and twice as far."""

    n_features = 2

    def __call__(self, G, ball, on):
        return 2.0 * G[:, :2] * (ball.first_step / ball.step)


LIFTED = Ball(CENTER, 8.0, lift=Twice(), clip_radius=4.0, bits=12)


def rows_of(*offsets):
    """Rows of float64, which `to_grid` may overwrite."""
    return CENTER + np.array(offsets)


def test_steps_and_widths():
    assert (BALL.n_features, LIFTED.n_features) == (3, 2)
    assert BALL.step == 5.0 / 2**10 and LIFTED.step == 8.0 / 2**12
    assert BALL.first_step == 5.0 / 2**GRID_BITS
    assert LIFTED.first_step == 4.0 / 2**GRID_BITS
    inner = LIFTED.inside(3.0, 7)
    assert (inner.n_features, inner.step) == (2, 3.0 / 2**7)
    assert BALL.rounded(13).step == 5.0 / 2**13
    # Records stay clipped as they were, before a lift; without one they are now.
    assert (BALL.within(2.0).radius, BALL.within(2.0).clip_radius) == (2.0, None)
    assert (LIFTED.within(2.0).radius, LIFTED.within(2.0).clip_radius) == (2.0, 4.0)
    shorter = Ball(CENTER, 8.0, lift=Twice()).within(2.0)
    assert (shorter.radius, shorter.clip_radius) == (2.0, 8.0)


def test_grid_points_are_rounded_differences_from_the_centre():
    inside, outside = [1.003, -2.0, 0.5], [0.0, 30.0, -40.0]
    near, far = BALL.to_grid(rows_of(inside, outside)) * BALL.step
    np.testing.assert_allclose(near, inside, atol=0.51 * BALL.step)
    np.testing.assert_allclose(far, [0.0, 3.0, -4.0], atol=2 * BALL.step)
    assert np.linalg.norm(far) <= 5.0


def test_a_lift_gets_clipped_points_and_is_clipped():
    inside, outside = [1.0, 2.0, 0.5], [30.0, 40.0, 0.0]
    near, far = LIFTED.to_grid(rows_of(inside, outside)) * LIFTED.step
    np.testing.assert_allclose(near, [2.0, 4.0], atol=0.51 * LIFTED.step)
    # At norm 4 before the lift, and at 8 after it.
    np.testing.assert_allclose(far, [4.8, 6.4], atol=2 * LIFTED.step)
    wide = Ball(CENTER, 2.0, lift=Twice(), clip_radius=4.0, bits=12)
    (clipped,) = wide.to_grid(rows_of(outside)) * wide.step
    np.testing.assert_allclose(clipped, [1.2, 1.6], atol=2 * wide.step)


def test_a_ball_inside_clips_and_rounds_the_points_of_the_outer():
    inner = BALL.inside(2.0, 6)
    X = [1.003, -1.0, 0.5], [0.0, 30.0, -40.0]
    near, far = inner.to_grid(rows_of(*X)) * inner.step
    np.testing.assert_allclose(near, X[0], atol=0.51 * inner.step + BALL.step)
    np.testing.assert_allclose(far, [0.0, 1.2, -1.6], atol=2 * inner.step)
    held = BALL.to_grid(rows_of(*X))
    np.testing.assert_array_equal(inner.from_outer(held), inner.to_grid(rows_of(*X)))


def test_public_points_are_at_most_two_radii_away():
    points = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0], [60.0, 0.0, -80.0]])
    expected = [[1.0, 2.0, 2.0], [0.0, 0.0, 0.0], [6.0, 0.0, -8.0]]
    np.testing.assert_allclose(BALL.limit(points), expected, rtol=1e-15)
    np.testing.assert_allclose(BALL.limit(points[2]), expected[2], rtol=1e-15)
    steps = BALL.on_grid(points)
    assert np.array_equal(steps, np.rint(steps))
    np.testing.assert_allclose(steps * BALL.step, expected, atol=0.51 * BALL.step)
