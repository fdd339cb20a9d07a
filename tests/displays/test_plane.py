"""The plane is that of the means, and ellipses are those of covariances."""

import numpy as np
import pytest

from skdpgmm.displays._plane import Plane, ellipse_of, main_plane

RNG = np.random.default_rng(0)


def test_two_features_are_shown_as_they_are():
    X = RNG.normal(size=(5, 2))
    plane = main_plane(np.ones(1), X[:1], [np.eye(2)])
    np.testing.assert_array_equal(plane.coordinates(X), X)


def test_means_of_a_plane_keep_their_distances():
    means = RNG.normal(size=(7, 2)) @ np.linalg.qr(RNG.normal(size=(9, 2)))[0].T + 5.0
    plane = main_plane(np.full(7, 1 / 7), means, [np.eye(9)] * 7)
    seen = plane.coordinates(means)
    for i in range(7):
        whole = np.linalg.norm(means - means[i], axis=1)
        np.testing.assert_allclose(np.linalg.norm(seen - seen[i], axis=1), whole)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)


@pytest.mark.parametrize("k", [1, 2])
def test_few_means_are_completed_by_the_variance_within(k):
    d = 4
    means = np.zeros((k, d))
    means[-1, 0] = float(k - 1)
    variances = np.array([9.0, 1.0, 4.0, 2.0])
    plane = main_plane(np.full(k, 1 / k), means, [np.diag(variances)] * k)
    found = np.abs(plane.axes).argmax(axis=1).tolist()
    assert found == [0, 2] and np.abs(plane.axes).max(axis=1) == pytest.approx([1, 1])


def test_the_ellipse_of_a_covariance():
    angle = np.radians(30.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag([9.0, 4.0]) @ turn.T
    width, height, degrees = ellipse_of(covariance, 2.0)
    assert (width, height) == pytest.approx((12.0, 8.0))
    assert degrees % 180.0 == pytest.approx(30.0)


def test_coordinates_are_of_the_axes():
    plane = Plane(np.ones(3), np.eye(3)[1:])
    np.testing.assert_array_equal(plane.coordinates(np.array([[9.0, 2, 3]])), [[1, 2]])
