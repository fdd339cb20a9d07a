"""What learns from rows without paying is found, and nothing else is accused."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.image import PatchExtractor
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection

from skdpgmm import (
    DPPCA,
    DPKMeans,
    DPLogisticRegression,
    DPStandardScaler,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    PrivatePipeline,
    PrivateSearchCV,
    check_pipeline,
)
from skdpgmm._estimators.leaks import find_leaks, parts_of, pays_inside
from skdpgmm.exceptions import PrivacyLeakWarning

PUBLIC = np.eye(3)


class Unknown(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


class Declared(Unknown):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


HARMLESS = [
    None,
    "passthrough",
    DPPCA(2),
    DPStandardScaler(),
    DPSyntheticClassifier(),
    Normalizer(),
    Binarizer(),
    FunctionTransformer(np.log1p),
    PolynomialFeatures(),
    GaussianRandomProjection(3),
    RBFSampler(gamma=1.0),
    OneHotEncoder(categories=[["a", "b"]]),
    OrdinalEncoder(categories=[["a", "b"]]),
    SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True),
    FrozenEstimator(StandardScaler().fit(PUBLIC)),
    Declared(),
]
LEARNING = [
    (StandardScaler(), "use DPStandardScaler, or public constants"),
    (PCA(2), "DPPCA"),
    (KMeans(2), "DPKMeans"),
    (GaussianMixture(2), "DPGaussianMixture"),
    (LogisticRegression(), "DPLogisticRegression"),
    (SelectKBest(), "FrozenEstimator"),
    (TargetEncoder(), "FrozenEstimator"),
    (GaussianRandomProjection(), "FrozenEstimator"),
    (RBFSampler(gamma="scale"), "FrozenEstimator"),
    (Nystroem(), "FrozenEstimator"),
    (OneHotEncoder(), "FrozenEstimator"),
    (OrdinalEncoder(categories=[["a"]], min_frequency=2), "FrozenEstimator"),
    (SimpleImputer(), "FrozenEstimator"),
    # Of no columns that miss all their values.
    (SimpleImputer(strategy="constant", fill_value=0.0), "FrozenEstimator"),
    # It needs no fit, and learns from one.
    (GaussianProcessRegressor(), "FrozenEstimator"),
    (PatchExtractor(), "one row of each record"),
]


def names(pipeline):
    return [finding.step for finding in find_leaks("top", pipeline)]


@pytest.mark.parametrize("step", HARMLESS, ids=lambda step: type(step).__name__)
def test_what_learns_nothing_or_pays(step):
    assert list(find_leaks("step", step)) == []


@pytest.mark.parametrize("step, instead", LEARNING, ids=lambda x: type(x).__name__)
def test_what_learns_is_found_and_what_to_use_is_said(step, instead):
    (finding,) = find_leaks("step", step)
    assert finding.known and finding.step == "step"
    assert finding.estimator == type(step).__name__
    assert instead in finding.instead
    for part in (finding.step, finding.estimator, finding.reason, finding.instead):
        assert part in str(finding)


def test_what_is_not_known_can_be_declared():
    (finding,) = find_leaks("step", Unknown())
    assert not finding.known
    assert "FrozenEstimator" in finding.instead and "requires_fit" in finding.instead
    assert not list(find_leaks("step", FrozenEstimator(Unknown())))


def test_it_looks_into_everything():
    columns = ColumnTransformer(
        [("scale", StandardScaler(), [0]), ("rest", "passthrough", [1])],
        remainder=SimpleImputer(),
    )
    union = FeatureUnion([("pca", PCA(2)), ("own", DPPCA(2)), ("nothing", "drop")])
    nested = Pipeline([("columns", columns), ("union", union), ("last", DPKMeans())])
    found = ["columns.scale", "columns.remainder", "union.pca"]
    assert names(nested) == found
    assert names(Pipeline([("outer", nested)])) == found
    assert [name for name, _ in parts_of(union)] == ["pca", "own", "nothing"]
    assert parts_of(PCA()) == []
    assert pays_inside(nested) and pays_inside(union) and not pays_inside(columns)


def test_a_search_chooses_by_exact_scores():
    search = GridSearchCV(make_pipeline(PCA(2), DPKMeans()), {})
    findings = list(find_leaks("search", search))
    assert [f.step for f in findings] == ["search", "pca"]
    assert "exact scores" in findings[0].reason


def test_a_private_search_pays():
    search = PrivateSearchCV(DPLogisticRegression(), {"l2": [0.1]})
    assert check_pipeline(search) == []
    assert check_pipeline(make_pipeline(Normalizer(), search)) == []
    assert pays_inside(search)


def test_after_a_resampler_there_are_synthetic_rows_only():
    steps = [("rows", DPSyntheticResampler()), ("forest", LogisticRegression())]
    assert names(Pipeline(steps)) == []
    assert names(Pipeline([("scale", StandardScaler()), *steps])) == ["scale"]


def test_each_finding_is_warned_of():
    pipeline = make_pipeline(StandardScaler(), Unknown(), DPLogisticRegression())
    with pytest.warns(PrivacyLeakWarning) as caught:
        findings = check_pipeline(pipeline)
    assert [str(one.message) for one in caught] == [str(one) for one in findings]
    assert [one.step for one in findings] == ["standardscaler", "unknown"]
    # Nothing is fitted.
    assert not hasattr(pipeline[0], "mean_")


def test_nothing_is_said_of_what_is_fine():
    plain = make_pipeline(Normalizer(), DPPCA(2), DPKMeans())
    assert check_pipeline(plain) == []
    assert check_pipeline(PrivatePipeline([("pca", DPPCA(2))])) == []
    assert check_pipeline(DPKMeans()) == []
