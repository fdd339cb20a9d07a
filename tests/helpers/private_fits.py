"""What the tests of whole fits share: data, cases, and what a fit leaves behind."""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPStandardScaler,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    PrivatePipeline,
    PrivateSearchCV,
)
from skdpgmm._estimators.search_account import epsilon_within
from skdpgmm.metrics import private_accuracy
from skdpgmm.privacy import mu_from_epsilon

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")


class Facts(NamedTuple):
    """What tests of all estimators need to know of one."""

    released: str  # its first released attribute
    case: str  # its plainest case of `fit_cases`
    labelled: bool = False  # whether it takes labels
    samples: bool = False  # whether it is a mixture, and draws rows
    release: str = "radius"  # one in the middle of its fit


class OfManyScales:
    """Measures features in units that differ, by public factors."""

    def fit(self, X, *args, **kwargs):
        X = np.asarray(X)
        return super().fit(X * np.geomspace(1.0, 1e4, X.shape[1]), *args, **kwargs)


def of_package(estimator):
    """Return an estimator as one of the class that a file can name."""
    if isinstance(estimator, OfManyScales):
        estimator.__class__ = type(estimator).__bases__[1]
    return estimator


class ScaledKMeans(OfManyScales, DPKMeans):
    pass


class ScaledMixture(OfManyScales, DPGaussianMixture):
    pass


class ScaledSynthesizer(OfManyScales, DPEmbeddingSynthesizer):
    pass


class ScaledLogistic(OfManyScales, DPLogisticRegression):
    pass


# THE list of private estimators. A new one is tested from the day it stands here.
REGISTRY = {
    DPKMeans: Facts("cluster_centers_", "kmeans"),
    DPGaussianMixture: Facts("means_", "mixture-full", samples=True),
    DPEmbeddingSynthesizer: Facts("means_", "synthesizer-1", True, True),
    DPLogisticRegression: Facts("coef_", "logistic", labelled=True),
    DPPCA: Facts("components_", "pca"),
    DPStandardScaler: Facts("center_", "scaler", release="scale look 11"),
}
ESTIMATORS = tuple(REGISTRY)
LABELLED = tuple(cls for cls, facts in REGISTRY.items() if facts.labelled)
SAMPLERS = tuple(cls for cls, facts in REGISTRY.items() if facts.samples)
RELEASED = {cls: facts.released for cls, facts in REGISTRY.items()}
IN_THE_MIDDLE = {facts.case: facts.release for facts in REGISTRY.values()}
PLAIN_CASES = [facts.case for facts in REGISTRY.values()]
# ... for tests of where rows are, with the two other ways of a synthesizer.
CASES_OF_ROWS = [*PLAIN_CASES, "synthesizer", "synthesizer-labels"]
N_CLASSES = 3


def sized(cls, k, **params):
    """An estimator of `k` clusters or components, where it has such."""
    without = (DPLogisticRegression, DPStandardScaler)
    return cls(**params) if cls in without else cls(k, **params)


