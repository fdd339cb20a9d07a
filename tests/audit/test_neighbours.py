"""The unit that is looked for: it moves a fit as far as a unit may."""

import numpy as np
import pytest
from private_fits import make_data

from skdpgmm import DPPCA, DPLogisticRegression
from skdpgmm._audit.neighbours import Dataset, Unit, candidates, farthest
from skdpgmm._audit.paths import path_of, with_transcript

X, Y = make_data(60, 3, seed=1)


@pytest.mark.parametrize("labelled", [False, True])
def test_candidates_come_in_both_signs_and_of_all_classes(labelled):
    data = Dataset(X, Y if labelled else None, None)
    found = candidates(data, np.random.default_rng(0))
    rows = np.array([unit.row for unit in found]) - X.mean(axis=0)
    assert np.all(np.isfinite(rows))
    for row in rows:
        assert np.min(np.linalg.norm(rows + row, axis=1)) < 1e-6 * np.linalg.norm(row)
    labels = {unit.label for unit in found}
    assert labels == ({0, 1, 2} if labelled else {None})


def test_records_that_are_all_alike_have_candidates():
    data = Dataset(np.ones((5, 2)), None, None)
    found = candidates(data, np.random.default_rng(0))
    assert len({tuple(unit.row) for unit in found}) > 2


@pytest.mark.parametrize("constructor", [DPPCA, DPLogisticRegression])
def test_a_record_more_attains_what_is_claimed(constructor):
    labelled = constructor is DPLogisticRegression
    data = Dataset(X, Y if labelled else None, None)
    fits = [constructor(epsilon=4.0, random_state=0).fit(data.X, data.y)]
    told = with_transcript(fits[0])
    (unit,) = farthest(data, [told], "add-remove", np.random.default_rng(0))
    path = path_of(told, data, data.with_unit(unit, None))
    assert path.distance > 0.95 * fits[0].privacy_.mu


def test_one_in_the_place_of_another_moves_farther_than_one_more():
    data = Dataset(X, None, None)
    fits = [DPPCA(2, epsilon=4.0, adjacency="replace-one", random_state=0).fit(X)]
    rng = np.random.default_rng(0)
    told = with_transcript(fits[0])
    a, b = farthest(data, [told], "replace-one", rng)
    sets = [data.with_unit(unit, None) for unit in (a, b)]
    replaced = path_of(told, *sets).distance
    added = path_of(told, data, sets[0]).distance
    assert replaced > 1.2 * added
    assert replaced <= fits[0].privacy_.mu


def test_a_person_has_more_records_than_take_part():
    data = Dataset(X, Y, np.arange(len(X)))
    more = data.with_unit(Unit(np.zeros(3), 2), 3)
    assert len(more.X) == len(more.y) == len(more.ids) == len(X) + 6
    assert np.all(more.ids[-6:] == more.ids[-1])
    assert more.ids[-1] not in data.ids
    assert np.count_nonzero(more.kept(3)) == len(X) + 3
