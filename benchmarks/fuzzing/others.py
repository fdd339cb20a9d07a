"""Cases of the fuzzer that are no private estimators."""

from __future__ import annotations

import math

import numpy as np
import torch

from benchmarks.fuzzing.checks import check_report, demand
from benchmarks.fuzzing.data import Given, draw_ids
from benchmarks.fuzzing.values import TABLE, Facts
from skdpgmm import TorchEmbeddingTransformer
from skdpgmm.metrics import private_accuracy

PARAMS = ("epsilon", "delta", "adjacency", "max_contributions", "random_state")
PAIRS = {
    "integers": lambda t, p: (t, p),
    "lists": lambda t, p: (t.tolist(), p.tolist()),
    "strings": lambda t, p: (t.astype(str), p.astype(str)),
    "objects": lambda t, p: (t.astype(str).astype(object), p.astype(str)),
    "booleans": lambda t, p: (t > 1, p > 1),
    "floats": lambda t, p: (t.astype(float), p.astype(float)),
    "integers-floats": lambda t, p: (t, p.astype(float)),
}
BAD_PAIRS = {
    "integers-strings": lambda t, p: (t, p.astype(str)),
    "nan": lambda t, p: (np.append(t[1:].astype(float), np.nan), p),
    "predicted-nan": lambda t, p: (t, np.append(p[1:].astype(float), np.nan)),
    "none-inside": lambda t, p: (np.append(t[1:].astype(object), [None]), p),
    "lengths": lambda t, p: (t, p[:-1]),
    "two-columns": lambda t, p: (np.column_stack([t, t]), p),
    "nothing": lambda t, p: (t[:0], p[:0]),
    "scalar": lambda t, p: (1, 2),
    "none": lambda t, p: (None, p),
}


def draw_accuracy(case, small):
    """Return a case of `private_accuracy`."""
    rng = case.rng
    n = int(2 ** rng.uniform(0.0, 8.0 if small else 12.0))
    truth, predicted = rng.integers(4, size=(2, n))
    wrong = ["", "params", "labels", "ids"][rng.choice(4, p=[0.6, 0.2, 0.15, 0.05])]
    table = BAD_PAIRS if wrong == "labels" else PAIRS
    name = list(table)[rng.integers(len(table))]
    truth, predicted = table[name](truth, predicted)
    case.labels = Given(truth, None, wrong != "labels", name)
    params = {}
    facts = Facts(1, 1.0, np.zeros(1), np.arange(4), small)
    for parameter in PARAMS:
        if rng.random() < 0.5:
            params[parameter] = TABLE[parameter][0](rng, facts, params)
    if wrong == "params":
        parameter = PARAMS[rng.integers(len(PARAMS))]
        params[parameter] = TABLE[parameter][1](rng, facts, params)
        case.illegal += (parameter,)
    elif name == "nothing":  # the number of records is private, but none is none
        case.either += (f"y {name}",)
    elif wrong == "labels":
        case.illegal += (f"y {name}",)
    if wrong == "ids" or rng.random() < 0.2:
        case.ids = draw_ids(rng, n, wrong == "ids")
        if wrong == "ids":
            case.illegal += (f"ids {case.ids.name}",)
    few = not case.illegal and params.get("epsilon", 1.0) < 0.1
    if few and params.get("max_contributions") == 40:
        case.either += ("noise",)
    if rng.random() < 0.1:
        case.config["skip_parameter_validation"] = True
    case.params, case.about = params, {"n": n}

    def run(debited):
        score = private_accuracy(truth, predicted, **params, **case.keywords)
        check_report(score.privacy, params.get("epsilon", 1.0), debited)
        demand(0.0 <= score.accuracy <= 1.0, "accuracy is none")
        demand(score.noise_sd >= 0.0, "noise_sd is negative")
        demand(math.isfinite(score.noise_sd), "noise_sd is not finite")

    case.run = run
    return case


class Mixing(torch.nn.Module):
    """Not an encoder: a row depends on the others of its batch."""

    def forward(self, x):
        return x + x.mean(dim=0)


class Returns(torch.nn.Module):
    """Returns what it is told to."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def linear(d):
    return torch.nn.Linear(d, 5)


MODULES = {
    "linear": linear,
    "in-place": lambda d: torch.nn.Sequential(torch.nn.ReLU(inplace=True), linear(d)),
    "dropout": lambda d: torch.nn.Sequential(linear(d), torch.nn.Dropout()),
    "double": lambda d: linear(d).double(),
    "batch-norm": lambda d: torch.nn.Sequential(
        linear(d), torch.nn.BatchNorm1d(5)
    ).eval(),
    "only-in-place": lambda d: torch.nn.ReLU(inplace=True),
    "identity": lambda d: torch.nn.Identity(),
}
BAD_MODULES = {
    "mixing": lambda d: Mixing(),
    "batch-norm-training": lambda d: torch.nn.BatchNorm1d(d),
    "nan": lambda d: Returns(lambda x: x * math.nan),
    "nothing": lambda d: Returns(lambda x: None),
    "one-number": lambda d: Returns(lambda x: x.sum()),
    "words": lambda d: Returns(lambda x: "x"),
    "no-module": lambda d: "module",
}
ITEMS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "float16": lambda X: X.astype(np.float16),
    "uint8": lambda X: X.astype(np.uint8),
    "fortran": np.asfortranarray,
    "tensor": lambda X: torch.from_numpy(X.astype(np.float32)),
    "double-tensor": torch.from_numpy,
}


def draw_transformer(case):
    """Return a case of `TorchEmbeddingTransformer` on rows of numbers."""
    rng = case.rng
    n, d = int(rng.integers(1, 40)), int(rng.integers(1, 9))
    wrong = rng.random() < 0.2
    table = BAD_MODULES if wrong else MODULES
    kind = list(table)[rng.integers(len(table))]
    if kind == "mixing" and n == 1:
        n = 2
    items = list(ITEMS)[rng.integers(len(ITEMS))]
    X = ITEMS[items](3.0 * rng.standard_normal((n, d)))
    torch.manual_seed(int(rng.integers(2**31)))
    params = {
        "normalize": bool(rng.integers(2)),
        "batch_size": int(rng.integers(1, 50)),
    }
    transformer = TorchEmbeddingTransformer(table[kind](d), **params)
    case.about = {"n": n, "d": d, "module": kind, "items": items}
    case.estimator, case.params = transformer, transformer.get_params(deep=False)
    case.illegal = (kind,) if wrong else ()
    before = np.asarray(X).copy()

    def run(debited):
        Z = transformer.fit(X).transform(X)
        demand(np.array_equal(np.asarray(X), before), "X was overwritten")
        demand(Z.dtype == np.float32 and len(Z) == n, "Z is of another type or shape")
        demand(np.isfinite(Z).all(), "Z is not finite")
        if params["normalize"]:
            norms = np.linalg.norm(Z, axis=1)
            unit = np.isclose(norms, 1.0, atol=1e-3) | (norms == 0.0)
            demand(unit.all(), "Z is not of unit norm", norms[:5])
        names = transformer.get_feature_names_out()
        demand(len(names) == Z.shape[1], "feature names are not as many")
        alone = transformer.transform(X[:1])
        demand(np.allclose(alone, Z[:1], atol=1e-3), "a row depends on its batch")

    case.run = run
    return case
