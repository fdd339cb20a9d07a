"""The one lemma, under maps that return anything, and what is refused."""

import math

import numpy as np
import pytest
from any_query import BALL, Anything, K, P
from private_queries import QUERIES, squared_distance
from views import ONE_RECORD

from skdpgmm.privacy import bounded_sum
from skdpgmm.privacy.accounting import Ledger
from skdpgmm.privacy.bounded_sum import (
    CELL,
    MOMENTS,
    Block,
    Weights,
    exact,
    known,
    parts,
    summed,
)
from skdpgmm.privacy.grid import GRID_BITS, NARROW_BITS, NORM_BITS, Host
from skdpgmm.privacy.records import PrivateRecords


def kinds_of_numbers(rng, shape, bits):
    """Numbers of every kind: usual, huge, negative, fractions, nan, infinite."""
    usual = rng.standard_normal(shape) * 2.0 ** rng.uniform(-2, bits + 3)
    odd = rng.choice(
        [np.nan, np.inf, -np.inf, 1e300, -1e300, 0.0, -0.0, 5e-324, 2.0**bits, 0.5],
        size=shape,
    )
    return np.where(rng.random(shape) < rng.choice([0.0, 0.1, 0.9]), odd, usual)


def cells(rng, n):
    usual = rng.integers(-2, K + 2, size=n)
    odd = rng.choice([np.nan, np.inf, 1.7, 2.0**40, -(2.0**40), -1e300], size=n)
    return np.where(rng.random(n) < 0.3, odd, usual) if rng.random() < 0.5 else usual


CASES = {
    "cell": (CELL, 16, ("count", "sum", "energy", "diag", "full")),
    "cell, pooled": (CELL, 16, ("tied",)),
    "l1": (Weights("l1", 10), 13, ("count", "sum", "energy", "diag", "full")),
    "l1, pooled": (Weights("l1", 10), 13, ("tied",)),
    "l2": (Weights("l2", 12), 24, ("count", "sum")),
    "cell, the point": (CELL, GRID_BITS, ("sum", "count")),
    "l2, the point": (Weights("l2", 12), GRID_BITS, ("sum", "count")),
    "l1, of each cell": (Weights("l1", 10), 13, ("count", "sum", "full")),
    # Multiplied in float32.
    "l2, narrow, the point": (Weights("l2", 12), NARROW_BITS, ("sum", "count")),
    "cell, narrow, the point": (CELL, NARROW_BITS, ("sum", "count")),
}
NARROW = BALL.rounded(NARROW_BITS)


def adversary(name, rng, n):
    weights, bits, moments = CASES[name]
    shape = (K, n, P) if name == "l1, of each cell" else (n, P)
    e = cells(rng, n)
    if weights.norm != "cell":
        e = kinds_of_numbers(rng, (n, K), weights.bits - 2)
        if weights.norm == "l1" and rng.random() < 0.7:
            e = np.abs(e)
    point = name.endswith("the point")
    v = kinds_of_numbers(rng, shape, bits)
    ball = NARROW if "narrow" in name else BALL
    return Anything(e, v, weights, moments, bits, point, ball=ball)


