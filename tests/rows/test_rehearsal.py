"""Rows that are not there: sums that as many records could have."""

import math

import numpy as np
import pytest
from private_queries import QUERIES

from skdpgmm._algorithms.looks import class_counts, one_cell
from skdpgmm._queries.histograms import NormHistogram
from skdpgmm._rows.blocks import WORD_BITS
from skdpgmm._rows.rehearsal import Rehearsal
from skdpgmm.privacy.bounded_sum import parts
from skdpgmm.privacy.grid import Ball


def sums_of(query, n, **kwargs):
    """Sums in units of the data; the numbers of records and the digest are checked."""
    *sums, count, digest = Rehearsal(n, **kwargs).sum(query)
    assert (number(count), number(digest)) == (n, 0)
    return [number(words) for words in sums]


def number(words):
    return words[0].astype(float) * 2.0**WORD_BITS + words[1]


@pytest.mark.parametrize("n", [1, 1000, 2**31])
@pytest.mark.parametrize("name", QUERIES)
def test_sums_have_the_shapes_and_bounds_of_records(name, n):
    query = QUERIES[name](np.random.default_rng(0), 5, 2)
    for part, total in zip(parts(query), sums_of(query, n), strict=True):
        assert total.shape == part.shape
        assert np.linalg.norm(np.ravel(total)) <= n * part.l2_sensitivity + 1.0


def test_classes_are_of_one_size():
    (counts,) = sums_of(class_counts(Ball(np.zeros(2), 1.0), 4), 1000)
    assert counts.tolist() == [250.0] * 4


def test_records_have_no_mean_and_lie_halfway_to_the_edge():
    query = one_cell(Ball(np.zeros(3), 8.0), "count", "sum", "energy", "tied")
    found = sums_of(query, 1000)
    count, mean, energy, scatter = (
        total * part.scale for total, part in zip(found, parts(query), strict=True)
    )
    assert count == 1000.0 and not mean.any()
    np.testing.assert_allclose(energy, 1000.0 * (8.0 / 2.0) ** 2)
    assert np.count_nonzero(scatter - np.diag(np.diag(scatter))) == 0
    np.testing.assert_allclose(np.trace(scatter), 1000.0 * (8.0 / 2.0) ** 2)


@pytest.mark.parametrize("norm, bin_of_all", [(0.5, 0), (1.0, 0), (3.0, 1), (99.0, 2)])
def test_records_are_as_far_from_any_centre_as_is_said(norm, bin_of_all):
    query = NormHistogram(np.array([7.0, 7.0]), np.array([1.0, 10.0]))
    (counts,) = sums_of(query, 50, norm=norm)
    assert counts.tolist() == [50.0 * (i == bin_of_all) for i in range(3)]


def test_nothing_is_held():
    with Rehearsal(3).holding(Ball(np.zeros(2), math.inf)) as held:
        assert held is None
