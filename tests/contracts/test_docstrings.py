"""Every public object is documented as numpydoc asks; pyproject.toml says how."""

import inspect
import sys
import tomllib
from pathlib import Path

import pytest
from numpydoc.validate import ERROR_MSGS, validate

import skdpgmm
import skdpgmm.displays
import skdpgmm.metrics

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def enabled_checks():
    """Read `checks` as numpydoc does: "all" turns the others into exceptions."""
    settings = tomllib.loads(PYPROJECT.read_text())["tool"]["numpydoc_validation"]
    checks = set(settings["checks"])
    return set(ERROR_MSGS) - checks if "all" in checks else checks


def public_names():
    for name in skdpgmm.metrics.__all__:
        yield f"skdpgmm.metrics.{name}"
    for module, name in [
        *(("skdpgmm", name) for name in skdpgmm.__all__),
        *(("skdpgmm.displays", name) for name in skdpgmm.displays.__all__),
    ]:
        obj = getattr(sys.modules[module], name)
        yield f"{module}.{name}"
        for attribute, member in vars(obj).items() if inspect.isclass(obj) else ():
            is_documented = inspect.isfunction(member) or isinstance(
                member, property | classmethod | staticmethod
            )
            if is_documented and not attribute.startswith("_"):
                yield f"{module}.{name}.{attribute}"


@pytest.mark.parametrize("name", sorted(public_names()))
def test_docstring(name):
    checks = enabled_checks()
    errors = [error for error in validate(name)["errors"] if error[0] in checks]
    assert not errors, "\n".join(f"{code}: {message}" for code, message in errors)
