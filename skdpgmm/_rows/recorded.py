"""Rows that are not there: what they once released stands for their sums.

The noise is in it already, so that no noise is added again. A release is rounded to a
lattice that is coarser than the grid where the noise is large: what was released lies
on it, and stays as it is; what did not come from a release moves, and is found out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np

from skdpgmm._rows.rehearsal import words
from skdpgmm.privacy.bounded_sum import Part, parts

# Steps of a grid are computed, and differ in the last bits between machines: so do
# numbers on it, relative to themselves.
_LAST_BITS = 2.0**-44
# Noisy sums are below that, `noise.MAX_SIGMA` and all records together.
_LARGEST = 2.0**92


class Recorded:
    """Answers of records that are not there, in the order in which they were given.

    Parameters
    ----------
    releases : sequence of sequence of ndarray
        Of each release the arrays of its parts, `packed`.
    """

    digest = 0
    n_rows = n_records = 1

    def __init__(self, releases: Sequence[Sequence[np.ndarray]]):
        self._left = list(releases)

    @property
    def n_left(self) -> int:
        """Number of releases that nobody has asked for."""
        return len(self._left)

    def sum(self, query):
        """Return the noisy sums that the next release was made of."""
        asked = parts(query)
        if not self._left:
            raise ValueError("The fit asks for more releases than there are.")
        given = self._left.pop(0)
        if len(given) != len(asked):
            raise ValueError(
                f"A release has {len(given)} parts where the fit asks for {len(asked)}."
            )
        sums = [integers(*both) for both in zip(asked, given, strict=True)]
        return *map(words, sums), words(1), words(0)

    def holding(self, ball):
        """Keep nothing: there is nothing."""
        return nullcontext()


def packed(part: Part, value: np.ndarray) -> np.ndarray:
    """Return the numbers of a release, each once, in an array of their own."""
    if not part.symmetric:
        return np.array(value, dtype=np.float64)
    return value[..., *np.triu_indices(part.shape[-1])]


def integers(part: Part, numbers: np.ndarray) -> np.ndarray:
    """Return the sums in grid units that were released as these `packed` numbers."""
    value = _unpacked(part, numbers)
    if not np.all(np.isfinite(value)):
        raise ValueError(f"A release of {part.name} is not finite.")
    found = _divided(value, part.scale)
    if not np.all(np.abs(found) < _LARGEST):
        raise ValueError(f"A release of {part.name} is larger than any.")
    if not np.all(np.abs(found * part.scale - value) <= _LAST_BITS * np.abs(value)):
        raise ValueError(f"A release of {part.name} is not on the grid.")
    return found


def _unpacked(part, numbers):
    d = part.shape[-1] if part.symmetric else 0
    shape = (*part.shape[:-2], d * (d + 1) // 2) if part.symmetric else part.shape
    if numbers.shape != shape:
        raise ValueError(
            f"A release of {part.name} has numbers of shape {numbers.shape}, where the "
            f"fit asks for {shape}."
        )
    if not part.symmetric:
        return numbers
    value = np.empty(part.shape)
    rows, columns = np.triu_indices(d)
    value[..., rows, columns] = numbers
    value[..., columns, rows] = numbers
    return value


def _divided(value, scale):
    """Return integers whose products with `scale` are `value`, to the bit."""
    with np.errstate(over="ignore"):
        found = np.rint(value / scale)
    # Both roundings together move large quotients to a neighbour, or the one beyond.
    step = np.maximum(1.0, np.spacing(np.abs(found)))
    right = found * scale == value
    for n in (1.0, -1.0, 2.0, -2.0):
        other = found + n * step
        found = np.where(~right & (other * scale == value), other, found)
        right = found * scale == value
    return found
