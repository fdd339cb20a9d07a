"""What is refused before a fit, as nothing good could come of it after it is paid for.

Numbers whose squares, and squares of squares, would leave float64; and releases that
do not fit into memory. Both are known from public quantities.
"""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np

from skdpgmm._algorithms import choices

# Errors of variances are compared by the squares of squares of a radius, which noise
# may multiply by 1e24, as it does for the least epsilon and many records of a person.
LARGEST, SMALLEST = 1e60, 1e-60
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)

# Bytes that a fit may need, where less than the machine has is called for.
_MOST: ContextVar[float] = ContextVar("most", default=math.inf)
# What a sum is held in: two words of it, those of one more block, noise, result,
# estimate.
_COPIES = 6


@contextmanager
def releases_of(n_bytes):
    """Let fits in this context have no larger release than one of so many bytes."""
    token = _MOST.set(_COPIES * n_bytes)
    try:
        yield
    finally:
        _MOST.reset(token)


def check_size(name, values):
    """Refuse public numbers that are too large for float64 to square them twice."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if not largest <= LARGEST:
        raise ValueError(
            f"{name} must have entries between {-LARGEST:g} and {LARGEST:g}, got one "
            f"of absolute value {largest:g}."
        )


def check_memory(n_numbers, what):
    """Refuse a fit whose releases would not fit into memory.

    Parameters
    ----------
    n_numbers : int
        Numbers of 8 bytes in the arrays that are released, a function of public
        quantities only.
    what : str
        The parameters that they come from, for the message.
    """
    needed, there = _COPIES * 8 * n_numbers, _memory()
    if needed > there:
        raise ValueError(
            f"{what} would need {needed / 1e9:.3g} GB of memory for what is released, "
            f"and this machine has {there / 1e9:.3g} GB. Nothing was spent."
        )


def codebook_numbers(k, n_classes, n_features):
    """Return how many numbers the largest release of a codebook of k-means has."""
    if k == 1:
        return 0
    width = choices.codebook_features(n_features).value
    # A count, a sum and an energy of each cell.
    return n_classes * choices.n_codewords(k) * (width + 2)


def _memory() -> float:
    """Return the bytes of memory of this machine, or that this process may have."""
    limits = [_MOST.get()]
    if hasattr(os, "sysconf"):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in _CGROUP_LIMITS:
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits)
