"""The first look at rows: what is learnt of them, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skdpgmm._rows.digest import digest
from skdpgmm._rows.opened import (
    Asked,
    check_two_dimensions,
    look_at,
    names_of,
    refuse_iterator,
)

X = np.random.default_rng(0).standard_normal((10, 3))


def asked(**given):
    nothing = dict.fromkeys(("y", "classes", "privacy_ids", "max_contributions"))
    return Asked(**{**nothing, "block_size": 4, "n_jobs": 1, "who": "It", **given})


@pytest.mark.parametrize("cuts", [[], [4], [1, 9]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f8"])
def test_a_look_does_not_depend_on_the_blocks(cuts, dtype):
    rows = X.astype(dtype)
    look = look_at(np.split(rows, cuts))
    assert look.shape == (10, 3)
    assert look.dtype == np.dtype(dtype).newbyteorder("=")
    assert look.digest == digest(rows.astype(look.dtype), 0)
    assert look.frame is None and names_of(None) is None


def test_names_are_those_of_the_columns():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    look = look_at([frame[:4], frame[4:]])
    assert_array_equal(names_of(look.frame), ["a", "b", "c"])


@pytest.mark.parametrize(
    "blocks, message",
    [
        ([], "at least one row, got no blocks"),
        ([X, X[:, :2]], "3 features throughout; the block .* row 10 has 2"),
        ([X, X.astype(np.float32)], "row 10 is of float32, those before it"),
        ([pd.DataFrame(X), pd.DataFrame(X, columns=[2, 1, 0])], "the same columns"),
        ([X, pd.DataFrame(X)], "the same columns"),
    ],
)
def test_blocks_that_differ_are_refused(blocks, message):
    with pytest.raises(ValueError, match=message):
        look_at(blocks)


def test_labels_become_small_integers():
    assert asked().codes(3) == (None, None)
    classes, codes = asked(y=["b", "a", "b"], classes=["a", "b", "c"]).codes(3)
    assert classes.tolist() == ["a", "b", "c"] and codes.tolist() == [1, 0, 1]
    assert codes.dtype == np.uint8
    with pytest.raises(ValueError, match="y must have 4 labels"):
        asked(y=[1, 2]).codes(4)


def test_records_that_take_part_are_those_of_the_bound():
    assert asked().kept(3) is None
    kept = asked(privacy_ids=[7, 7, 8, 7], max_contributions=2).kept(4)
    assert kept.tolist() == [True, True, True, False]


@pytest.mark.parametrize("size, rows", [(1, 64), (64, 64), (1000, 1000)])
def test_blocks_are_not_too_short(size, rows):
    assert asked(block_size=size).n_block == rows


def test_what_cannot_be_read_twice_or_is_no_table_is_refused():
    with pytest.raises(TypeError, match="read only once"):
        refuse_iterator(iter(X))
    refuse_iterator([X])
    check_two_dimensions(X)
    with pytest.raises(ValueError, match="2D array, got 1D"):
        check_two_dimensions(X[0])
