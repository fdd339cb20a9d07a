"""What a `random_state` leads to, and where warnings point."""

import warnings

import numpy as np
import pytest

from skdpgmm._estimators.randomness import (
    entropy_of,
    is_seed,
    sampling_generator,
    warn,
    warn_of_seed,
)
from skdpgmm.exceptions import SeededNoiseWarning


def test_entropy_is_that_of_the_state_and_all_of_128_bits():
    assert entropy_of(None) is None
    assert entropy_of(7) == entropy_of(np.int64(7)) == 7
    first, again, other = (entropy_of(np.random.RandomState(s)) for s in (0, 0, 1))
    assert first == again != other
    found = [entropy_of(np.random.RandomState(s)) for s in range(40)]
    assert max(one.bit_length() for one in found) > 124
    state = np.random.RandomState(0)
    assert entropy_of(state) != entropy_of(state)


def test_only_an_int_is_a_seed():
    assert is_seed(0) and is_seed(np.int32(5))
    assert not is_seed(None) and not is_seed(np.random.RandomState(0))
    with pytest.warns(SeededNoiseWarning, match="random_state=3 is an int"):
        warn_of_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_seed(None)
        warn_of_seed(np.random.RandomState(0))


def test_samples_follow_from_the_state():
    first, again, other, fresh, new = (
        sampling_generator(state).standard_normal(3).tolist()
        for state in (1, 1, 2, None, None)
    )
    assert first == again
    assert len({tuple(one) for one in (first, other, fresh, new)}) == 4


def test_warnings_point_to_the_line_outside_of_the_package():
    with pytest.warns(UserWarning, match="look here") as caught:
        warn("look here", UserWarning)
    assert caught[0].filename == __file__