@pytest.mark.parametrize("name", CASES)
def test_no_map_exceeds_the_bound(name):
    """2,000 records of each kind, each alone, so that nothing can cancel."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1, P))
    others, opposed = {}, set()
    for _ in range(2_000):
        query = adversary(name, rng, 1)
        held = None
        if query.point and rng.random() < 0.5:
            # What a row source holds may be anything too.
            held = kinds_of_numbers(rng, (1, P), query.ball.bits)
            held = np.clip(held, -1e38, 1e38).astype(np.float32)
        sums = exact(query, Block(X, np.zeros(1, int), held))
        for part, total in zip(parts(query), sums, strict=True):
            assert total.dtype == np.int64 and total.shape == part.shape
            total = total.astype(object)
            assert squared_distance(total, 0 * total) <= int(part.l2_sensitivity) ** 2
            product = np.sum(total * others.get(part.name, 0))
            assert product >= 0 or not part.acute
            if product < 0:
                opposed.add(part.name)
            others[part.name] = total
    assert opposed == {part.name for part in parts(query) if not part.acute}


@pytest.mark.parametrize("name", CASES)
def test_records_add_up_whatever_maps_return(name):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((9, P))
    codes = np.zeros(9, int)
    for _ in range(100):
        query = adversary(name, rng, 9)

        def one(i, query=query):
            v = query.v[:, [i]] if query.v.ndim == 3 else query.v[[i]]
            return Anything(
                query.e[[i]],
                v,
                query.weights,
                query.moments,
                query.vector_bits,
                query.point,
                ball=query.ball,
            )

        together = exact(query, Block(X, codes))
        alone = [exact(one(i), Block(X[[i]], codes[[i]])) for i in range(9)]
        for total, *each in zip(together, *alone, strict=True):
            assert np.array_equal(total, sum(each))


@pytest.mark.parametrize("name", CASES)
def test_bound_is_attained(name):
    weights, bits, moments = CASES[name]
    e = [0] if weights.norm == "cell" else [[2.0**weights.bits, 0.0, 0.0]]
    v = np.zeros((1, P))
    v[0, 1] = 2.0**bits
    X = np.zeros((1, P))
    X[0, 1] = 1.0  # on the edge of the ball
    if name == "l1, of each cell":
        v = np.stack([v] * K)
    ball = NARROW if "narrow" in name else BALL
    query = Anything(
        e, v, weights, moments, bits, name.endswith("the point"), ball=ball
    )
    sums = exact(query, Block(X, np.zeros(1, int)))
    for part, total in zip(parts(query), sums, strict=True):
        total = total.astype(object)
        length = math.sqrt(squared_distance(total, 0 * total))
        assert length == part.l2_sensitivity


@pytest.mark.parametrize("name", CASES)
def test_the_distance_of_two_records_is_attained(name):
    weights, bits, moments = CASES[name]

    def summands(cell, sign=1.0):
        of_e, of_v = (sign, 1.0) if weights.norm == "l2" else (1.0, sign)
        e, v = np.zeros((1, K)), np.zeros((1, P))
        e[0, cell], v[0, cell] = of_e * 2.0**weights.bits, of_v * 2.0**bits
        query = Anything(
            [cell] if weights.norm == "cell" else e,
            np.stack([v] * K) if name == "l1, of each cell" else v,
            weights,
            moments,
            bits,
            name.endswith("the point"),
        )
        sums = exact(query, Block(v * 2.0**-bits, np.zeros(1, int)))
        return parts(query), [total.astype(object) for total in sums]

    asked, here = summands(0)
    (_, elsewhere), (_, opposite) = summands(1), summands(0, -1.0)
    for part, *totals in zip(asked, here, elsewhere, opposite, strict=True):
        squared = max(squared_distance(totals[0], other) for other in totals[1:])
        expected = 2 if part.acute else 4
        assert squared == expected * int(part.l2_sensitivity) ** 2, part.name


def test_a_map_cannot_change_the_point_that_it_stands_for():
    """Aliasing: the point would be multiplied unverified."""

    def overwrite(G, codes):
        G *= 1e6
        return np.ones((len(G), K))

    query = Anything(overwrite, None, Weights("l2", 12), ("sum",), GRID_BITS, True)
    with pytest.raises(ValueError, match="read-only"):
        exact(query, Block(np.ones((2, P)), np.zeros(2, int)))


def test_points_that_are_held_are_verified():
    held = np.zeros((3, P), dtype=np.float32)
    held[:, 0] = [2**24, 2**24 + 2, -1e30]
    query = Anything(
        np.full((3, K), [2.0**12, 0, 0]), None, Weights("l2", 12), ("sum",), 24, True
    )
    (total,) = exact(query, Block(None, np.zeros(3, int), held))
    assert total[0].tolist() == [2**36, 0, 0, 0]
    # As many records as cells, whose weights could be taken for a matrix.
    query = Anything([2, 2, 1], None, CELL, ("sum", "count"), 24, True)
    total, counts = exact(query, Block(None, np.zeros(3, int), held))
    assert total[2].tolist() == [2**24, 0, 0, 0] and not total[:2].any()
    assert counts.tolist() == [0, 0, 1]


def test_points_that_are_held_are_integers():
    held = np.full((2, P), 3.25, dtype=np.float32)
    query = Anything([0, 0], None, CELL, ("sum", "energy"), 24, True)
    total, energies = exact(query, Block(None, np.zeros(2, int), held))
    assert total[0].tolist() == [6] * P and energies[0] == 2 * 9 * P


@pytest.mark.parametrize(
    "e, v",
    [
        (np.zeros(5, int), np.zeros((5, P))),
        (np.zeros((4, 1), int), np.zeros((4, P))),
        (np.zeros(4, int), np.zeros((5, P))),
        (np.zeros(4, int), np.zeros((4, P + 1))),
        (np.zeros(4, int), None),
    ],
)
def test_shapes_are_those_of_the_rows(e, v):
    class Told(Anything):
        def map(self, rows, codes, on):
            return e, v

    query = known(Told)(None, None, moments=("sum", "full"))
    with pytest.raises(ValueError, match="shape"):
        exact(query, Block(np.ones((4, P)), np.zeros(4, int)))


@pytest.mark.parametrize("e", [np.zeros((4, K + 1)), np.zeros(4), np.zeros((5, K))])
def test_shapes_of_weights(e):
    class Told(Anything):
        def map(self, rows, codes, on):
            return e, rows

    query = known(Told)(None, None, Weights("l1", 10), ("sum",), 13)
    with pytest.raises(ValueError, match="weights of shape"):
        exact(query, Block(np.ones((4, P)), np.zeros(4, int)))


def test_codes_alone_read_no_row():
    class Unreadable:
        shape = (4, P)

        def __getattr__(self, name):
            raise AssertionError("a row was looked at")

    query = Anything(lambda rows, codes: codes, None, moments=("count",), sees="codes")
    (counts,) = exact(query, Block(Unreadable(), np.array([0, 2, 2, 1])))
    assert counts.tolist() == [1, 1, 2]


def test_codes_cannot_be_changed():
    def overwrite(G, codes):
        codes += 1
        return codes

    query = Anything(overwrite, None, moments=("count",))
    with pytest.raises(ValueError, match="read-only"):
        exact(query, Block(np.ones((4, P)), np.zeros(4, int)))


def test_more_bits_than_a_block_holds_exactly():
    query = Anything(None, None, Weights("l1", 10), ("sum", "full"), 14)
    with pytest.raises(ValueError, match=r"'full' of Anything needs 38 bits .* 36"):
        parts(query)
    for moment in MOMENTS:
        query = Anything(None, None, Weights("l1", -1), (moment,), 13)
        with pytest.raises(ValueError, match="bits"):
            parts(query)


@pytest.mark.parametrize("weights, bits", [(CELL, 27), (Weights("l2", 27), 0)])
def test_norms_that_cannot_be_verified(weights, bits):
    """Sums of squares are exact below 2**53, though a summand has but 27 bits."""
    with pytest.raises(ValueError, match="norms of more than 26 bits"):
        parts(Anything(None, None, weights, ("sum",), bits))


def test_pooled_moments_of_weights_that_are_bounded_in_l2_only():
    query = Anything(None, None, Weights("l2", 10), ("tied",), 13)
    with pytest.raises(ValueError, match=r"adds up cells.*not in l2"):
        parts(query)


def test_only_known_queries_are_answered():
    class Unknown(Anything):
        pass

    records = PrivateRecords(
        type("Rows", (), {"n_rows": 3})(),
        ledger=(ledger := Ledger(1.0)),
        **ONE_RECORD,
        source=None,
    )
    with pytest.raises(TypeError, match="Unknown is not a known query"):
        records.release("x", Unknown(None, None), [0.5])
    assert not ledger.entries


def test_sums_of_a_block_are_exact_in_float64():
    assert bounded_sum.MAX_BLOCK_ROWS * 2**bounded_sum.SUMMAND_BITS < 2**53


def test_too_many_rows_for_a_block():
    most = bounded_sum.MAX_BLOCK_ROWS
    query = Anything(np.zeros(most + 1), None, moments=("count",))
    (counts,) = exact(query, Block(np.zeros((most, P)), np.zeros(most, int)))
    assert counts.tolist() == [most, 0, 0]
    with pytest.raises(ValueError, match="rows"):
        exact(query, Block(np.zeros((most + 1, P)), np.zeros(most + 1, int)))


def test_vectors_of_each_cell_are_summed_by_their_weights():
    rng = np.random.default_rng(0)
    e, v = rng.integers(0, 9, (20, K)), rng.integers(-9, 10, (K, 20, P))
    expected = {
        "count": e.sum(axis=0),
        "sum": np.einsum("nk,knp->kp", e, v),
        "energy": np.einsum("nk,knp,knp->k", e, v, v),
        "full": np.einsum("nk,knp,knq->kpq", e, v, v),
        "tied": np.einsum("nk,knp,knq->pq", e, v, v),
    }
    query = Anything(
        e.astype(float), v.astype(float), Weights("l1", 6), tuple(expected)
    )
    found = exact(query, Block(np.zeros((20, P)), np.zeros(20, int)))
    for total, wanted in zip(found, expected.values(), strict=True):
        np.testing.assert_array_equal(total, wanted)


class FewAtATime(Host):
    n_numbers = 15


@pytest.mark.parametrize("name", QUERIES)
def test_panels_add_up(name):
    rng = np.random.default_rng(0)
    query = QUERIES[name](rng, 5, 2)
    X, codes = rng.standard_normal((31, 5)), rng.integers(0, 2, 31)
    whole = summed(query, Block(X, codes))
    assert whole[-2:] == (31, 0)
    cut = summed(query, Block(X, codes, on=FewAtATime()), digest=7)
    assert cut[-2:] == (31, 7)
    for one, other in zip(whole[:-2], cut[:-2], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("moments", [("count",), ("count", "sum")])
def test_cells_that_are_none_hold_no_record(moments):
    e = np.array([-1.0, K, np.nan, -5.0, 2.0**40, 1.0])
    query = Anything(e, np.ones((6, P)), moments=moments)
    sums = exact(query, Block(np.zeros((6, P)), np.zeros(6, int)))
    assert sums[0].tolist() == [0, 1, 0]
    assert all(total.tolist() == [[0] * P, [1] * P, [0] * P] for total in sums[1:])


def test_parts_say_what_of_them_is_symmetric():
    found = parts(Anything(None, None))
    assert [part.symmetric for part in found] == [False, False, False, False, True]


def test_largest_norm():
    def query(bits):
        return Anything(None, None, moments=("sum",), vector_bits=bits)

    (part,) = parts(query(NORM_BITS))
    assert part.l2_sensitivity == 2**NORM_BITS
    with pytest.raises(ValueError, match="norms of more than"):
        parts(query(NORM_BITS + 1))


@pytest.mark.parametrize("excess", [-1, 0, 1, 2])
def test_norms_in_float32_are_never_found_below_the_bound(excess):
    """4096**2 is the last number that float32 counts up to."""
    point = np.zeros((1, P + 2))
    point[0, 0] = 4096
    if excess < 0:
        point[0, 0] -= 1
    point[0, 1 : 1 + max(excess, 0)] = 1.0
    query = Anything(
        [0], None, CELL, ("count", "sum"), point=True, ball=NARROW, n_features=P + 2
    )
    count, total = exact(query, Block(None, np.zeros(1, int), point.astype(np.int16)))
    inside = excess <= 0
    assert count.sum() == inside
    assert np.array_equal(total[0], point[0] * inside)
