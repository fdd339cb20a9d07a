"""Which steps of a pipeline learn from private rows without paying for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.randomness import warn
from skdpgmm._estimators.resampler import DPSyntheticResampler
from skdpgmm._estimators.search import PrivateSearchCV
from skdpgmm._estimators.training_rows import SynthesizerWrapper
from skdpgmm.exceptions import PrivacyLeakWarning

# What pays for what it learns.
PAYING = PrivateEstimator | SynthesizerWrapper
# What has steps, and learns nothing of its own.
_COMPOSED = (Pipeline, FeatureUnion, ColumnTransformer)
_SEARCHES = (GridSearchCV, RandomizedSearchCV)


class PipelineFinding(NamedTuple):
    """A step that learns from the rows without paying, or may.

    Attributes
    ----------
    step : str
        Names on the way to it, with dots between them.
    estimator : str
        Name of its class.
    known : bool
        Whether it is known to learn; otherwise nothing is known of it.
    reason : str
        What it does.
    instead : str
        What to use in its place.
    """

    step: str
    estimator: str
    known: bool
    reason: str
    instead: str

    def __str__(self) -> str:
        return f"step {self.step!r} ({self.estimator}) {self.reason}: {self.instead}."


def _random_projection(step):
    # "auto" takes it from the number of rows.
    return step.n_components != "auto"


# Transformers of scikit-learn that learn no more than the number of features, and when.
_CONSTANT: dict[str, Callable[[Any], bool]] = {
    "PolynomialFeatures": lambda step: True,
    "PolynomialCountSketch": lambda step: True,
    "SkewedChi2Sampler": lambda step: True,
    "GaussianRandomProjection": _random_projection,
    "SparseRandomProjection": _random_projection,
    "RBFSampler": lambda step: step.gamma != "scale",
    "SplineTransformer": lambda step: not isinstance(step.knots, str),
    "CountVectorizer": lambda step: step.vocabulary is not None,
    "OneHotEncoder": lambda step: _public_categories(step),
    "OrdinalEncoder": lambda step: _public_categories(step),
    "SimpleImputer": lambda step: (
        step.strategy == "constant"
        and step.keep_empty_features
        and not step.add_indicator
    ),
}

_FROZEN = "fit it to public rows and wrap it in sklearn.frozen.FrozenEstimator"
_CONSTANTS = f"public constants in a FunctionTransformer, or {_FROZEN}"
_INSTEAD = {
    **dict.fromkeys(
        ("PCA", "IncrementalPCA", "TruncatedSVD", "FactorAnalysis", "KernelPCA"),
        f"use DPPCA, or {_FROZEN}",
    ),
    **dict.fromkeys(("KMeans", "MiniBatchKMeans", "BisectingKMeans"), "use DPKMeans"),
    **dict.fromkeys(
        ("GaussianMixture", "BayesianGaussianMixture"), "use DPGaussianMixture"
    ),
    **dict.fromkeys(
        ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"),
        f"use DPStandardScaler, or {_CONSTANTS}",
    ),
}


def check_pipeline(pipeline) -> list[PipelineFinding]:
    """Warn of the steps of a pipeline that learn from private rows without paying.

    Nothing is fitted, and no row is looked at. A step is fine when it spends a budget,
    as the private estimators do; when it learns nothing, as a `FunctionTransformer` or
    a `Normalizer`; or when it was fitted before, to public rows, and is wrapped in a
    `FrozenEstimator`. An own class declares that it learns nothing by the tag
    ``requires_fit=False``.

    Parameters
    ----------
    pipeline : estimator
        A Pipeline, ColumnTransformer, FeatureUnion or a search over parameters, of
        which all that is inside is looked at; or any other estimator.

    Returns
    -------
    findings : list of PipelineFinding
        Empty where nothing is known against it. Named tuples of the path to the
        `step`, the class of the `estimator`, whether it is `known` to learn, the
        `reason`, and what to use `instead`.

    Warns
    -----
    PrivacyLeakWarning
        For each of them.

    See Also
    --------
    PrivatePipeline : Refuses such steps, and has one budget for all others.

    Notes
    -----
    Privacy: what it knows are classes and parameters. That a function treats each row
    by itself, that a frozen step has seen public rows only, and that no private rows
    are in a parameter, cannot be seen.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import Normalizer
    >>> from skdpgmm import DPKMeans, DPPCA, check_pipeline
    >>> check_pipeline(make_pipeline(Normalizer(), DPPCA(2), DPKMeans(3)))
    []
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     (found,) = check_pipeline(make_pipeline(PCA(2), DPKMeans(3)))
    >>> found.step, found.instead.split(",")[0]
    ('pca', 'use DPPCA')
    """
    findings = list(find_leaks(type(pipeline).__name__.lower(), pipeline))
    for finding in findings:
        warn(str(finding), PrivacyLeakWarning)
    return findings


def find_leaks(name, step) -> Iterator[PipelineFinding]:
    """Yield what is known against a step, and against those inside of it."""
    # A private search refuses steps that learn by itself.
    if step is None or isinstance(
        step, str | FrozenEstimator | PrivateSearchCV | PAYING
    ):
        return
    if isinstance(step, _COMPOSED):
        outer = isinstance(step, Pipeline)
        for inner, part in parts_of(step):
            yield from find_leaks(inner if outer else f"{name}.{inner}", part)
            if isinstance(part, DPSyntheticResampler):
                return  # synthetic rows are all that comes after
        return
    if isinstance(step, _SEARCHES):
        yield _of_search(name, step)
        yield from find_leaks(f"{name}.estimator", step.estimator)
        return
    if not _learns_nothing(step):
        yield _finding(name, step)


def parts_of(step) -> list[tuple[str, Any]]:
    """Return the names and steps that are inside of a step."""
    if isinstance(step, Pipeline):
        return list(step.steps)
    if isinstance(step, FeatureUnion):
        return list(step.transformer_list)
    if isinstance(step, ColumnTransformer):
        inner = [(name, part) for name, part, _ in step.transformers]
        return [*inner, ("remainder", step.remainder)]
    if isinstance(step, PrivateSearchCV):
        return [("estimator", step.estimator)]
    return []


def pays_inside(step) -> bool:
    """Whether something inside of a step spends a budget."""
    return any(isinstance(p, PAYING) or pays_inside(p) for _, p in parts_of(step))


def _public_categories(step):
    given = not isinstance(step.categories, str)
    return given and step.min_frequency is None and step.max_categories is None


def _of_sklearn(step):
    return type(step).__module__.startswith("sklearn.")


def _learns_nothing(step):
    name = type(step).__name__
    if _of_sklearn(step) and name in _CONSTANT:
        return _CONSTANT[name](step)
    # Rows of several patches would be several records of one.
    if name == "PatchExtractor" or hasattr(step, "predict"):
        return False
    return hasattr(step, "__sklearn_tags__") and not get_tags(step).requires_fit


def _finding(path, step):
    name = type(step).__name__
    if name == "PatchExtractor":
        reason = "makes several rows of a record, which the budget does not know"
        instead = "make one row of each record"
    elif _of_sklearn(step):
        reason = "learns from the rows without paying"
        instead = _INSTEAD.get(name, _FROZEN)
        if is_classifier(step):
            instead = "use DPLogisticRegression, or put it into DPSyntheticClassifier"
        return PipelineFinding(path, name, True, reason, instead)
    else:
        reason = "is not known, and may learn from the rows without paying"
        instead = f"{_FROZEN}, or say by its tag requires_fit=False that it learns none"
        return PipelineFinding(path, name, False, reason, instead)
    return PipelineFinding(path, name, True, reason, instead)


def _of_search(path, step):
    return PipelineFinding(
        path,
        type(step).__name__,
        True,
        "chooses by exact scores of private rows, and fits many times",
        "choose on public or synthetic rows, and fit once to private ones",
    )
