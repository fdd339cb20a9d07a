"""Cells of a codebook, and the mixture that they are reduced to, without noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.codebook import Codebook
from skdpgmm._algorithms.over_fit import measure_cells, start_from_many
from skdpgmm._models.covariances import COVARIANCES

FREE = Budget(np.inf)
MEANS = np.array([[8.0, 0.0], [-8.0, 0.0], [0.0, 9.0]])


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return np.repeat(MEANS, 300, axis=0) + rng.standard_normal((900, 2))


def codebook_of(centers, trace=4.0):
    m = len(centers)
    return Codebook(centers, np.ones(m), np.full(m, trace), np.zeros(m, dtype=np.intp))


def test_cells_have_the_moments_of_their_records(rows):
    cells = measure_cells(view_of(rows)[0], codebook_of(MEANS + 0.1), FREE)
    assert_allclose(cells.counts, [300.0] * 3)
    for i, own in enumerate(np.split(rows, 3)):
        assert_allclose(cells.means[i], own.mean(axis=0), atol=0.05)
        expected = np.cov(own, rowvar=False, bias=True)
        assert_allclose(cells.covariances[i], expected, atol=0.15)


def test_cells_without_records_are_left_out(rows):
    centers = np.vstack([MEANS, [[50.0, 50.0]]])
    cells = measure_cells(view_of(rows)[0], codebook_of(centers), FREE)
    assert len(cells.counts) == len(cells.means) == 3


@pytest.mark.parametrize("seed", range(3))
def test_cells_of_noise_alone_can_be_used(seed):
    rng = np.random.default_rng(seed)
    view, _ = view_of(rng.standard_normal((5, 2)), mu=0.1)
    cells = measure_cells(view, codebook_of(rng.standard_normal((6, 2))), Budget(0.1))
    assert len(cells.counts) and np.all(cells.counts > 0.0)
    assert np.all(np.linalg.eigvalsh(cells.covariances) > 0.0)


@pytest.mark.parametrize("name", COVARIANCES)
def test_what_is_left_are_the_components_that_were_asked_for(rows, name):
    view, ledger = view_of(rows)
    covariance = COVARIANCES[name]
    found = start_from_many(view, 3, covariance, FREE)
    assert found.covariances.shape == covariance.shape(3, 2)
    assert_allclose(found.weights, 1 / 3, atol=0.05)
    order = np.argsort(found.means[:, 0])
    assert_allclose(found.means[order], MEANS[[1, 2, 0]], atol=0.4)
    names = names_of(ledger)
    assert names[-3:] == ["cells", "over-fit pass 0", "over-fit pass 1"]
