"""Noisy counts of right predictions."""

import numpy as np
import pytest

from skdpgmm._estimators.private_counts import release_counts, right_answers
from skdpgmm._estimators.session import Account


def account(epsilon):
    return Account(epsilon, 1e-5, "add-remove", None, None)


@pytest.mark.parametrize("kept", [None, np.arange(100) % 2 == 0, np.zeros(100, bool)])
def test_counts_are_those_of_the_records_that_are_kept(kept):
    codes = np.arange(100) % 4
    found = release_counts(codes, 4, kept, account(np.inf))
    those = codes if kept is None else codes[kept]
    np.testing.assert_array_equal(found.value, np.bincount(those, minlength=4))


def test_all_of_the_account_is_spent_on_one_release():
    one = account(1.0)
    found = release_counts(np.zeros(10, int), 3, None, one)
    assert found.value.shape == (3,)
    assert found.sd == pytest.approx(1.0 / one.mu)
    assert [entry.mu for entry in one.ledger.entries] == [one.mu]


@pytest.mark.parametrize(
    "y_true, y_pred, right",
    [
        ([1, 2, 3], [1, 3, 3], [True, False, True]),
        (["a", "b"], ["a", "c"], [True, False]),
        ([2**53, 2**53 + 1], [2.0**53, 2.0**53], [True, False]),
        ([True, False], [1, 1], [True, False]),
    ],
)
def test_right_answers_whatever_the_types(y_true, y_pred, right):
    found = right_answers(np.array(y_true), np.array(y_pred))
    assert found.dtype == bool
    np.testing.assert_array_equal(found, right)
