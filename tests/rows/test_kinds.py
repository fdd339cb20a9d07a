"""Rows of every kind that is not in memory: the same model and answers."""

import numpy as np
import pytest
from private_fits import CASES_OF_ROWS, fit_cases, fitted_state, make_data
from row_kinds import OUT_OF_MEMORY, Pieces
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tapes import assert_same

from skdpgmm import (
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)

N, D = 500, 40


def fitted_pair(name, kind, folder, **params):
    X, y = make_data(N, D)
    constructor, labelled = fit_cases(D)[name]
    rows, labels = OUT_OF_MEMORY[kind](folder, X, y)
    ids = np.arange(N) // 3
    pair = []
    for data, target in ((X, y), (rows, labels)):
        estimator = constructor(random_state=0, max_contributions=2, **params)
        given = {"y": target} if labelled else {}
        pair.append(estimator.fit(data, privacy_ids=ids, **given))
    return *pair, X, rows


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
@pytest.mark.parametrize("name", CASES_OF_ROWS)
def test_same_model_to_the_bit(name, kind, tmp_path):
    params = {"block_size": 64, "n_jobs": 2}
    expected, found, *_ = fitted_pair(name, kind, tmp_path, **params)
    assert_same(fitted_state(found), fitted_state(expected))


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
@pytest.mark.parametrize("name", CASES_OF_ROWS)
def test_same_answers(name, kind, tmp_path):
    expected, found, X, rows = fitted_pair(name, kind, tmp_path)
    for method in ("predict", "transform", "predict_proba", "score_samples"):
        if hasattr(found, method):
            answer = getattr(found, method)(rows)
            if not isinstance(answer, np.ndarray):
                for _ in range(2):  # it starts anew
                    blocks = list(answer)
                    assert len(blocks) > 1
                answer = np.concatenate(blocks)
            wanted = getattr(expected, method)(X)
            if wanted.dtype.kind == "f":
                np.testing.assert_allclose(answer, wanted, rtol=1e-9, atol=1e-12)
            else:
                np.testing.assert_array_equal(answer, wanted)
    if hasattr(found, "score") and "logistic" not in name:
        np.testing.assert_allclose(found.score(rows), expected.score(X), rtol=1e-9)


def test_lazy_rows_go_through_a_pipeline():
    X, y = make_data(N, D)
    kmeans = DPKMeans(3, random_state=0)
    expected = make_pipeline(kmeans, DPGaussianMixture(2, random_state=0)).fit(X)
    blocks = Pieces(X, 100, 200)
    found = make_pipeline(kmeans, DPGaussianMixture(2, random_state=0)).fit(blocks)
    np.testing.assert_array_equal(found[-1].means_, expected[-1].means_)
    scaled = make_pipeline(FunctionTransformer(), DPLogisticRegression(random_state=0))
    assert scaled.fit(X, y).score(X, y) > 0.5
