"""Units of features: there and back."""

import numpy as np
from numpy.testing import assert_allclose

from skdpgmm._estimates.units import Units

LOW, HIGH = np.array([-1.0, 1e6]), np.array([3.0, 1e6 + 1e-3])


def test_between_bounds_all_is_between_minus_one_and_one():
    units = Units.between(LOW, HIGH)
    ends = units.of_rows(np.stack([LOW, HIGH]))
    assert_allclose(ends, [[-1.0, -1.0], [1.0, 1.0]], rtol=1e-6)
    assert_allclose(units.limits, (LOW, HIGH), rtol=1e-15)


def test_back():
    units = Units.between(LOW, HIGH)
    Z = np.random.default_rng(0).standard_normal((5, 2))
    assert_allclose(units.of_rows(units.rows(Z)), Z, atol=1e-6)


def test_clipping_leaves_the_units_of_the_data():
    far = Units.between(LOW, HIGH)._replace(reach=np.full(2, 5.0))
    units = far.clipped_only()
    assert_allclose(units.middle, [1.0, 1e6 + 5e-4])
    assert_allclose(units.reach, [10.0, 2.5e-3], rtol=1e-6)
    Z = np.random.default_rng(0).standard_normal((5, 2))
    np.testing.assert_array_equal(units.rows(units.of_rows(Z)), Z)
    assert_allclose(units.limits, (LOW, HIGH), rtol=1e-15)


def test_second_moment_is_that_of_rows_in_units():
    X = np.random.default_rng(0).standard_normal((50, 2)) * [1.0, 100.0]
    scale = np.array([1.0, 100.0])
    units = Units.between(-scale, scale)
    Z = units.of_rows(X)
    expected = Z.T @ Z / np.sum(Z**2)
    assert_allclose(units.of_moment(X.T @ X / len(X)), expected, rtol=1e-12)
