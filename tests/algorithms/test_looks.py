"""Single releases: what they are without noise, and what is doubted with it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.doubts import collected_doubts
from skdpgmm._algorithms.looks import (
    count_records,
    on_unit_sphere,
    positive_count,
    release_class_counts,
    release_second_moment,
)
from skdpgmm.privacy.records import Release

X = np.random.default_rng(0).standard_normal((500, 4))
FREE = Budget(np.inf)


def test_counts_are_those_of_the_records():
    codes = np.repeat([0, 1, 2], [100, 250, 150])
    view, ledger = view_of(X, codes)
    assert count_records(view, FREE) == 500.0
    assert_allclose(release_class_counts(view, 3, FREE), [100, 250, 150])
    assert names_of(ledger) == ["number of records", "classes"]


def test_the_second_moment_is_about_the_centre_of_the_ball():
    center = np.array([1.0, 0.0, -1.0, 0.0])
    view, _ = view_of(X, center=center)
    Z = X - center
    found = release_second_moment(view, FREE)
    assert_allclose(found.value, Z.T @ Z / len(X), atol=1e-2)
    assert found.sd == 0.0


@pytest.mark.parametrize("scale, expected", [(1.0, True), (1.01, False), (0.99, False)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whether_records_have_norm_one(scale, expected, dtype):
    rows = scale * X / np.linalg.norm(X, axis=1, keepdims=True)
    view, _ = view_of(rows.astype(dtype))
    assert on_unit_sphere(view, FREE) is expected
    assert view.decisions[-1].what == "normalize"


def test_a_few_rows_of_another_norm_are_enough():
    rows = X / np.linalg.norm(X, axis=1, keepdims=True)
    rows[::8] *= 2.0
    assert on_unit_sphere(view_of(rows)[0], FREE) is False


@pytest.mark.parametrize(
    "value, sd, count, n_doubts",
    [(50.0, 1.0, 50.0, 0), (2.9, 1.0, 2.9, 1), (-4.0, 1.0, 1.0, 1), (0.0, 0.0, 1, 0)],
)
def test_a_number_of_records_is_positive_or_doubted(value, sd, count, n_doubts):
    with collected_doubts() as doubts:
        assert positive_count(Release(np.array([value]), sd)) == count
    assert len(doubts) == n_doubts
