"""A fit from its transcript: what fits, and what is refused."""

import numpy as np
import pytest
from private_fits import fitted_state, make_data
from sklearn.utils._param_validation import InvalidParameterError
from tapes import assert_same

from skdpgmm import DPKMeans
from skdpgmm._estimators.transcript import Told


@pytest.fixture(scope="module")
def fitted():
    return DPKMeans(2, epsilon=10.0).fit(make_data(300, 3)[0])


def test_no_record_is_needed(fitted):
    again = DPKMeans(2, epsilon=10.0)
    again._replay(fitted._transcript)
    assert_same(fitted_state(fitted), fitted_state(again))


def without_last(releases):
    return releases[:-1]


def one_more(releases):
    return (*releases, releases[-1])


def other_name(releases):
    return (Told("other", releases[0].numbers), *releases[1:])


def other_order(releases):
    return (*releases[:-2], releases[-1], releases[-2])


def other_shape(releases):
    return (Told(releases[0].name, (releases[0].numbers[0][:-1],)), *releases[1:])


def off_the_grid(releases):
    *first, last = releases
    sums = [numbers * (1.0 + 2.0**-30) for numbers in last.numbers]
    return (*first, Told(last.name, tuple(sums)))


@pytest.mark.parametrize(
    "change",
    [without_last, one_more, other_name, other_order, other_shape, off_the_grid],
)
def test_other_releases_are_refused(change, fitted):
    transcript = fitted._transcript
    changed = transcript._replace(releases=change(transcript.releases))
    with pytest.raises(ValueError):
        DPKMeans(2, epsilon=10.0)._replay(changed)


@pytest.mark.parametrize(
    "params, error",
    [
        ({"n_clusters": 3}, ValueError),
        ({"max_iter": 4}, ValueError),
        ({"n_clusters": -1}, InvalidParameterError),
        ({"epsilon": -1.0}, InvalidParameterError),
        ({"clip_norm": 3.0}, ValueError),
        ({"center": np.zeros(2)}, ValueError),
    ],
)
def test_other_parameters_are_refused(params, error, fitted):
    with pytest.raises(error):
        kmeans = DPKMeans(**{"n_clusters": 2, "epsilon": 10.0, **params})
        kmeans._replay(fitted._transcript)
