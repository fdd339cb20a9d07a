"""Covariance types are known in one place."""

import ast
from pathlib import Path

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
