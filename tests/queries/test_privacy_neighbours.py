"""One unit moves an exact sum by no more than is stated: checked in integers."""

import itertools

import numpy as np
import pytest
from extremes import ENTRIES, MAX
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from private_queries import (
    QUERIES,
    center_of,
    exact_sums,
    scale_of,
    squared_distance,
)

from skdpgmm.privacy.bounded_sum import parts

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
        squared = 2 if part.acute else 4
        assert squared_distance(b, c) <= squared * bound**2, part.name


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
        center = center_of(query)
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


@pytest.mark.parametrize("name", QUERIES)
def test_no_rows_sum_to_zero(name):
    query = QUERIES[name](np.random.default_rng(0), 4, 2)
    for total in exact_sums(query, np.empty((0, 4)), np.empty(0)):
        assert not np.any(total)
