"""What is asked of covariance types: said in one place, and right about noise."""

import ast
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import skdpgmm
from skdpgmm._models.covariances import COVARIANCES

PACKAGE = Path(skdpgmm.__file__).parent
# Moments of a query have the same names, and choices name what they choose.
MAY_NAME = {
    "_models/covariances.py",
    "_algorithms/budget.py",
    "_algorithms/choices.py",
    "_algorithms/looks.py",
    "_rows/device.py",
}


def strings(path):
    """Yield the strings of a module, but for default values of parameters."""
    tree = ast.parse(path.read_text())
    defaults = {
        id(default)
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for default in [*node.defaults, *node.kw_defaults]
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in defaults:
            yield node.value


def test_types_are_named_in_one_file():
    naming = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(value in COVARIANCES for value in strings(path) if type(value) is str)
    }
    naming = {p for p in naming if not p.startswith(("_queries/", "privacy/"))}
    assert naming <= MAY_NAME


@pytest.mark.parametrize("name", COVARIANCES)
@pytest.mark.parametrize("d", [1, 4])
def test_noise_is_as_large_as_is_said(name, d):
    covariance, rng = COVARIANCES[name], np.random.default_rng(0)
    shape = {"energy": (), "diag": (d,)}.get(covariance.moment, (d, d))
    scales, squares = [], []
    for noise in rng.standard_normal((10_000, *shape)):
        if noise.ndim == 2:  # isometric: smaller off the diagonal
            noise = (noise + noise.T) / 2.0
        scale, rest = covariance.split(noise, np.zeros(d))
        scales.append(scale)
        squares.append(d * scale**2 + np.sum(rest**2))
    # A bound: of matrices, entries off the diagonal are counted too.
    assert np.var(scales) < 1.1 * covariance.noise_of_scale(1.0, d)
    assert_allclose(np.mean(squares), covariance.n_numbers(d), rtol=0.1)
