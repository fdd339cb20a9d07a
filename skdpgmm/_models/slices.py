"""Slices of rows, for what takes more memory than the rows."""

from __future__ import annotations


def row_slices(n_rows, size) -> list[slice]:
    """Cut ``range(n_rows)`` into slices of at most `size`, none for no rows."""
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]
