"""Rows that are not there: what records that are all alike would sum to.

Algorithms see records through releases only, so that a rehearsal in place of rows makes
a whole fit without any.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np

from skdpgmm._rows.blocks import WORD_BITS

# Share of the bound of a second moment: that of records halfway to the edge.
_ENERGY = 0.25
_COUNTS = ("count", "counts")
_MOMENTS = ("energies", "squares", "scatters", "scatter", "moments")


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

    def sum(self, summand):
        """Return the sums as if the records were there."""
        query = summand.query
        sums = [self._part(query, part) for part in query.parts]
        return *map(_words, sums), _words(self.n_records), _words(0)

    def holding(self, ball):
        """Keep nothing: there is nothing."""
        return nullcontext()

    def _part(self, query, part):
        n, bound, shape = self.n_records, part.l2_sensitivity, part.shape
        sums = np.zeros(shape)
        if hasattr(query, "edges"):
            ball = getattr(query, "ball", None)
            norm = self._norm if ball is None else np.sqrt(_ENERGY) * ball.radius
            sums[np.searchsorted(query.edges, norm)] = n
        elif part.name in _COUNTS:
            sums[:] = n * bound / shape[0]
        elif part.name in _MOMENTS and part.symmetric:
            diagonal = np.arange(shape[-1])
            n_entries = np.prod(shape[:-1])
            sums[..., diagonal, diagonal] = n * bound * _ENERGY / n_entries
        elif part.name in _MOMENTS:
            sums[:] = n * bound * _ENERGY / sums.size
        return sums


def _words(numbers):
    """Return the high and low words of integers."""
    whole = np.rint(numbers).astype(np.int64)
    return np.stack([whole >> WORD_BITS, whole & (2**WORD_BITS - 1)])
