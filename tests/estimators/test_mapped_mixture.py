"""scikit-learn's mixture: the same answers, in blocks and far from the origin too."""

import dask.array as da
import numpy as np
import pytest
from column_kinds import Blocks
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.mixture import GaussianMixture

from skdpgmm._estimators.mapped_mixture import MappedGaussianMixture
from skdpgmm._models.covariances import COVARIANCES

X = np.random.default_rng(0).standard_normal((200, 3))
X[::2] += 3.0


def pair(kind, offset=0.0):
    theirs = GaussianMixture(2, covariance_type=kind, random_state=0).fit(X)
    ours = MappedGaussianMixture(2, covariance_type=kind)
    vars(ours).update(vars(theirs))
    ours.means_ = theirs.means_ + offset
    return theirs, ours


@pytest.mark.parametrize("kind", COVARIANCES)
def test_answers_are_those_of_scikit_learn(kind):
    theirs, ours = pair(kind)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    for method in ("predict_proba", "score_samples", "score", "aic", "bic"):
        assert_allclose(getattr(ours, method)(X), getattr(theirs, method)(X))


@pytest.mark.parametrize("kind", COVARIANCES)
def test_answers_are_the_same_far_from_the_origin(kind):
    theirs, ours = pair(kind, offset=1e7)
    for method in ("score_samples", "predict_proba"):
        found = getattr(ours, method)(X + 1e7)
        assert_allclose(found, getattr(theirs, method)(X), rtol=1e-5, atol=1e-7)


def test_answers_of_blocks_are_those_of_arrays():
    _, ours = pair("full")
    blocks, lazy = Blocks(X[:70], X[70:]), da.from_array(X, (60, 3))
    expected = ours.score_samples(X)
    assert_allclose(np.concatenate(list(ours.score_samples(blocks))), expected)
    assert_allclose(ours.score_samples(lazy).compute(), expected)
    for method in ("score", "aic", "bic"):
        value = getattr(ours, method)(X)
        assert_allclose([getattr(ours, method)(rows) for rows in (blocks, lazy)], value)
