"""A map that treats a record otherwise beside others is refused when it is new."""

import numpy as np
import pytest
from any_query import Anything, P
from private_queries import QUERIES

from skdpgmm.privacy import bounded_sum
from skdpgmm.privacy.bounded_sum import Block, exact, known


@pytest.mark.parametrize("which", ["weights", "vectors"])
def test_maps_that_look_at_other_rows_are_refused(which):
    @known
    class Together(Anything):
        def map(self, rows, codes, on):
            e = np.zeros(len(rows), int)
            if which == "weights":
                e[:] = rows[:, 0] > rows[:, 0].mean()
                return e, rows
            return e, rows / max(np.abs(rows).max(), 1.0)

    query = Together(None, None, moments=("count", "sum"))
    X, codes = np.random.default_rng(0).standard_normal((40, P)), np.zeros(40, int)
    with pytest.raises(RuntimeError, match="Together maps a record otherwise"):
        exact(query, Block(X, codes, first=True))
    # As for those in between, nobody looks: a map is looked at when it is new.
    exact(query, Block(X, codes, first=False))


@pytest.mark.parametrize("which", [0, 20, 39])
def test_records_are_looked_at_alone(which):
    """The first, the last and one in the middle."""

    @known
    class Crowded(Anything):
        def map(self, rows, codes, on):
            crowded = len(rows) > 1
            return np.where(rows[:, 0] > 0.0, int(crowded), 0), rows

    X, codes = np.full((40, P), -0.1), np.zeros(40, int)
    X[which] = 0.1
    with pytest.raises(RuntimeError, match="Crowded maps a record otherwise"):
        exact(Crowded(None, None), Block(X, codes, first=True))


@pytest.mark.parametrize("name", QUERIES)
def test_maps_of_the_package_are_looked_at_and_kept(name, monkeypatch):
    monkeypatch.setattr(bounded_sum, "_LOOKED_AT", set())
    rng = np.random.default_rng(0)
    query = QUERIES[name](rng, 5, 2)
    X, codes = rng.standard_normal((30, 5)), rng.integers(0, 2, 30)
    exact(query, Block(X, codes, first=True))
    assert len(bounded_sum._LOOKED_AT) == 1
