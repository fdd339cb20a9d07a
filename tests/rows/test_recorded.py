"""What was released stands for the sums, to the bit, and nothing else does."""

import math

import numpy as np
import pytest
from private_queries import QUERIES
from views import ONE_RECORD

from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.recorded import Recorded, integers, packed
from skdpgmm._rows.rehearsal import NO_NOISE
from skdpgmm.privacy import Ledger
from skdpgmm.privacy.bounded_sum import Part, parts
from skdpgmm.privacy.noise import GaussianSource
from skdpgmm.privacy.records import PrivateRecords

D, K = 5, 2
MATRIX = Part("m", (2, 3, 3), 1.0, 0.1, symmetric=True)


def released(rows, query, mu, source):
    ledger = Ledger(math.inf)
    records = PrivateRecords(rows, ledger=ledger, source=source, **ONE_RECORD)
    return records.release("r", query, [mu] * len(query.moments))


@pytest.mark.parametrize("mu", [1e-3, 1.0, 1e9, math.inf])
@pytest.mark.parametrize("name", QUERIES)
def test_a_release_is_made_again_from_its_numbers(name, mu):
    rng = np.random.default_rng(0)
    query = QUERIES[name](rng, D, K)
    scale = getattr(query.ball, "radius", 1.0)
    rows = ArrayRows(scale * rng.standard_normal((700, D)), np.arange(700) % K)
    first = released(rows, query, mu, GaussianSource(0))
    numbers = [
        packed(part, one.value) for part, one in zip(parts(query), first, strict=True)
    ]
    again = released(Recorded([numbers]), query, mu, NO_NOISE)
    for one, other in zip(first, again, strict=True):
        assert one.value.tobytes() == other.value.tobytes()
        np.testing.assert_array_equal(one.sd, other.sd)


def test_what_is_packed_is_a_copy_with_each_number_once():
    value = np.arange(18.0).reshape(2, 3, 3)
    value += value.swapaxes(1, 2)
    kept = packed(MATRIX, value)
    assert kept.shape == (2, 6) and not np.shares_memory(kept, value)
    plain = np.ones((2, 3))
    assert not np.shares_memory(packed(Part("p", (2, 3), 1.0), plain), plain)


@pytest.mark.parametrize(
    "numbers, message",
    [
        (np.zeros((2, 5)), r"numbers of shape \(2, 5\)"),
        (np.zeros((2, 3, 3)), r"numbers of shape \(2, 3, 3\)"),
        (np.full((2, 6), np.nan), "not finite"),
        (np.full((2, 6), np.inf), "not finite"),
        (np.full((2, 6), 0.05), "not on the grid"),
        (np.full((2, 6), 2.0**92), "larger than any"),
    ],
)
def test_what_was_never_released_is_refused(numbers, message):
    with pytest.raises(ValueError, match=message):
        integers(MATRIX, numbers)


@pytest.mark.parametrize("scale", [0.1, 1.0 / 3.0, 2.0**-20, 1e-30, 1e30])
def test_integers_of_all_sizes_are_found_again(scale):
    rng = np.random.default_rng(0)
    wanted = np.rint(rng.standard_normal(2000) * 2.0 ** rng.uniform(0, 80, 2000))
    found = integers(Part("p", (2000,), 1.0, scale), wanted * scale)
    assert np.array_equal(found * scale, wanted * scale)
    assert np.all(found == np.rint(found))


def test_answers_are_given_once_and_in_order():
    query = QUERIES["norms"](np.random.default_rng(0), D, K)
    (part,) = parts(query)
    answers = Recorded([[np.ones(part.shape)], [np.ones(part.shape)] * 2])
    answers.sum(query)
    assert answers.n_left == 1
    with pytest.raises(ValueError, match="2 parts where the fit asks for 1"):
        answers.sum(query)
    with pytest.raises(ValueError, match="more releases than there are"):
        answers.sum(query)
