"""The lemma of the grid: every rounded row is within the bound, checked in integers."""

import math

import numpy as np
import pytest
from extremes import ENTRIES, MAX
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skdpgmm.privacy.grid import clip_round, integer_norms


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
