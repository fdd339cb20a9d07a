"""Tests stand where their module does: both ways, from modules to tests and back."""

import ast
from pathlib import Path

import pytest

import skdpgmm

PACKAGE = Path(skdpgmm.__file__).parent
TESTS = Path(__file__).parents[1]

# Modules that need no file of tests, and why.
UNTESTED = {"exceptions.py": "names of warnings, which do nothing"}
# Files of tests that are about no module of their name, and why.
OF_A_WING = {
    "embedding/test_clip.py": "models of other libraries in the transformer",
    "embedding/test_image_decoder.py": "the decoder of an example",
    "embedding/test_items_memory.py": "what the caller holds, in all ways to a module",
    "estimators/test_public_knowledge.py": "public rows in all estimators that take it",
    "privacy/test_accounting_range.py": "the same module, in exact arithmetic",
    "privacy/test_bounded_sum_looks.py": "the same module, its looks at new maps",
    "privacy/test_noise_generator.py": "the same module, its keys and its cipher",
    "queries/test_noise_of_queries.py": "all queries of a list",
    "queries/test_privacy_neighbours.py": "all queries of a list",
    "queries/test_rows_alone.py": "all queries of a list",
}


def modules():
    """Yield the modules that have a function or a class."""
    for path in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(path.read_text()).body
        defined = (ast.FunctionDef, ast.ClassDef)
        if path.stem != "__init__" and any(isinstance(node, defined) for node in body):
            yield path.relative_to(PACKAGE)


def place_of(module):
    """Return where the tests of a module are."""
    wing, name = module.parent.name.lstrip("_"), module.stem.lstrip("_")
    return f"{wing}/test_{name}.py"


MODULES = list(modules())


def test_every_module_has_tests_of_its_name():
    missing = {str(m) for m in MODULES if not (TESTS / place_of(m)).is_file()}
    assert missing == UNTESTED.keys()


def test_every_file_of_tests_has_a_module_of_its_name():
    wings = {place_of(module).split("/")[0] for module in MODULES} - {""}
    found = {
        f"{w}/{path.name}" for w in wings for path in (TESTS / w).glob("test_*.py")
    }
    assert found - {place_of(module) for module in MODULES} == OF_A_WING.keys()


@pytest.mark.parametrize("module", ["_rows/labels.py", "metrics/_utility.py"])
def test_names_are_those_of_the_module(module):
    assert Path(module) in MODULES
    assert (TESTS / place_of(Path(module))).is_file()
