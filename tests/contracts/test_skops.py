"""Files of skops: every fitted estimator comes back, with the classes that it names."""

import numpy as np
import pytest
from private_fits import CASES_OF_ROWS, fit, fit_cases, make_data, published
from sklearn.linear_model import LogisticRegression
from skops import io
from tapes import assert_same

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPLogisticRegression,
    DPSyntheticClassifier,
    PrivatePipeline,
    PrivateSearchCV,
)

D = 3
CASES = fit_cases(D)
X, Y = make_data(400, D)
WRAPPERS = {
    "classifier": lambda: DPSyntheticClassifier(
        DPEmbeddingSynthesizer(), LogisticRegression()
    ),
    "pipeline": lambda: PrivatePipeline(
        [("pca", DPPCA(2)), ("regression", DPLogisticRegression())]
    ),
    "search": lambda: PrivateSearchCV(
        DPLogisticRegression(), {"n_random_features": [0, 4]}, epsilon=50.0
    ),
}


def round_trip(fitted):
    data = io.dumps(fitted)
    named = io.get_untrusted_types(data=data)
    assert {name.partition(".")[0] for name in named} <= {"skdpgmm", "numpy"}
    return io.loads(data, trusted=named)


@pytest.mark.parametrize("name", CASES_OF_ROWS)
def test_every_estimator(name):
    make, labelled = CASES[name]
    fitted = fit(make(), X, Y, labelled)
    assert_same(published(fitted), published(round_trip(fitted)))


@pytest.mark.parametrize("make", WRAPPERS.values(), ids=WRAPPERS)
def test_wrappers(make):
    fitted = make().fit(X, Y)
    found = round_trip(fitted)
    np.testing.assert_array_equal(found.predict(X), fitted.predict(X))
    assert str(found.privacy_) == str(fitted.privacy_)
