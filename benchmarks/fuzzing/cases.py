"""One case of the fuzzer: an estimator, what it is given, and what is expected."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from benchmarks.fuzzing.data import (
    DASK,
    STREAMS,
    Blocks,
    Given,
    contain_labels,
    contain_rows,
    draw_ids,
    draw_rows,
)
from benchmarks.fuzzing.values import GUARANTEE, Facts, draw_params
from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPStandardScaler,
    DPSyntheticClassifier,
    DPSyntheticResampler,
)

# How often each is drawn.
ESTIMATORS = {
    DPKMeans: 4,
    DPGaussianMixture: 4,
    DPEmbeddingSynthesizer: 6,
    DPLogisticRegression: 4,
    DPPCA: 3,
    DPStandardScaler: 2,
    DPSyntheticClassifier: 3,
    DPSyntheticResampler: 2,
}
OTHERS = {"private_accuracy": 2, "TorchEmbeddingTransformer": 1}
WRAPPERS = (DPSyntheticClassifier, DPSyntheticResampler)
UNLABELLED = (DPKMeans, DPGaussianMixture, DPPCA, DPStandardScaler)
NAMES = [cls.__name__ for cls in ESTIMATORS] + list(OTHERS)


class Failing(BaseEstimator):
    """A classifier that fails when the synthesizer has spent already."""

    def fit(self, X, y):
        raise OSError("no such classifier")

    def predict(self, X):
        return X


class Uncloneable(LogisticRegression):
    """A classifier whose constructor changes what it is given."""

    def __init__(self, C=1.0):
        super().__init__(C=C)
        self.C = C + 1.0


CLASSIFIERS = [
    lambda: LogisticRegression(max_iter=200),
    lambda: GaussianNB(),
    lambda: NearestCentroid(),
    lambda: KNeighborsClassifier(1),
    lambda: RidgeClassifier(),
]
BAD_CLASSIFIERS = ["classifier", LogisticRegression, object(), 3]
# The first two fail after the synthesizer has spent: the error has to say so.
LATE_CLASSIFIERS = [lambda: LogisticRegression(C=-1.0), lambda: Failing()]


@dataclass
class Case:
    """What is fitted to what.

    Attributes
    ----------
    name : str
        Of the estimator.
    rng : numpy.random.Generator
        For what is drawn later.
    illegal : tuple of str
        What is not legal: an error must come before anything is spent.
    either : tuple of str
        What may be refused as well as taken.
    late : bool
        Whether a failure that cannot be foreseen comes after the budget is spent.
    """

    name: str
    rng: Any
    cls: Any = None
    params: dict = field(default_factory=dict)
    estimator: Any = None
    rows: Given | None = None
    labels: Given | None = None
    y: Any = None
    ids: Given | None = None
    config: dict = field(default_factory=dict)
    about: dict = field(default_factory=dict)
    illegal: tuple = ()
    either: tuple = ()
    late: bool = False
    run: Callable | None = None

    @property
    def core(self):
        """The estimator that spends."""
        if self.cls in WRAPPERS:
            inner = self.params["synthesizer"]
            return DPEmbeddingSynthesizer() if inner is None else inner
        return self.estimator

    @property
    def names(self):
        """Names of all parameters."""
        core = self.core if isinstance(self.core, BaseEstimator) else BaseEstimator()
        return {*self.params, *core.get_params(deep=False)}

    @property
    def trusted(self):
        """Whether validation is off, and what is not legal is no matter of privacy."""
        off = self.config.get("skip_parameter_validation", False)
        return bool(off and self.illegal and not set(self.illegal) & set(GUARANTEE))

    @property
    def keywords(self):
        """Keyword arguments of `fit`."""
        return {} if self.ids is None else {"privacy_ids": self.ids.value}

    def describe(self):
        """Return what tells a reader the most, as text."""
        changed = {}
        if isinstance(self.core, BaseEstimator):
            changed = changed_params(self.core)
        if self.cls in WRAPPERS:
            own = {k: v for k, v in self.params.items() if k != "synthesizer"}
            changed = {"synthesizer": changed, **own}
        given = {
            name: g.name
            for name, g in (("X", self.rows), ("y", self.labels), ("ids", self.ids))
            if g is not None
        }
        return {
            **self.about,
            **given,
            **self.config,
            "illegal": list(self.illegal),
            "params": {k: shortened(v) for k, v in changed.items()},
        }


def shortened(value):
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def changed_params(estimator):
    """Return the parameters that are not the defaults."""
    signature = inspect.signature(type(estimator)).parameters
    params = estimator.get_params(deep=False)
    return {k: v for k, v in params.items() if repr(v) != repr(signature[k].default)}


def draw_name(seed, i):
    """Return the estimator of case `i` of a seed, and what draws the rest."""
    rng = np.random.default_rng([seed, i])
    weights = np.array([*ESTIMATORS.values(), *OTHERS.values()], dtype=float)
    return NAMES[rng.choice(len(NAMES), p=weights / weights.sum())], rng


def draw_case(seed, i, small, folder):
    """Return case `i` of a seed."""
    name, rng = draw_name(seed, i)
    case = Case(name, rng)
    if name == "private_accuracy":
        from benchmarks.fuzzing.others import draw_accuracy

        return draw_accuracy(case, small)
    if name == "TorchEmbeddingTransformer":
        from benchmarks.fuzzing.others import draw_transformer

        return draw_transformer(case)
    case.cls = next(cls for cls in ESTIMATORS if cls.__name__ == name)
    X, codes, case.about = draw_rows(rng, small)
    kinds = ["", "params", "rows", "labels", "ids"]
    wrong = kinds[rng.choice(5, p=[0.72, 0.14, 0.07, 0.04, 0.03])]
    if wrong == "labels" and case.cls in UNLABELLED:
        wrong = "rows"
    case.config = draw_config(rng, wrong)
    case.rows = contain_rows(rng, X, folder, wrong == "rows")
    if case.rows.name in (*STREAMS, *DASK):
        case.config.pop("transform_output", None)
    if case.rows.name == "tensor" and rng.random() < 0.6:
        case.config["array_api_dispatch"] = True
    draw_labels(case, codes, wrong)
    if wrong == "ids" or rng.random() < 0.2:
        case.ids = draw_ids(rng, len(X), wrong == "ids")
    for kind, given in (("X", case.rows), ("y", case.labels), ("ids", case.ids)):
        if given is not None and given.legal is False:
            case.illegal += (f"{kind} {given.name}",)
        elif given is not None and given.legal is None:
            case.either += (f"{kind} {given.name}",)
    labels = np.unique(case.y) if case.y is not None else np.arange(3)
    scale = float(np.std(X)) or 1.0
    facts = Facts(X.shape[1], scale, X.mean(axis=0), labels, small)
    draw_estimator(case, facts, wrong == "params")
    return case


def draw_config(rng, wrong):
    """Return settings of scikit-learn."""
    config = {}
    if rng.random() < 0.1:
        config["skip_parameter_validation"] = True
    if rng.random() < 0.03:
        config["enable_metadata_routing"] = True
    if rng.random() < 0.03:
        config["transform_output"] = "pandas"
    if rng.random() < 0.03 and not wrong:
        config["assume_finite"] = True
    return config


def draw_labels(case, codes, wrong):
    rng = case.rng
    if case.cls in UNLABELLED:
        if rng.random() < 0.1:
            case.labels, _ = contain_labels(rng, codes, case.rows.name, False)
        return
    if case.cls is DPEmbeddingSynthesizer and wrong != "labels":
        if rng.random() < 0.25:
            return
    elif (
        wrong == "labels"
        and rng.random() < 0.1
        and not isinstance(case.rows.value, Blocks)
    ):
        if case.cls is not DPEmbeddingSynthesizer:
            case.illegal += ("y None",)
            return
    case.labels, case.y = contain_labels(rng, codes, case.rows.name, wrong == "labels")


def draw_estimator(case, facts, illegal):
    rng, cls = case.rng, case.cls
    if cls not in WRAPPERS:
        skip = ("classes",) if case.y is None else ()
        case.params, wrong = draw_params(cls, rng, facts, illegal, skip)
        case.illegal += wrong
        case.estimator = cls(**case.params)
        case.either += () if wrong else unclear(case.params)
        return
    inside = illegal and rng.random() < 0.3
    synthesizer = None
    if inside or rng.random() < 0.7:
        params, wrong = draw_params(DPEmbeddingSynthesizer, rng, facts, inside)
        case.illegal += wrong
        case.either += () if wrong else unclear(params)
        synthesizer = DPEmbeddingSynthesizer(**params)
    parts = ("synthesizer", "classifier")
    own, wrong = draw_params(cls, rng, facts, illegal and not inside, parts)
    case.illegal += wrong
    if own["n_samples"] == 60_000:
        own["n_samples"] = 100
    own["synthesizer"] = synthesizer
    if cls is DPSyntheticClassifier:
        own["classifier"] = CLASSIFIERS[rng.integers(len(CLASSIFIERS))]()
        draw = rng.random()
        if draw < 0.1:
            own["classifier"] = None
        elif draw < 0.15:
            own["classifier"] = LATE_CLASSIFIERS[rng.integers(2)]()
            case.late = True
        elif draw < 0.17:
            own["classifier"] = Uncloneable()
            case.illegal += ("classifier",)
        elif draw < 0.2:
            own["classifier"] = BAD_CLASSIFIERS[rng.integers(len(BAD_CLASSIFIERS))]
            case.illegal += ("classifier",)
        # A few synthetic rows need not suffice for a classifier of somebody else.
        case.late |= own["n_samples"] in (1, 7) or len(facts.labels) == 1
    case.params = own
    case.estimator = cls(**own)


def unclear(params):
    """Name what may be refused for reasons that depend on the other parameters."""
    out = ()
    if params.get("label_model") is True:
        out += ("label_model",)
    if params["max_contributions"] == 40 and params["epsilon"] < 0.1:
        out += ("noise",)
    return out