def make_data(n, d, seed=0, scale=1.0, offset=0.0):
    """Three blobs whose values float32 represents, and labels that follow them."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % N_CLASSES
    X = rng.standard_normal((n, d)) + 4.0 * rng.standard_normal((N_CLASSES, d))[y]
    order = rng.permutation(n)
    X = (scale * X + offset)[order].astype(np.float32).astype(np.float64)
    return X, y[order]


def public_precisions(kind, k, d):
    return {
        "full": np.broadcast_to(np.eye(d), (k, d, d)),
        "tied": np.eye(d),
        "diag": np.ones((k, d)),
        "spherical": np.ones(k),
    }[kind]


class PrivateScore(BaseEstimator):
    """`private_accuracy` of a public rule, as if it were an estimator."""

    def __init__(
        self,
        *,
        epsilon=1.0,
        delta=1e-5,
        adjacency="add-remove",
        max_contributions=None,
        random_state=None,
    ):
        self.epsilon = epsilon
        self.delta = delta
        self.adjacency = adjacency
        self.max_contributions = max_contributions
        self.random_state = random_state

    def fit(self, X, y, **ids):
        self.n_features_in_ = np.shape(X)[1]
        guessed = (np.asarray(X)[:, 0] > 0.0).astype(int)
        score = private_accuracy(y, guessed, **ids, **self.get_params())
        self.accuracy_, self.noise_sd_, self.privacy_ = score
        return self


def around_synthesizer(cls, *, random_state=None, synthesizer=None, **params):
    """A wrapper, whose synthesizer gets all parameters but the seed."""
    own = {name: params.pop(name) for name in OWN if name in params}
    synthesizer = DPEmbeddingSynthesizer(**{**(synthesizer or {}), **params})
    return cls(synthesizer, random_state=random_state, **own)


OWN = ("classifier", "n_samples", "class_weight")


def pipeline_of(*makers, epsilon=1.0, delta=1e-5, **params):
    """A pipeline of private steps, which get all parameters but the budget."""
    steps = [(f"step{i}", make(**params)) for i, make in enumerate(makers)]
    return PrivatePipeline(steps, epsilon=epsilon, delta=delta)


def wrapper_cases():
    """Estimators that fit something else to synthetic rows, and a metric."""
    classifier = partial(
        around_synthesizer,
        DPSyntheticClassifier,
        classifier=LogisticRegression(max_iter=1000, tol=1e-2),
        n_samples=120,
    )
    resampler = partial(around_synthesizer, DPSyntheticResampler, n_samples=100)
    plain = {"covariance_type": "diag", "label_model": False}
    return {
        "classifier": classifier,
        "classifier-network": partial(classifier, classifier=None),
        "classifier-plain": partial(classifier, synthesizer=plain),
        "resampler": resampler,
        "resampler-balanced": partial(
            resampler, class_weight="balanced", synthesizer={"n_components": 2}
        ),
        "pipeline": partial(pipeline_of, partial(DPPCA, 2), DPEmbeddingSynthesizer),
        "pipeline-scaled": partial(
            pipeline_of, DPStandardScaler, partial(DPPCA, 2), DPLogisticRegression
        ),
        "search": search,
        "search-epsilon": search_over_epsilon,
        "search-classifiers": search_of_classifiers,
        # Rows have no part in it, nor has what they are clipped to.
        "accuracy": lambda clip_norm=None, **params: PrivateScore(**params),
    }


def search(epsilon=1.0, delta=1e-5, random_state=None, **params):
    """A search over a parameter."""
    classifier = DPLogisticRegression(**params)
    grid = {"n_random_features": [0, 5]}
    options = {"epsilon": epsilon, "delta": delta, "random_state": random_state}
    return PrivateSearchCV(classifier, grid, test_size=0.3, **options)


def search_over_epsilon(epsilon=1.0, delta=1e-5, random_state=None, **params):
    """A search among candidates of an epsilon of their own, that costs all in all."""
    mu = mu_from_epsilon(epsilon, delta) / np.sqrt(3.0)  # two fits, and the last
    made = search(epsilon, delta, random_state, **params)
    own = {"epsilon": [epsilon_within(mu, delta)], "n_random_features": [0, 5]}
    return made.set_params(param_grid=own, stop_at=1.0)


def search_of_classifiers(epsilon=1.0, delta=1e-5, random_state=None, **params):
    """A search whose candidates share their releases."""
    synthesizer = DPEmbeddingSynthesizer(**params)
    classifier = LogisticRegression(max_iter=1000, tol=1e-2)
    made = search(epsilon, delta, random_state)
    return made.set_params(
        estimator=DPSyntheticClassifier(synthesizer, classifier, n_samples=60),
        param_grid={"classifier__C": [1e-4, 1.0]},
        refit=False,
        scoring="balanced_accuracy",
    )


def fit_cases(d):
    """Map a name to (constructor, whether it takes labels) for `d` features."""
    k = 3
    start = np.random.default_rng(9).standard_normal((k, d))
    mixture = partial(DPGaussianMixture, k, max_iter=1)
    public = np.random.default_rng(8).standard_normal((50, d)) + 1.0
    synthesizer = DPEmbeddingSynthesizer
    cases = {
        "kmeans": (partial(DPKMeans, k), False),
        "kmeans-1": (partial(DPKMeans, 1, max_iter=1), False),
        "logistic": (DPLogisticRegression, True),
        "logistic-features": (
            partial(DPLogisticRegression, n_random_features=30),
            True,
        ),
        "logistic-public": (partial(DPLogisticRegression, X_public=public), True),
        "pca": (partial(DPPCA, 2), False),
        "pca-auto": (partial(DPPCA, whiten=True), False),
        "pca-all": (partial(DPPCA, None), False),
        "mixture-1": (partial(DPGaussianMixture, 1, max_iter=1), False),
        # Whatever is "auto" follows from noisy counts.
        "mixture-auto": (partial(DPGaussianMixture, k), False),
        "mixture-auto-1": (DPGaussianMixture, False),
        "mixture-auto-diag": (
            partial(DPGaussianMixture, k, covariance_type="diag"),
            False,
        ),
        "mixture-auto-means": (partial(DPGaussianMixture, k, means_init=start), False),
        "synthesizer-auto": (synthesizer, False),
        "synthesizer-auto-full": (
            partial(synthesizer, covariance_type="full", label_model=False),
            True,
        ),
        "synthesizer-auto-kind": (partial(synthesizer, 2), True),
        "mixture-plain": (partial(mixture, max_iter=0), False),
        "mixture-means": (partial(mixture, means_init=start), False),
        "mixture-means-plain": (
            partial(mixture, means_init=start, max_iter=0),
            False,
        ),
        "synthesizer": (partial(synthesizer, 2, max_iter=1), False),
        "synthesizer-1": (synthesizer, True),
        "synthesizer-labels": (partial(synthesizer, label_model=True), True),
        "synthesizer-public": (
            partial(synthesizer, label_model=True, X_public=public),
            True,
        ),
        "synthesizer-public-plain": (
            partial(synthesizer, label_model=False, X_public=public, clip_norm=20.0),
            True,
        ),
        "synthesizer-2": (partial(synthesizer, 2, covariance_type="full"), True),
    }
    bounds = np.stack([-10.0 - np.arange(d), 20.0 + np.arange(d)])
    cases |= {
        "kmeans-scaled": (partial(ScaledKMeans, k, scale="auto"), False),
        "scaler": (DPStandardScaler, False),
        "scaler-bounds": (partial(DPStandardScaler, bounds=bounds), False),
        "kmeans-bounds": (partial(DPKMeans, k, bounds=bounds), False),
        "mixture-scaled": (partial(ScaledMixture, k, max_iter=1), False),
        "mixture-one-radius": (partial(mixture, scale=None), False),
        "synthesizer-scaled": (ScaledSynthesizer, True),
        "synthesizer-labels-scaled": (
            partial(ScaledSynthesizer, label_model=True, X_public=public),
            True,
        ),
        "synthesizer-bounds": (partial(synthesizer, bounds=bounds), True),
        "synthesizer-half-bounds": (
            partial(synthesizer, 2, bounds=(-9.0, bounds[1])),
            False,
        ),
        "logistic-scaled": (
            partial(ScaledLogistic, n_random_features=30),
            True,
        ),
        "logistic-bounds": (partial(DPLogisticRegression, bounds=bounds), True),
    }
    for kind in COVARIANCE_TYPES:
        cases[f"mixture-{kind}-bounds"] = (
            partial(mixture, covariance_type=kind, means_init=start, bounds=bounds),
            False,
        )
        of_kind = partial(mixture, covariance_type=kind)
        cases[f"mixture-{kind}"] = (of_kind, False)
        known = {
            "means_init": start,
            "weights_init": np.array([0.2, 0.3, 0.5]),
            "precisions_init": public_precisions(kind, k, d),
        }
        cases[f"mixture-{kind}-known"] = (partial(of_kind, **known), False)
        cases[f"synthesizer-{kind}"] = (
            partial(synthesizer, covariance_type=kind, label_model=False),
            True,
        )
    return cases


def release_cases(d):
    """As `fit_cases`, with all else that releases something."""
    wrappers = {name: (make, True) for name, make in wrapper_cases().items()}
    return fit_cases(d) | wrappers


def fit(estimator, X, y, labelled, **kwargs):
    y = y if labelled else None
    if hasattr(estimator, "fit_resample"):
        estimator.drawn_ = estimator.fit_resample(X, y, **kwargs)
        return estimator
    return estimator.fit(X, y, **kwargs)


def fitted_state(estimator):
    """Everything that `fit` left on the estimator, private attributes included."""
    params = estimator.get_params(deep=False)
    return {k: v for k, v in vars(estimator).items() if k not in params}


def published(estimator):
    """What `fit` left behind, and what follows from it for rows that are public."""
    state = fitted_state(estimator)
    rows = make_data(20, estimator.n_features_in_, seed=7)[0]
    for name in ("predict", "predict_proba", "transform", "score_samples"):
        if hasattr(estimator, name):
            state[name] = getattr(estimator, name)(rows)
    sampler = getattr(estimator, "synthesizer_", estimator)
    if hasattr(sampler, "sample"):
        state["sample"] = sampler.sample(20, random_state=1)
    return state
