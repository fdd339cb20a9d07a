"""What a fit was told: every release, as it was when it was made."""

from types import SimpleNamespace

import numpy as np

from skdpgmm._algorithms.looks import class_counts
from skdpgmm._estimators.transcript import noting
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.records import Release


def test_releases_are_noted_in_order_and_handed_on():
    made = []

    def release(name, query, mus):
        made.append((Release(np.full(query.n_cells, float(len(made))), 1.0),))
        return made[-1]

    told = []
    records = noting(SimpleNamespace(release=release, holding="held"), told)
    query = class_counts(Ball(np.zeros(2), 1.0), 3)
    for i, name in enumerate(["first", "second"]):
        assert records.release(name, query, [0.1]) is made[i]
    assert records.holding == "held"
    assert [one.name for one in told] == ["first", "second"]
    # What an algorithm does to its arrays changes nothing.
    made[1][0].value[:] = -1.0
    np.testing.assert_array_equal(told[1].numbers[0], np.full(3, 1.0))
