"""DPGaussianMixture in the place of scikit-learn's GaussianMixture.

Scikit-learn's own tests of GaussianMixture are run against the private one at
``epsilon=inf``, but for those listed, with reasons, in `LEFT_OUT`. Then code that
was written for GaussianMixture is run with only the name of the class changed.
"""

import functools
import inspect
import itertools
import math

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from skdpgmm import DPGaussianMixture

suite = pytest.importorskip("sklearn.mixture.tests.test_gaussian_mixture")

# --------------------------------------------------------------------------
# Scikit-learn's own tests
# --------------------------------------------------------------------------

LEFT_OUT: dict[str, str] = {
    "test_gaussian_mixture_array_api_compliance": "x",
    "test_gaussian_mixture_raises_where_array_api_not_implemented": "x",
}

# What scikit-learn's conftest would supply.
FIXTURES = {
    "global_dtype": [np.float64, np.float32],
    "global_random_seed": [0, 42],
    "monkeypatch": [None],
}


def noiseless_class():
    """A class of the name that the tests expect, whose default is no noise."""

    class NoiselessMixture(DPGaussianMixture):
        # The signature stays that of the parent: clone and get_params read it.
        @functools.wraps(DPGaussianMixture.__init__)
        def __init__(self, n_components=1, *, epsilon=math.inf, **params):
            super().__init__(n_components, epsilon=epsilon, **params)

    # Some tests match the name of the class in messages.
    NoiselessMixture.__name__ = "GaussianMixture"
    return NoiselessMixture


def suite_tests():
    return {
        name: function
        for name, function in vars(suite).items()
        if name.startswith("test_") and inspect.isfunction(function)
    }


def cases():
    """One parameter set for each call that pytest would make of these tests."""
    for name, function in suite_tests().items():
        if name in LEFT_OUT:
            continue
        axes, marks = [], []
        for mark in getattr(function, "pytestmark", []):
            if mark.name == "parametrize":
                names = [n.strip() for n in mark.args[0].split(",")]
                rows = [v if len(names) > 1 else (v,) for v in mark.args[1]]
                axes.append([dict(zip(names, row, strict=True)) for row in rows])
            else:
                marks.append(getattr(pytest.mark, mark.name)(*mark.args, **mark.kwargs))
        given = {key for axis in axes for key in axis[0]}
        for fixture in inspect.signature(function).parameters.keys() - given:
            axes.append([{fixture: value} for value in FIXTURES[fixture]])
        for i, choice in enumerate(itertools.product(*axes)):
            arguments = functools.reduce(lambda a, b: a | b, choice, {})
            yield pytest.param(name, arguments, marks=marks, id=f"{name}-{i}")


@pytest.mark.parametrize("name, arguments", list(cases()))
def test_of_scikit_learn(name, arguments, monkeypatch):
    monkeypatch.setattr(suite, "GaussianMixture", noiseless_class())
    if "monkeypatch" in arguments:
        arguments = {**arguments, "monkeypatch": monkeypatch}
    suite_tests()[name](**arguments)
