"""What is looked at, how closely, and whether it pays."""

import numpy as np
import pytest

from skdpgmm._algorithms import scale_plan


def test_bins_take_no_more_numbers_than_there_is_time_for():
    for d in (1, 2, 13, 64, 512):
        octaves = scale_plan.octaves_of_a_bin(d)
        assert octaves in (2, 4, 8, 16) and d * 256 // octaves <= 2**14
        n_bins = scale_plan.bins_of_a_look(1e9, d, 1.0)
        assert d * n_bins <= 2**12 or n_bins == scale_plan.FEWEST_BINS


def test_noise_takes_bins_away():
    bins = [scale_plan.bins_of_a_look(n, 4, 0.1) for n in (1e2, 3e2, 1e3, 1e4)]
    assert bins[0] is None and bins[1:] == sorted(bins[1:]) and bins[-1] == 128


@pytest.mark.parametrize("p, n", [(4, 1e4), (30, 1e5)])
def test_what_is_enough_shows_as_many_bins(p, n):
    n_bins = scale_plan.bins_of_a_look(n, p, 1.0)
    enough = scale_plan.budget_of_a_look(n, p, n_bins)
    assert enough < 1.0
    assert scale_plan.bins_of_a_look(n, p, enough) == n_bins
    assert scale_plan.is_seen(n, p, scale_plan.budget_of_magnitudes(n, p))


@pytest.mark.parametrize(
    "scale, center, errors, expected",
    [
        ([1.0, 4.0], [0.0, 1.0], 0, "one radius"),
        ([1.0, 100.0], [0.0, 1.0], 0, "each feature"),
        ([1.0, 2.0], [0.0, 1e4], 0, "one radius"),
        ([1e-3, *[1.0] * 19], [0.0] * 20, 0, "one radius"),
        ([1.0, 2.0], [0.0, 0.0], 1, "each feature"),
    ],
)
def test_when_it_pays(scale, center, errors, expected):
    scale, center = np.array(scale), np.array(center)
    assert scale_plan.pays(9.0, scale, center, errors, True).value == expected
    assert scale_plan.pays(9.0, scale, center, errors, False).value == "limits"
