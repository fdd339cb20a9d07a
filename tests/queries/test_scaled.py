"""Records in units: clipped feature by feature, whatever they are."""

import numpy as np
import pytest
from extremes import MAX
from private_queries import exact_sums, random_scaled_ball

from skdpgmm._estimates.units import Units
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._queries.scaled import in_units, scaled_ball
from skdpgmm.privacy.grid import HOST, Ball

UNITS = Units(
    np.array([1e6, 0.0]),
    np.array([1.0, 1e-6]),
    *(-np.ones(2), np.ones(2)),
    *(np.zeros(2), np.full(2, np.inf)),
)


def test_features_are_moved_scaled_and_clipped():
    rows = np.array([[1e6 + 0.5, 2e-7], [MAX, -MAX], [-MAX, 5e-324], [0.0, 0.0]])
    found = in_units(rows.copy(), UNITS, HOST)
    expected = [[0.5, 0.2], [1.0, -1.0], [-1.0, 0.0], [-1.0, 0.0]]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(in_units(rows.copy(), None, HOST), rows)


@pytest.mark.parametrize("seed", range(5))
def test_grid_points_are_those_of_rows_in_units(seed):
    rng = np.random.default_rng(seed)
    ball = random_scaled_ball(rng, 4)
    X = ball.units.rows(3.0 * rng.standard_normal((50, 4)))
    Z = in_units(X.copy(), ball.units, HOST)
    plain = Ball(ball.center, ball.radius)
    np.testing.assert_array_equal(ball.to_grid(X.copy()), plain.to_grid(Z))
    # ... and so they are through what is made of a ball.
    np.testing.assert_array_equal(
        ball.within(0.5).to_grid(X.copy()), plain.within(0.5).to_grid(Z)
    )


def test_errors_are_scattered_about_the_middle():
    units = UNITS._replace(
        low=np.full(2, -3.0),
        high=np.full(2, 3.0),
        middle=np.array([0.5, 0.0]),
        reach=np.array([512.0, np.inf]),
    )
    rng = np.random.default_rng(0)
    far = 1e6 + rng.choice([-1.0, 1.0], 4000) * 10.0 ** rng.uniform(3, 12, 4000)
    found = in_units(np.stack([far, far], axis=1), units, HOST)
    # Those of a public reach are clipped.
    assert set(np.abs(found[:, 1])) == {3.0}
    bins, _ = np.histogram(found[:, 0], 8, (-0.5, 1.5))
    assert bins.sum() == 4000 and bins.min() > 300
    # What is near stays where it is, and what is beyond all numbers comes back.
    rows = np.array([[1e6 + 2.0, 0.0], [MAX, 0.0], [-MAX, 0.0], [1e6 + 512.5, 0.0]])
    assert np.abs(in_units(rows, units, HOST)[:, 0]).tolist() == [2.0, 1.5, 1.5, 3.0]


def test_no_units_are_a_plain_ball():
    assert type(scaled_ball(np.zeros(2), 1.0, None)) is Ball


def test_one_far_feature_leaves_the_others():
    ball = scaled_ball(np.zeros(2), 2.0, UNITS)
    cell = NearestCell(np.zeros((1, 2)), np.zeros(1, np.intp))
    query = CellMoments(ball, cell, np.zeros((1, 2)), np.array([2.0]), ("sum",))
    (total,) = exact_sums(query, np.array([[1e300, 5e-7]]), np.zeros(1))
    np.testing.assert_allclose(
        total[0].astype(float) * query.unit("sum")[0], [1.0, 0.5], atol=1e-3
    )
