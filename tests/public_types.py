"""What users touch has a type: mypy checks this file, and nothing runs it.

An `assert_type` fails where the type is Any.
"""

from typing import Any, assert_type

import numpy as np

import skdpgmm
from skdpgmm import displays, metrics, privacy
from skdpgmm._audit.result import AuditResult
from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.leaks import PipelineFinding
from skdpgmm._estimators.search_report import SearchPrivacy
from skdpgmm._estimators.verification import Verification

X, y = np.zeros((100, 3)), np.zeros(100)
Pair = tuple[np.ndarray, np.ndarray]


def synthetic_rows() -> None:
    synthesizer = skdpgmm.DPEmbeddingSynthesizer(epsilon=1.0, classes=[0, 1])
    assert_type(synthesizer, skdpgmm.DPEmbeddingSynthesizer)
    assert_type(synthesizer.fit(X, y), skdpgmm.DPEmbeddingSynthesizer)
    assert_type(synthesizer.sample(10), Pair)
    for batch in synthesizer.iter_samples(10):
        assert_type(batch, Pair)
    assert_type(synthesizer.transform(X), np.ndarray)
    assert_type(synthesizer.score(X, y), float)
    assert_type(synthesizer.means_, np.ndarray)
    assert_type(synthesizer.classes_, np.ndarray | None)
    assert_type(synthesizer.privacy_, privacy.PrivacyReport)
    assert_type(synthesizer.plan(100, 3, 2), privacy.PrivacyPlan)
    classifier = skdpgmm.DPSyntheticClassifier(synthesizer).fit(X, y)
    assert_type(classifier, skdpgmm.DPSyntheticClassifier)
    assert_type(classifier.predict(X), np.ndarray)
    assert_type(classifier.privacy_, privacy.PrivacyReport)
    assert_type(skdpgmm.DPSyntheticResampler().fit_resample(X, y), Pair)


def models() -> None:
    mixture = skdpgmm.DPGaussianMixture(3, covariance_type="diag").fit(X)
    assert_type(mixture, skdpgmm.DPGaussianMixture)
    assert_type(mixture.sample(10), Pair)
    assert_type(mixture.predict_proba(X), np.ndarray)
    assert_type(mixture.weights_, np.ndarray)
    kmeans = skdpgmm.DPKMeans(3, random_state=np.random.RandomState(0))
    assert_type(kmeans.fit_predict(X), np.ndarray)
    assert_type(kmeans.fit(X).cluster_centers_, np.ndarray)
    linear = skdpgmm.DPLogisticRegression(class_weight="balanced").fit(X, y)
    assert_type(linear.predict(X), np.ndarray)
    assert_type(linear.coef_, np.ndarray)
    pca = skdpgmm.DPPCA(2).fit(X)
    assert_type(pca.transform(X), np.ndarray)
    assert_type(pca.explained_variance_ratio_, np.ndarray)
    assert_type(skdpgmm.DPStandardScaler().fit(X).scale_, np.ndarray)


def tools() -> None:
    pipeline = skdpgmm.PrivatePipeline([("pca", skdpgmm.DPPCA(2))], epsilon=1.0)
    assert_type(pipeline.fit(X), skdpgmm.PrivatePipeline)
    assert_type(pipeline.plan(100, 3), privacy.PrivacyPlan)
    search = skdpgmm.PrivateSearchCV(pipeline, {"pca__whiten": [True]}).fit(X, y)
    assert_type(search.best_params_, dict[str, Any])
    assert_type(skdpgmm.search_privacy(search), SearchPrivacy)
    budget = skdpgmm.PrivacyBudget(1.0, 1e-5)
    assert_type(budget.remaining_epsilon, float)
    assert_type(budget.report(), privacy.ComposedReport)
    assert_type(skdpgmm.check_pipeline(pipeline), list[PipelineFinding])


def files() -> None:
    skdpgmm.DPKMeans().save("model")
    model = skdpgmm.load("model")
    assert_type(model, PrivateEstimator | skdpgmm.PrivatePipeline)
    assert_type(skdpgmm.verify("model"), Verification)
    assert_type(skdpgmm.report(model), skdpgmm.ReviewReport)
    assert_type(skdpgmm.report(model).to_html(), str)
    assert_type(skdpgmm.audit(skdpgmm.DPKMeans(), X), AuditResult)
    assert_type(skdpgmm.audit(skdpgmm.DPKMeans(), X).passed, bool)


def encoders() -> None:
    assert_type(skdpgmm.TextEncoder("name").fit(["text"]), skdpgmm.TextEncoder)
    assert_type(skdpgmm.ImageEncoder("name").transform("folder"), np.ndarray)
    transformer = skdpgmm.TorchEmbeddingTransformer(skdpgmm.OnnxEncoder("file"))
    assert_type(transformer.transform(X), np.ndarray)


def judged() -> None:
    assert_type(metrics.frechet_distance(X, X), float)
    assert_type(metrics.manifold_scores(X, X).density, float)
    score = metrics.private_accuracy(y, y, epsilon=1.0)
    assert_type(score, metrics.PrivateAccuracy)
    figure = displays.BudgetDisplay.from_estimator(skdpgmm.DPKMeans())
    assert_type(figure, displays.BudgetDisplay)
