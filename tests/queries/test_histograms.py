"""Counts: of what they say, and of one for each record."""

import numpy as np
import pytest
from extremes import MAX
from private_queries import (
    LENGTHS,
    axis,
    change,
    exact_sums,
    whole_ball,
)

from skdpgmm._queries.cells import NearestCell
from skdpgmm._queries.histograms import (
    AgreementCount,
    DistanceHistogram,
    FeatureHistogram,
    LinearCell,
    NormHistogram,
)


@pytest.mark.parametrize("length", [0.0, *LENGTHS, MAX])
def test_histograms_attain(length):
    edges = np.array([0.1, 1.0, 2.0])
    ball = whole_ball(3)
    cell = NearestCell(np.zeros((1, 3)), np.zeros(1, np.intp))
    for query in (
        NormHistogram(np.zeros(3), edges),
        DistanceHistogram(ball, cell, np.zeros((1, 3)), edges),
    ):
        assert change(query, axis(3, length)) == {"counts": 1.0}


def test_agreement_attains():
    rule = LinearCell(np.array([[8.0], [-8.0]]), np.zeros(2), np.array([0, 1]))
    query = AgreementCount(whole_ball(1), rule)
    assert change(query, axis(1, 0.5), np.array([0])) == {"count": 1.0}
    assert change(query, axis(1, 0.5), np.array([1])) == {"count": 0.0}
    assert change(query, np.array([[0.5], [-MAX]]), np.arange(2)) == {"count": 2.0}


def test_norm_histogram_puts_norms_where_they_belong():
    # Not privacy, but the bins must mean what they say, whatever overflows.
    edges = np.array([1e-5, 1.0, 1e100])
    rows = np.array(
        [[0, 0], [5e-324, 0], [0.6, 0.8], [0.7, 0.8], [1e99, 1e99], [1e200, 1e200]]
    )
    (counts,) = exact_sums(NormHistogram(np.zeros(2), edges), rows, np.zeros(6))
    assert counts.tolist() == [2, 1, 2, 1]
    far = np.array([[MAX, -MAX], [0.0, 1e300]])
    (counts,) = exact_sums(NormHistogram(np.zeros(2), edges), far, np.zeros(2))
    assert counts.tolist() == [0, 0, 0, 2]


@pytest.mark.parametrize("p", [1, 3, 7, 100])
def test_histograms_of_features_attain(p):
    query = FeatureHistogram(np.arange(p), np.tile([-1.0, 0.0, 1.0], (p, 1)))
    (ratio,) = change(query, np.full((1, p), 0.5)).values()
    # The square root of p is rounded up in integers.
    assert 0.97 < ratio <= 1.0


def test_histograms_of_features_put_values_where_they_belong():
    cuts = np.array([[-1.0, 0.0, 1.0], [1e-5, 2.0, 1e200]])
    rows = np.array([[-5.0, 9.0, 0.0], [0.5, 9.0, -3.0], [MAX, 9.0, -MAX]])
    for folded, second in ((False, [3, 0, 0, 0]), (True, [1, 0, 1, 1])):
        query = FeatureHistogram(np.array([0, 2]), cuts, folded)
        (counts,) = exact_sums(query, rows, np.zeros(3))
        found = (counts / query.weight).reshape(2, 4).tolist()
        assert found == [[0, 0, 1, 2] if folded else [1, 0, 1, 1], second]
