"""What `map_rows` gave, in memory: scores and entries, however rows came."""

import dask.array as da
import numpy as np
import pytest
from column_kinds import Blocks
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score

from skdpgmm._estimators.collected import MappedClassifierMixin, collected, picked
from skdpgmm._rows.sources import over_blocks

VALUES = np.arange(12.0).reshape(6, 2)
KINDS = {
    "array": lambda values: values,
    "blocks": lambda values: Blocks(values[:2], values[2:3], values[3:]),
    "dask": lambda values: da.from_array(values, chunks=(4, *values.shape[1:])),
}


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_all_kinds(kind):
    assert_array_equal(collected(KINDS[kind](VALUES[:, 0])), VALUES[:, 0])
    codes = np.array([0, 1, 1, 0, 0, 1])
    found = picked(KINDS[kind](VALUES), codes)
    assert_array_equal(found, VALUES[np.arange(6), codes])


@pytest.mark.parametrize("n_codes", [5, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_too_few_or_too_many_labels(kind, n_codes):
    with pytest.raises(ValueError, match=f"y must have 6 labels, .* got {n_codes}"):
        picked(KINDS[kind](VALUES), np.zeros(n_codes, dtype=int))


class Signs(MappedClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.fitted_ = True
        return self

    @over_blocks
    def predict(self, X):
        return (np.asarray(X)[:, 0] > 5.0).astype(int)


@pytest.mark.parametrize("kind", KINDS)
def test_accuracies_of_all_kinds(kind):
    y, weight = np.array([0, 1, 0, 1, 0, 1]), np.arange(6.0) ** 2
    signs = Signs().fit(VALUES, y)
    found = signs.score(KINDS[kind](VALUES), KINDS[kind](y), KINDS[kind](weight))
    expected = accuracy_score(y, signs.predict(VALUES), sample_weight=weight)
    assert found == expected != accuracy_score(y, signs.predict(VALUES))
