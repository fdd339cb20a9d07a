"""One unit moves no exact sum of a whole fit by more than the ledger says.

A fit on data D is recorded, and its releases are played to a fit on D', which differs
in one unit. The queries are then the same, to the bit, and at each of them the exact
integer sums of D and D' differ by at most the sensitivity that was debited.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from private_fits import N_CLASSES, fit, make_data, release_cases
from private_queries import squared_distance
from tapes import Tape, integers

from skdpgmm.privacy.bounded_sum import parts

CASES = sorted(release_cases(3))
N = 240
# Records of the person who is there or not: more than may take part.
M, RECORDS = 2, 5
# Adjacency, whether units are persons, and whether their records are far off.
UNITS = [
    ("add-remove", False, "far"),
    ("replace-one", False, "near"),
    ("add-remove", True, "near"),
    ("replace-one", True, "far"),
]


def records_of_a_person(kind, d, sign):
    X = np.random.default_rng(5).standard_normal((RECORDS, d))
    X[:, 0] = np.abs(X[:, 0])
    return sign * (X if kind == "near" else 1e3 * np.abs(X))


def neighbours(adjacency, persons, kind, d):
    """Return D and D' as (rows, labels, persons), the unit in the middle of them."""
    rng = np.random.default_rng(4)
    X, y = make_data(N, d, seed=6)
    # A few dozen persons, of whom most have more records than take part.
    ids = rng.integers(40, size=N)
    n_more = RECORDS if persons else 1
    places = np.sort(rng.choice(N, size=n_more, replace=False))
    here = records_of_a_person(kind, d, 1.0)[:n_more]
    there = records_of_a_person(kind, d, -1.0)[:n_more]

    def with_unit(rows, label):
        return (
            np.insert(X, places, rows, axis=0),
            np.insert(y, places, label),
            # An id in the middle of the others, so that it parts them.
            np.insert(2 * ids, places, 39),
        )

    first = with_unit(here, 1)
    if adjacency == "replace-one":
        return first, with_unit(there, N_CLASSES - 1)
    return first, (X, y, 2 * ids)


def largest_moves(make, labelled, data, persons, monkeypatch):
    """Return the largest distance of sums over the stated sensitivity, by release."""
    tape = Tape(monkeypatch)
    for (X, y, ids), install in zip(data, (tape.record, tape.play), strict=True):
        with monkeypatch.context() as patch:
            tape.monkeypatch = patch
            left = install()
            fit(make(), X, y, labelled, **({"privacy_ids": ids} if persons else {}))
    assert tape.calls and not left
    moves = {}
    for call in tape.calls:
        pairs = zip(call.sums, call.played, strict=True)
        for part, entry, pair in zip(
            parts(call.query), call.entries, pairs, strict=True
        ):
            here, there = (integers(part, words) for words in pair)
            squared = squared_distance(here, there)
            bound = Fraction(entry.l2_sensitivity)  # compared exactly
            assert squared <= bound**2, (entry.name, math.sqrt(squared), bound)
            moves[entry.name] = math.sqrt(squared) / bound
    return moves


@pytest.mark.parametrize(("adjacency", "persons", "kind"), UNITS)
@pytest.mark.parametrize("name", CASES)
def test_sums_move_by_at_most_what_is_debited(
    name, adjacency, persons, kind, monkeypatch
):
    constructor, labelled = release_cases(3)[name]

    def make():
        return constructor(
            epsilon=8.0,
            adjacency=adjacency,
            max_contributions=M if persons else None,
            clip_norm=10.0,
            random_state=0,
        )

    data = neighbours(adjacency, persons, kind, 3)
    moves = largest_moves(make, labelled, data, persons, monkeypatch)
    # The unit is seen: otherwise this would hold of anything.
    assert max(moves.values()) > (0.4 if kind == "far" else 0.1)


@pytest.mark.parametrize("adjacency", ["add-remove", "replace-one"])
@pytest.mark.parametrize("name", CASES)
def test_many_features(name, adjacency, monkeypatch):
    # Other branches: no scatters of cells, and a label model.
    constructor, labelled = release_cases(40)[name]

    def make():
        return constructor(
            epsilon=8.0, adjacency=adjacency, max_contributions=M, random_state=0
        )

    data = neighbours(adjacency, True, "far", 40)
    moves = largest_moves(make, labelled, data, True, monkeypatch)
    assert max(moves.values()) > 0.2
