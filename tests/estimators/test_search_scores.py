"""Scores of candidates, from counts of right predictions."""

import numpy as np
import pytest

from skdpgmm._algorithms.doubts import collected_doubts
from skdpgmm._estimators.search_scores import SCORINGS, Scores
from skdpgmm._estimators.session import Account

N = 300
RNG = np.random.default_rng(0)
CODES = np.repeat([0, 1, 2], [200, 90, 10])
KEPT = RNG.random(N) < 0.5
RIGHT = {0: RNG.random(KEPT.sum()) < 0.9, 2: RNG.random(KEPT.sum()) < 0.6}


def scored(scoring, epsilon, kept=KEPT):
    scores = Scores(CODES, 3, kept, scoring)
    for number, right in RIGHT.items():
        account = Account(epsilon, 1e-5, "add-remove", None, number)
        scores.release(number, right[: kept.sum()], account)
        assert len(account.ledger.entries) == 1
    return scores


@pytest.mark.parametrize("scoring", SCORINGS)
def test_without_noise_scores_are_exact(scoring):
    table = scored(scoring, np.inf).table(4)
    for number, right in RIGHT.items():
        groups = [right]
        if scoring == "balanced_accuracy":
            groups = [right[CODES[KEPT] == code] for code in range(3)]
        expected = np.mean([group.mean() for group in groups])
        assert table["mean_test_score"][number] == pytest.approx(expected)
        assert table["low_test_score"][number] <= expected
        assert table["high_test_score"][number] >= expected
        assert table["noise_sd_test_score"][number] == 0.0


def test_candidates_that_were_not_run_have_no_score():
    table = scored("accuracy", 1.0).table(4)
    for name in ("mean", "noise_sd", "low", "high"):
        assert np.isnan(table[f"{name}_test_score"]).tolist() == [
            False,
            True,
            False,
            True,
        ]
    assert table["rank_test_score"].tolist() == [1, 3, 2, 3]


def test_known_sizes_make_scores_of_less_noise():
    """The counts of all candidates say how many records there are."""
    table = scored("accuracy", 1.0).table(4)
    sizes, sd = scored("accuracy", 1.0).sizes()
    of_one = Account(1.0, 1e-5, "add-remove", None, None).mu ** -1
    assert sd == pytest.approx(of_one)  # of two sums, of two counts each
    assert abs(sizes[0] - KEPT.sum()) < 5.0 * sd
    noise = table["noise_sd_test_score"][0]
    # private_accuracy has hypot(a, 1 - a) / n, of counts of the same noise.
    assert noise < of_one * np.hypot(0.9, 0.1) / KEPT.sum()


def test_no_records_are_no_error_but_a_doubt():
    with collected_doubts() as doubts:
        scores = scored("accuracy", 0.1, np.zeros(N, bool))
        scores.doubt_sizes()
        table = scores.table(3)
    assert "cannot be told" in doubts[0] and "test_size" in doubts[0]
    assert table["high_test_score"][0] - table["low_test_score"][0] > 0.9
    with collected_doubts() as doubts:
        scored("balanced_accuracy", 1.0).doubt_sizes()
    assert "of 3 classes" in doubts[0]
    with collected_doubts() as doubts:
        scored("accuracy", 8.0).doubt_sizes()
    assert not doubts
