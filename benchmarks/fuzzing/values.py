"""Legal and illegal values of every constructor parameter, for the fuzzer.

What is not in the tables comes from the estimator's own `_parameter_constraints`, so
that a new parameter is fuzzed from the day it exists.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils._param_validation import (
    generate_invalid_param_val,
    generate_valid_param,
    make_constraint,
)

# What a parameter may be changed to: in its own right, with what share of illegal ones.
SHARE_CHANGED = 0.35
SHARE_ILLEGAL = 0.04

# The guarantee rests on these, so they are checked with validation switched off too.
GUARANTEE = ("epsilon", "delta", "adjacency", "max_contributions")


class Facts(NamedTuple):
    """What the values of parameters depend on.

    Attributes
    ----------
    n_features : int
    scale : float
        Spread of the rows.
    middle : ndarray of shape (n_features,)
        Where they are.
    labels : ndarray
        Distinct labels, in order.
    small : bool
        Whether fits have to be fast.
    """

    n_features: int
    scale: float
    middle: Any
    labels: Any
    small: bool


def one_of(*values):
    return lambda rng, facts, params: values[rng.integers(len(values))]


def epsilon(rng, facts, params):
    exact = [math.inf, 1, np.float32(0.5), 1e-3, 1e6, 1e12]
    if rng.random() < 0.3:
        return exact[rng.integers(len(exact))]
    return float(10.0 ** rng.uniform(-3, 12 if rng.random() < 0.3 else 1.5))


def clip_norm(rng, facts, params):
    return float(facts.scale * 10.0 ** rng.uniform(-2, 2))


def center(rng, facts, params):
    far = rng.choice([0.0, 1.0, 100.0])
    values = facts.middle + far * facts.scale * rng.standard_normal(facts.n_features)
    return values.tolist() if rng.random() < 0.3 else values


def bounds(rng, facts, params):
    wide = facts.scale * 10.0 ** rng.uniform(-2, 2, (2, facts.n_features))
    low = facts.middle - wide[0]
    # Wide enough to be an interval in float64.
    high = np.maximum(facts.middle + wide[1], low + 1e-9 * np.abs(low) + 1e-50)
    kind = rng.integers(4)
    if kind == 0:
        return float(low.min()), float(high.max())
    if kind == 1:
        return float(low.min()), high
    return (low.tolist(), high.tolist()) if kind == 2 else np.stack([low, high])


def bounds_reversed(rng, facts, params):
    return facts.middle + 1.0, facts.middle - 1.0


def random_state(rng, facts, params):
    seed = int(rng.integers(2**32))
    if rng.random() < 0.3:
        return np.random.RandomState(seed)
    return None if rng.random() < 0.3 else seed


def classes(rng, facts, params):
    labels = facts.labels
    shuffled = rng.permutation(labels)
    return (labels, labels.tolist(), shuffled, tuple(labels.tolist()))[rng.integers(4)]


def public_rows(rng, facts, params):
    shape = rng.integers(2, 40), facts.n_features
    X = facts.middle + facts.scale * rng.standard_normal(shape)
    if rng.random() < 0.2:
        X[:] = X[0]
    with np.errstate(over="ignore"):
        narrow = X.astype(np.float32)
    return X if rng.random() < 0.7 or not np.isfinite(narrow).all() else narrow


def n_clusters(rng, facts, params):
    if rng.random() < 0.1 and not facts.small:
        return int(rng.integers(20, 61))
    return int(rng.integers(1, 6 if facts.small else 13))


def n_axes(rng, facts, params):
    return int(rng.integers(1, facts.n_features + 1))


def weights_init(rng, facts, params):
    return rng.dirichlet(np.ones(params["n_components"]))


def means_init(rng, facts, params):
    shape = params["n_components"], facts.n_features
    return facts.middle + facts.scale * rng.standard_normal(shape)


def precisions_init(rng, facts, params):
    k, d = params["n_components"], facts.n_features
    unit = facts.scale**-2.0
    A = rng.standard_normal((k, d, d))
    full = unit * (A @ A.swapaxes(1, 2) / d + 0.1 * np.eye(d))
    of = {
        "full": full,
        "tied": full[0],
        "diag": unit * rng.uniform(0.1, 2.0, (k, d)),
        "spherical": unit * rng.uniform(0.1, 2.0, k),
    }
    return of.get(params["covariance_type"], full)


def wrong_width(rng, facts, params):
    return np.ones((3, facts.n_features + 1))


def wrong_length(rng, facts, params):
    return np.ones(facts.n_features + 2)


def with_nan(rng, facts, params):
    return np.full(facts.n_features, np.nan)


def public_nan(rng, facts, params):
    return np.full((3, facts.n_features), np.nan)


def without_one(rng, facts, params):
    # A set that has not all labels that occur.
    return facts.labels[1:] if len(facts.labels) > 1 else ["another", "third"]


def precision_not_positive(rng, facts, params):
    return -np.abs(precisions_init(rng, facts, params))


def mapped(*functions):
    return lambda rng, facts, params: functions[rng.integers(len(functions))](
        rng, facts, params
    )


# Parameter -> (legal, illegal): functions of (rng, facts, parameters drawn so far).
TABLE: dict[str, tuple[Callable, Callable]] = {
    "epsilon": (epsilon, one_of(0, -1.0, math.nan, -math.inf, "1", None, [1.0], 1j)),
    "delta": (
        one_of(1e-5, 1e-9, 1e-2, 0.5, 1e-12, np.float64(1e-6)),
        one_of(0, 1, -0.1, math.nan, 2.0, "tiny", None, 1),
    ),
    "adjacency": (
        one_of("add-remove", "replace-one"),
        one_of("Add-Remove", None, 1, "replace", b"add-remove", ["add-remove"]),
    ),
    "max_contributions": (
        one_of(None, None, 1, 2, 5, np.int64(3), 40),
        one_of(0, -1, 1.5, "2", math.nan, math.inf, [1]),
    ),
    "clip_norm": (
        mapped(clip_norm, clip_norm, one_of("auto")),
        one_of(0, -1.0, math.nan, math.inf, "Auto", None, [1.0]),
    ),
    "center": (
        mapped(one_of(None), center),
        mapped(wrong_length, with_nan, one_of("origin", 0.0, {})),
    ),
    "bounds": (
        mapped(one_of(None), bounds),
        mapped(bounds_reversed, wrong_width, one_of("auto", 1.0, (0.0,), (0.0, 0.0))),
    ),
    "scale": (one_of(None, "auto"), one_of("yes", 1.0, True)),
    "clip": (one_of(10.0, 3, 0.5), one_of(0.0, -1.0, None, math.nan, "10")),
    "random_state": (
        random_state,
        one_of(-1, 2**32, "seed", 1.5, np.random.default_rng(0)),
    ),
    "block_size": (one_of(1, 2, 3, 7, 64, 4096, 10**9), one_of(0, -1, 1.5, None, "8")),
    "n_jobs": (one_of(None, 1, 2, -1), one_of(1.5, "2", [2])),
    "classes": (
        mapped(one_of(None), classes),
        mapped(without_one, one_of("abc", 3, [[0, 1]], [])),
    ),
    "X_public": (
        mapped(one_of(None), public_rows),
        mapped(wrong_width, public_nan, with_nan, one_of("public", 3, [[1.0]])),
    ),
    "n_random_features": (one_of(0, 1, 7, 32, "auto"), one_of(-1, 1.5, None, "8")),
    "n_clusters": (n_clusters, one_of(0, -2, 2.5, "8", None, math.nan)),
    "n_components": (n_clusters, one_of(0, -2, 2.5, "many", None, math.nan)),
    "n_init": (one_of(1, 2, 3), one_of(0, 1.5, None)),
    "tol": (one_of(1e-3, 0.0, 1.0), one_of(-1.0, None, "low")),
    "reg_covar": (one_of(1e-6, 0.0, 1e-3), one_of(-1.0, None, "low")),
    "weights_init": (
        mapped(one_of(None), weights_init),
        mapped(wrong_length, one_of("even", 0.5, [0.3, 0.3, 0.3])),
    ),
    "means_init": (
        mapped(one_of(None), means_init),
        mapped(wrong_width, with_nan, one_of("kmeans")),
    ),
    "precisions_init": (
        mapped(one_of(None), precisions_init),
        mapped(precision_not_positive, one_of("unit", 1.0)),
    ),
    "covariance_type": (
        one_of("full", "tied", "diag", "spherical"),
        one_of("Full", None, 1, "low-rank"),
    ),
    "label_model": (one_of("auto", True, False), one_of("yes", None, 2.0)),
    "normalize": (one_of("auto", True, False), one_of("yes", None, 2.0)),
    "init_params": (
        one_of("kmeans", "k-means++", "random", "random_from_data"),
        one_of("k-means", None, 1),
    ),
    "warm_start": (one_of(False, True), one_of("yes", None, 2.0)),
    "verbose": (one_of(0, 1), one_of(-1, "loud", 1.5)),
    "n_samples": (one_of(1, 7, 50, 200), one_of(0, -5, 2.5, "all", None)),
    "class_weight": (one_of(None, "balanced"), one_of("equal", {"no class": 1}, 1.0)),
}
# Where one name means different things to different estimators.
OF_ESTIMATOR: dict[tuple[str, str], tuple[Callable, Callable]] = {
    ("DPKMeans", "max_iter"): (one_of(1, 2, 5, 9), one_of(0, -1, 1.5, "auto", None)),
    ("DPGaussianMixture", "max_iter"): (
        one_of("auto", 0, 1, 2, 5),
        one_of(-1, 1.5, "all", None),
    ),
    ("DPPCA", "n_components"): (
        mapped(one_of("auto", None, 0.5), n_axes),
        one_of(0, -2, 2.5, 1.0, "many"),
    ),
    ("DPEmbeddingSynthesizer", "max_iter"): (
        one_of("auto", 0, 1, 3),
        one_of(-1, 1.5, "all", None),
    ),
    ("DPEmbeddingSynthesizer", "covariance_type"): (
        one_of("auto", "full", "tied", "diag", "spherical"),
        one_of("Full", None, 1, "low-rank"),
    ),
    ("DPEmbeddingSynthesizer", "n_components"): (
        mapped(one_of("auto"), n_clusters),
        one_of(0, -2, 2.5, "many", None),
    ),
}


def draw_value(cls, name, legal, rng, facts, params):
    """Return a value of a parameter, from the tables or the constraints."""
    table = OF_ESTIMATOR.get((cls.__name__, name)) or TABLE.get(name)
    if table is not None:
        return table[0 if legal else 1](rng, facts, params)
    constraints = [make_constraint(c) for c in cls._parameter_constraints[name]]
    constraint = constraints[rng.integers(len(constraints))]
    try:
        make = generate_valid_param if legal else generate_invalid_param_val
        return make(constraint)
    except NotImplementedError:  # no value is wrong for this one alone
        return object()


def draw_params(cls, rng, facts, illegal, skip=()):
    """Return parameters, and the names of those that have an illegal value.

    At most one is illegal, where any is to be.
    """
    params = dict(cls().get_params(deep=False))
    if facts.small and "n_components" in params:
        axes = cls.__name__ == "DPPCA"
        params["n_components"] = (n_axes if axes else n_clusters)(rng, facts, params)
    # The shape of the starts follows from the others.
    names = sorted(set(params) - set(skip), key=lambda n: (n.endswith("_init"), n))
    for name in names:
        if rng.random() < SHARE_CHANGED:
            params[name] = draw_value(cls, name, True, rng, facts, params)
    if not illegal:
        return params, ()
    name = names[rng.integers(len(names))]
    params[name] = draw_value(cls, name, False, rng, facts, params)
    return params, (name,)
