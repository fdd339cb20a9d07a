"""Pytest's options for this folder."""

import re
from importlib.util import find_spec
from pathlib import Path

# Modules that tests import, by `pythonpath` of pyproject.toml; no tests are in them.
collect_ignore = ["helpers"]
if find_spec("torch") is None:
    # As in the environment of `make test-oldest`.
    collect_ignore += [
        str(path)
        for path in Path(__file__).parent.rglob("test_*.py")
        if re.search("import torch|importorskip..torch", path.read_text())
    ]
