"""Ids of persons: one name, and who holds to the bound."""

import warnings

import numpy as np
import pytest

from skdpgmm._estimators.privacy_ids import (
    describe_unit,
    enforces,
    one_name,
    warn_if_unenforced,
)
from skdpgmm._rows.persons import TakingPart
from skdpgmm.exceptions import UnenforcedContributionsWarning


def test_the_old_name_still_works_and_says_so():
    ids = [1, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert one_name(ids, None) is ids and one_name(None, None) is None
    with pytest.warns(FutureWarning, match="groups is deprecated") as caught:
        assert one_name(None, ids) is ids
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match="give privacy_ids only"):
        one_name(ids, ids)


def test_a_bound_that_nothing_enforces_is_said():
    with pytest.warns(UnenforcedContributionsWarning, match="max_contributions=3 is"):
        warn_if_unenforced(3, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bound, ids in ((None, None), (None, [1]), (3, [1])):
            warn_if_unenforced(bound, ids)


@pytest.mark.parametrize(
    "bound, enforced, text",
    [
        (None, False, "one record"),
        (None, True, "one person with at most 1 record, enforced by privacy_ids"),
        (1, False, "one person with at most 1 record, promised by the caller"),
        (3, True, "one person with at most 3 records, enforced by privacy_ids"),
    ],
)
def test_the_unit_in_words(bound, enforced, text):
    assert describe_unit(bound, enforced) == text


def test_what_enforces_a_bound():
    assert enforces(["anna"]) and not enforces(None)
    for enforced in (False, True):
        assert enforces(TakingPart(np.ones(2, bool), enforced)) is enforced
