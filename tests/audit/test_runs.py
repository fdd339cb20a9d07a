"""Fits of an audit: of which data, and with whose randomness."""

import numpy as np
import pytest
from private_fits import make_data

from skdpgmm import DPPCA, DPSyntheticClassifier
from skdpgmm._audit.neighbours import Dataset, Unit
from skdpgmm._audit.runs import (
    Pair,
    Seeds,
    attributes,
    fitted,
    paths,
)

X, Y = make_data(40, 3, seed=1)
DATA = Dataset(X, None, None)


def pair():
    return Pair(DATA, DATA.with_unit(Unit(1e3 * np.ones(3), None), None), None)


@pytest.mark.parametrize("fixed", [True, False])
def test_noise_follows_from_seeds_only_if_it_should(fixed):
    def components():
        seeds = Seeds(np.random.default_rng(0), fixed)
        return fitted(DPPCA(2), DATA, seeds.next()).components_

    assert np.array_equal(components(), components()) == fixed


def test_every_random_state_is_set_and_the_estimator_is_left_alone():
    wrapper = DPSyntheticClassifier(n_samples=30)
    wrapper.set_params(synthesizer=DPPCA(2))
    with pytest.raises(Exception, match="sample"):
        fitted(wrapper, DATA._replace(y=Y), 3)
    assert wrapper.random_state is None
    assert wrapper.synthesizer.random_state is None


def test_every_other_run_has_the_unit():
    found = paths(DPPCA(2, epsilon=1e4), pair(), Seeds(np.random.default_rng(0), True),
                  6, None, 0)  # fmt: skip
    assert [path.score > 0.0 for path in found] == [False, True] * 3


def test_attributes_differ_from_run_to_run():
    seeds = Seeds(np.random.default_rng(0), True)
    a, b = attributes(DPPCA(2), pair(), seeds, 2, None, 0)
    assert a.keys() == b.keys()
    assert not np.array_equal(a["components_"], b["components_"])
