"""The bounded sums: each kernel beside its sensitivity and the lemma behind it.

Every private query is ``sum_i f_theta(x_i)`` with theta public. A query has
parts; each part states ``l2_sensitivity``, a bound on ``||f_theta(x)||_2`` in
integer grid units that holds for *every* record x, and the factor ``scale`` that
turns grid units into those of the data. The whole argument is here and in
`grid.clip_round`, which verifies the norms that the lemmas start from.

Common notation: g is the grid point of a record (``||g|| <= 2**24``), j a cell or
component, c_j its public centre, r_j its public radius,
``u_j = round(clip(g - c_j, r_j) * 2**b / r_j)`` so that ``||u_j|| <= 2**b``, and e
a vector of non-negative integers with ``sum(e) <= E``: a one-hot vector (E = 1)
or rounded responsibilities (E = 2**10).

Exactness: a block of at most ``MAX_BLOCK_ROWS`` rows keeps every float64 partial
sum below 2**53, and ``MAX_ROWS`` rows keep both words of every total below 2**63.
"""

from __future__ import annotations

import numpy as np

# Largest entry of a summand: 2**(2 * 16) for cells, 2**(10 + 2 * 13) for soft ones.
_SUMMAND_BITS = 36
LARGEST_SUMMAND = 2.0**_SUMMAND_BITS
MAX_BLOCK_ROWS = 2 ** (53 - _SUMMAND_BITS - 1)
# Each sum that is added in two words is of one row at least.
MAX_ROWS = 2**31


def integers(array):
    """Convert float64 values that are integers, exactly."""
    return np.asarray(array).astype(np.int64, order="C")
