"""What differs is found to the bit, and measured."""

import math

import numpy as np
import pytest

from skdpgmm._estimators.differences import differences


def test_what_is_the_same_to_the_bit_does_not_differ():
    made = {"a": np.array([1.0, np.nan]), "b": 3, "c": None, "d": np.array(["x"])}
    assert differences(made, {**made, "a": made["a"].copy()}) == []
    narrow = np.float32([0.1])
    assert differences({"a": narrow}, {"a": narrow.astype(np.float64)}) == []


def test_a_last_bit_is_measured():
    (found,) = differences({"a": np.array([4.0, 1.0])}, {"a": np.array([4.0, 1.5])})
    assert (
        found.size == 0.125 and found.text == "a differs by 0.12 of its largest entry"
    )
    (found,) = differences({"a": 1.0}, {"a": np.nextafter(1.0, 2.0)})
    assert found.size == np.finfo(float).eps


@pytest.mark.parametrize(
    "other, text",
    [
        ({}, "a is not in the file"),
        ({"a": np.zeros(3), "b": 1}, "b is in the file only"),
        ({"a": np.zeros(2)}, "another shape"),
        ({"a": np.zeros(3, dtype=int)}, "another shape"),
        ({"a": np.array([0.0, np.nan, 0.0])}, "differs by inf"),
    ],
)
def test_what_cannot_be_compared_is_infinitely_far(other, text):
    (found,) = differences({"a": np.zeros(3)}, other)
    assert found.size == math.inf and text in found.text
    (found,) = differences({"a": True}, {"a": False})
    assert found.size == math.inf and found.text == "a has other entries"
