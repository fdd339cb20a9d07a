"""Pytest's options for this folder."""

# Modules that tests import, by `pythonpath` of pyproject.toml; no tests are in them.
collect_ignore = ["helpers"]
