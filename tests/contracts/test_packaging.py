"""What is said of versions, in all places where it is said."""

import re
import tomllib
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import skdpgmm

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
OLDEST = ROOT / "tests" / "requirements-oldest.txt"
# These need torch, which the environment of oldest versions lacks.
OF_TORCH = ("onnx", "diffusers", "encoders")
# Whose oldest versions no user needs: tools of tests and of the documentation.
TOOLS = ("tests", "docs", "examples")


def lower_bounds(lines):
    """Return the oldest version of each package that is required."""
    bounds = {}
    for one in map(Requirement, lines):
        wanted = [
            Version(s.version) for s in one.specifier if s.operator in ("==", ">=")
        ]
        bounds[one.name] = max(wanted, default=None)
    return bounds


def test_oldest_versions_are_the_lower_bounds():
    lines = (line for line in OLDEST.read_text().splitlines() if "==" in line)
    installed = lower_bounds(lines)
    of_users = [
        line
        for name, extra in EXTRAS.items()
        if name not in (*OF_TORCH, *TOOLS)
        for line in extra
    ]
    bounds = lower_bounds([*PROJECT["dependencies"], *of_users])
    assert installed.keys() >= bounds.keys() - {"torch"}
    admitted = bounds | lower_bounds(EXTRAS["tests"])
    assert installed == {name: admitted[name] for name in installed}


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_package_has_one_lower_bound(extra):
    everywhere = lower_bounds(chain(PROJECT["dependencies"], *EXTRAS.values()))
    assert lower_bounds(EXTRAS[extra]).items() <= everywhere.items()


def test_one_version():
    assert PROJECT["version"] == skdpgmm.__version__ == version("skdpgmm")
    cited = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: *\"?([\w.]+)", cited, re.M)[1] == skdpgmm.__version__
