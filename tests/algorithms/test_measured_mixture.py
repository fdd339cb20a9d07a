"""Clusters and the moments about them, without noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.measured_mixture import (
    Centers,
    measure_clusters,
    measure_mixture,
    residual_radius,
)
from skdpgmm._models.covariances import COVARIANCES

FREE = Budget(np.inf)
MEANS = np.array([[5.0, 0.0, 0.0], [-5.0, 0.0, 0.0]])


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], [600, 300])
    scales = np.array([[1.0, 0.5, 0.2], [0.3, 1.0, 2.0]])
    return MEANS[codes] + scales[codes] * rng.standard_normal((900, 3)), codes


@pytest.mark.parametrize("q", [0.5, 0.9, 1.0])
def test_the_radius_holds_the_share_of_the_residuals(rows, q):
    X, codes = rows
    view, _ = view_of(X, codes)
    centers = Centers(MEANS, np.arange(2), np.array([600.0, 300.0]))
    radius = residual_radius(view, centers, q, FREE)
    lengths = np.linalg.norm(X - MEANS[codes], axis=1)
    # Its bins are an eighth of an octave.
    assert np.mean(lengths <= radius) >= q
    assert q == 1.0 or np.mean(lengths <= radius * 2.0**-0.125) < q


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_covariances_are_those_of_the_classes(rows, name):
    X, codes = rows
    view, ledger = view_of(X, codes)
    covariance = COVARIANCES[name]
    found = measure_clusters(view, 1, 2, covariance, FREE)
    expected = [np.cov(X[codes == c], rowvar=False, bias=True) for c in (0, 1)]
    assert_allclose(found.weights, [2 / 3, 1 / 3])
    assert_allclose(found.means, [X[codes == c].mean(axis=0) for c in (0, 1)], atol=0.1)
    assert_allclose(
        found.covariances, covariance.of_full(np.stack(expected)), rtol=0.1, atol=0.05
    )
    assert names_of(ledger) == ["lloyd pass 0", "residual norms", "residuals"]


def test_one_matrix_for_all_is_matched_to_what_labels_say(rows):
    view, ledger = view_of(*rows)
    measure_clusters(view, 1, 2, COVARIANCES["tied"], FREE)
    assert names_of(ledger)[-1] == "agreement"


def test_residuals_beyond_the_radius_are_clipped_to_it(rows):
    X, codes = rows
    view, _ = view_of(X, codes)
    centers = Centers(MEANS, np.arange(2), np.array([600.0, 300.0]))
    found = measure_mixture(view, centers, 0.1, COVARIANCES["full"], FREE)
    traces = np.trace(found.covariances, axis1=1, axis2=2)
    assert np.all(traces <= 0.1**2 * 1.001)
