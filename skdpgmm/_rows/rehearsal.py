"""Rows that are not there: what records that are all alike would sum to.

Algorithms see records through releases only, so that a rehearsal in place of rows makes
a whole fit without any.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from skdpgmm.privacy.bounded_sum import MOMENTS, parts
from skdpgmm.privacy.noise import WORD_BITS

# Share of the bound of a second moment: that of records halfway to the edge.
_ENERGY = 0.25


class Rehearsal:
    """Records in equal numbers in all cells, of mean zero and a quarter of all energy.

    Parameters
    ----------
    n : int
        Number of records.
    norm : float
        Distance of all of them to any centre.
    """

    digest = 0

    def __init__(self, n, norm=1.0):
        self.n_rows = self.n_records = n
        self._norm = norm

    def sum(self, query):
        """Return the sums as if the records were there."""
        sums = [
            self._part(query, name, part)
            for name, part in zip(query.moments, parts(query), strict=True)
        ]
        return *map(words, sums), words(self.n_records), words(0)

    def holding(self, ball):
        """Keep nothing: there is nothing."""
        return nullcontext()

    def _part(self, query, name, part):
        n, bound, shape = self.n_records, part.l2_sensitivity, part.shape
        sums = np.zeros(shape)
        if hasattr(query, "cuts"):
            return self._of_features(query)
        if hasattr(query, "edges"):
            far = query.ball is None
            norm = self._norm if far else np.sqrt(_ENERGY) * query.ball.radius
            sums[np.searchsorted(query.edges, norm)] = n
        elif name == "count" and query.weights.norm != "l2":
            sums[:] = n * bound / shape[0]
        elif MOMENTS[name].degree == 2 and part.symmetric:
            diagonal = np.arange(shape[-1])
            n_entries = np.prod(shape[:-1])
            sums[..., diagonal, diagonal] = n * bound * _ENERGY / n_entries
        elif MOMENTS[name].degree == 2:
            sums[:] = n * bound * _ENERGY / sums.size
        return sums

    def _of_features(self, query):
        """Return histograms of features that are alike, and lie evenly in all bins."""
        counts = np.zeros((len(query.cuts), query.cuts.shape[1] + 1))
        if query.folded:
            for count, cuts in zip(counts, query.cuts, strict=True):
                count[np.searchsorted(cuts, self._norm)] = self.n_records
        else:
            counts[:, 1:-1] = self.n_records / max(counts.shape[1] - 2, 1)
        return (counts * query.weight).ravel()


class _Silent:
    """A source of noise that is zero, where there is no record to be hidden."""

    def standard_normal(self, shape):
        return np.zeros(shape)


NO_NOISE: Any = _Silent()


def words(numbers):
    """Return the high and low words of integers."""
    high, low = np.divmod(np.rint(numbers), 2.0**WORD_BITS)
    return np.stack([high, low]).astype(np.int64)
