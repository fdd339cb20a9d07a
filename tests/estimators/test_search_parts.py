"""Which records are in which part: by themselves, whatever the others are."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from private_fits import make_data

from skdpgmm import DPLogisticRegression
from skdpgmm._estimators.search_candidates import candidates_of
from skdpgmm._estimators.search_parts import deal, open_parts

KEY = b"k" * 32
N = 400
X, Y = make_data(N, 3)


def dealt(X, ids=None, share=0.3, key=KEY):
    return deal(X, ids, share, key)


@pytest.mark.parametrize("named", [False, True])
def test_a_record_is_dealt_by_itself(named):
    ids = [f"person {i // 2}" for i in range(N)] if named else None
    whole = dealt(X, ids)
    assert whole.any() and not whole.all()
    for i in (0, 7, N - 1):
        others = np.arange(N) != i
        one = [i]
        without = dealt(X[others], ids and np.array(ids)[others])
        np.testing.assert_array_equal(without, whole[others])
        assert dealt(X[one], ids and [ids[i]]) == whole[i]
    order = np.random.default_rng(0).permutation(N)
    shuffled = dealt(X[order], ids and np.array(ids)[order])
    np.testing.assert_array_equal(shuffled, whole[order])


def test_persons_are_in_one_part_and_equal_records_too():
    ids = np.arange(N) // 5
    by_person = dealt(X, ids).reshape(-1, 5)
    assert (by_person.any(axis=1) == by_person.all(axis=1)).all()
    assert len(set(dealt(np.ones((50, 3))))) == 1


def test_the_same_records_in_any_container_are_dealt_alike():
    whole = dealt(X)
    frame = pd.DataFrame(X)
    for other in (
        X.astype(np.float32),
        np.asfortranarray(X),
        frame,
        frame.convert_dtypes(),
        pl.DataFrame(X),
        X.tolist(),
        X[:, None],
    ):
        np.testing.assert_array_equal(dealt(other), whole)
    np.testing.assert_array_equal(dealt(np.zeros((3, 2))), dealt(-np.zeros((3, 2))))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_that_scores_is_about_what_was_asked_for(share):
    rows = np.arange(20_000.0)[:, None]
    found = dealt(rows, share=share)
    sd = np.sqrt(share * (1.0 - share) / len(rows))
    assert abs(found.mean() - share) < 4.0 * sd
    assert dealt(rows, share=share, key=b"j" * 32).tolist() != found.tolist()


def test_texts_are_records_and_objects_are_not():
    texts = [f"text {i}" for i in range(50)]
    found = dealt(texts)
    assert found.any() and not found.all()
    assert dealt(texts[7:]).tolist() == found[7:].tolist()
    for other in (np.array([object(), object()]), np.array([1j, 2j])):
        with pytest.raises(TypeError, match="give privacy_ids"):
            dealt(other)


@pytest.mark.parametrize("ids, bound", [(None, None), (np.arange(N) // 4, 2)])
def test_both_parts_have_each_record_that_is_kept_once(ids, bound):
    model = DPLogisticRegression(max_contributions=bound)
    parts = open_parts(candidates_of(model, [{}]), X, Y, ids, 0.4, KEY)
    both = parts.to_fit.kept.astype(int) + parts.scores
    np.testing.assert_array_equal(both, parts.all.kept)
    assert parts.all.kept.sum() == (N if ids is None else N // 2)
    rows, labels = parts.scored()
    np.testing.assert_array_equal(rows, X[parts.scores])
    np.testing.assert_array_equal(labels, Y[parts.scores])
    assert parts.all.enforced is (ids is not None)


def test_a_part_without_records_scores_none():
    parts = open_parts(
        candidates_of(DPLogisticRegression(), [{}]), X, Y, None, 1e-12, KEY
    )
    assert parts.scored() is None


def test_rows_that_are_not_in_memory_are_refused():
    class Blocks:
        def __iter__(self):
            return iter([X])

    candidates = candidates_of(DPLogisticRegression(), [{}])
    with pytest.raises(TypeError, match=r"must be in memory.*Blocks"):
        open_parts(candidates, Blocks(), Y, None, 0.2, KEY)
    with pytest.raises(ValueError, match="requires y"):
        open_parts(candidates, X, None, None, 0.2, KEY)
