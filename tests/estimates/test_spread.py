"""Windows of histograms, and what features they tell of."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skdpgmm._estimates.spread import (
    Features,
    look_closer,
    of_magnitudes,
    shortest_windows,
    units_of,
)

CUTS = 4.0 ** np.arange(-8, 9)


def magnitudes(X, sd=0.0, seed=0):
    counts = np.stack(
        [
            np.bincount(np.searchsorted(CUTS, column), minlength=len(CUTS) + 1)
            for column in np.abs(X.T)
        ]
    )
    noise = np.random.default_rng(seed).normal(size=counts.shape)
    return of_magnitudes(counts + sd * noise, sd, len(X), CUTS)


def looked(features, X, n_bins=64, looks=1, sd=0.0):
    rng = np.random.default_rng(1)
    for _ in range(looks):
        (some,) = np.nonzero(features.open)
        if not len(some):
            break
        steps = np.linspace(-1.0, 1.0, n_bins + 1)
        cuts = features.center[some, None] + features.half[some, None] * steps
        counts = np.stack(
            [
                np.bincount(np.searchsorted(c, X[:, j]), minlength=n_bins + 2)
                for c, j in zip(cuts, some, strict=True)
            ]
        )
        counts = counts + sd * rng.standard_normal(counts.shape)
        look_closer(features, some, counts, sd, len(X), cuts)
    return units_of(features, len(X))


def test_windows_are_the_shortest():
    counts = np.array([[0.0, 30, 50, 20, 0], [80, 0, 0, 0, 20], [20, 20, 20, 20, 20]])
    windows = shortest_windows(counts, 0.0, np.full(3, 80.0))
    assert windows.found.all()
    assert_array_equal(windows.stop - windows.start, [2, 1, 4])
    assert_array_equal(windows.start[:2], [1, 0])


def test_noise_is_no_window():
    noise = np.random.default_rng(0).normal(scale=10.0, size=(200, 64))
    assert shortest_windows(noise, 10.0, np.full(200, 20.0)).found.mean() < 0.02


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_gaussian(scale):
    X = scale * np.random.default_rng(0).standard_normal((2000, 3))
    units = looked(magnitudes(X), X)
    assert (np.abs(units.center) < scale / 2).all()
    assert ((0.7 * scale < units.scale) & (units.scale < 1.4 * scale)).all()
    assert (units.high - units.low >= 20.0).all()


def test_offset_is_found_in_a_few_looks():
    X = np.random.default_rng(0).standard_normal((2000, 1)) * 0.01 + 9000.0
    units = looked(magnitudes(X), X, looks=5)
    assert abs(units.center[0] - 9000.0) < 0.02
    assert 0.005 < units.scale[0] < 0.02


@pytest.mark.parametrize("far", [-9999.0, 60_000.0])
def test_errors_move_nothing(far):
    X = np.random.default_rng(0).standard_normal((2000, 1)) * 0.5 + 1.0
    X[:40] = far
    features = magnitudes(X)
    units = looked(features, X)
    assert abs(units.center[0] - 1.0) < 0.5 and units.scale[0] < 1.0
    low, high = units.limits
    assert low[0] < -2.0 and high[0] > 4.0
    assert features.largest[0] > max(-low[0], high[0])


def test_what_is_seen_far_off_is_kept():
    # A small cluster is no error.
    X = np.random.default_rng(0).standard_normal((2000, 1)) * 0.5
    X[:60] += 100.0
    _, high = looked(magnitudes(X), X).limits
    assert high[0] > 98.0


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_two_values(share):
    X = (np.random.default_rng(0).random((2000, 1)) < share).astype(float)
    units = looked(magnitudes(X), X, looks=5)
    assert 0.05 < units.scale[0] < 5.0
    low, high = units.limits
    assert low[0] <= 0.0 and high[0] >= 1.0


@pytest.mark.parametrize("value", [0.0, 5.0, -3000.0])
def test_constants_have_a_scale(value):
    X = np.full((300, 2), value)
    X[:, 1] = np.random.default_rng(0).standard_normal(300)
    units = looked(magnitudes(X), X, looks=5)
    assert np.isfinite(units).all() and (units.scale > 0.0).all()
    low, high = units.limits
    assert low[0] <= value <= high[0]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25])
def test_nearly_constant_features_have_no_tiny_scale(share):
    rng = np.random.default_rng(0)
    X = 3.0 * rng.standard_normal((2000, 5)) + 30.0
    # The others drown in the noise of a bin.
    X[:, 0] = 30.0
    others = X[: int(share * len(X)), 0]
    others += rng.integers(1, 17, len(others))
    units = looked(magnitudes(X, sd=8.0), X, looks=8, sd=30.0)
    assert units.scale[0] > 1.0
    assert units.limits[1][0] >= 46.0


def test_what_is_hidden_is_looked_for_among_the_others():
    X = np.random.default_rng(0).standard_normal((400, 20))
    spread = magnitudes(X, sd=80.0).spread
    assert np.mean((spread > 0.1) & (spread < 10.0)) > 0.8
    # Without noise all are found.
    assert (np.abs(np.log2(magnitudes(X).spread)) <= 1.0).all()


def test_between_bounds():
    X = np.random.default_rng(0).standard_normal((2000, 1)) + 3.0
    units = looked(Features.between(np.full(1, -50.0), np.full(1, 50.0)), X, looks=3)
    assert abs(units.center[0] - 3.0) < 0.5 and 0.5 < units.scale[0] < 1.5
