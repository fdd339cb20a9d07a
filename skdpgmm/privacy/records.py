"""The only holder of the private records."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, Protocol

import numpy as np

from skdpgmm.privacy.accounting import Ledger, LedgerEntry, unit_factor
from skdpgmm.privacy.bounded_sum import SUMMAND_BITS, Query, parts
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.noise import (
    MAX_SIGMA,
    WORD_BITS,
    GaussianSource,
    add_lattice_gaussian,
    add_symmetric_gaussian,
)

# Each sum that is added in one word is of one row at least.
MAX_ROWS = 2**31
CHANGED_ROWS = (
    "X has other rows than when they were first looked at, or the same in another "
    "order (is it shuffled?): they must be the same each time that they are read."
)


class Rows(Protocol):
    """Private rows with the codes of their classes, wherever they are.

    Attributes
    ----------
    n_rows : int
        Number of rows, of which some may not take part.
    n_records : int
        Number of rows that take part: every pass must see each of them once.
    digest : int
        Sum of the digests of all blocks, as they were first looked at; 0 for rows that
        this process alone holds in memory.
    """

    n_rows: int
    n_records: int
    digest: int

    def sum(self, query: Query) -> tuple[np.ndarray, ...]:
        """Add `bounded_sum.summed` of blocks that hold every record exactly once.

        Returns int64 arrays of high and low words, of shape (2, ...): a sum is 2**31
        times the one and the other.
        """
        ...

    def holding(self, ball: Ball) -> AbstractContextManager:
        """Return a context that keeps grid points of this ball, where it saves time."""
        ...


class Release(NamedTuple):
    """A released array and the public standard deviation of its noise.

    For symmetric matrices `sd` is that of the diagonal; off the diagonal it is
    smaller by the square root of 2.
    """

    value: np.ndarray
    sd: np.ndarray | float


class PrivateRecords:
    """Private rows that can be seen through noisy bounded sums only.

    Algorithms receive this object in place of the data. The rows, the ledger and the
    source of the noise are variables of its methods, so that no attribute leads to
    them. `adjacency` and `max_contributions` say what two neighbouring data sets differ
    by; `watch` maps the name of a release, and no more, to a context in which it is
    made.

    Attributes
    ----------
    release : callable
        ``release(name, query, mus)`` debits the ledger, sums exactly in integers and
        adds noise: one `Release` for each part of the query, in units of the data.
        `query` is made of public values and earlier releases, and `mus` are the
        budgets of its parts, positive; ``inf`` adds no noise.
    holding : callable
        ``holding(ball)`` is that of the rows: it costs memory for time, and changes no
        result.
    """

    __slots__ = ("holding", "release")

    release: Callable[[str, Query, Any], tuple[Release, ...]]
    holding: Callable[[Any], AbstractContextManager]

    def __init__(
        self,
        rows: Rows,
        *,
        ledger: Ledger,
        adjacency: str,
        max_contributions: int,
        source: GaussianSource,
        watch: Callable[[str], AbstractContextManager] = nullcontext,
    ):
        if rows.n_rows > MAX_ROWS:
            raise ValueError(f"X must have at most {MAX_ROWS} rows for exact sums.")
        factors = {
            acute: unit_factor(adjacency, max_contributions, acute=acute)
            for acute in (False, True)
        }
        # No release has less than 2**-24 of the budget ``mu**2``.
        if 2.0 ** (SUMMAND_BITS + 12) * factors[False] / ledger.mu > MAX_SIGMA:
            raise ValueError(
                "max_contributions is too large for epsilon and delta: with a budget "
                f"of mu={ledger.mu:.3g}, nothing but noise comes out of sums that a "
                f"person may change by {max_contributions} records."
            )

        def release(name, query, mus):
            asked = parts(query)
            entries = [
                LedgerEntry(
                    f"{name}: {part.name}",
                    part.shape,
                    part.l2_sensitivity * factors[part.acute],
                    mu,
                )
                for part, mu in zip(asked, mus, strict=True)
            ]
            ledger.debit(entries)
            with watch(name):
                sums = exact_sums(rows, query)
            return tuple(
                add_noise(part, exact, entry, source)
                for part, exact, entry in zip(asked, sums, entries, strict=True)
            )

        # Not the method of `rows`, which would lead to them.
        self.release = release
        self.holding = lambda ball: rows.holding(ball)


def exact_sums(rows: Rows, query: Query) -> list[np.ndarray]:
    """Return the exact sums of a query, of every record once."""
    *sums, n_records, digest = rows.sum(query)
    found = [int(high) * 2**WORD_BITS + int(low) for high, low in (n_records, digest)]
    # Row sources are not part of this folder, so verify that each record was read
    # once, and in the same order: others belong to other persons.
    if found != [rows.n_records, rows.digest]:
        raise ValueError(CHANGED_ROWS)  # not how many: that is private
    return sums


def add_noise(part, exact, entry: LedgerEntry, source: GaussianSource) -> Release:
    """Return an exact sum with the noise that its entry in the ledger states."""
    if exact.shape != (2, *part.shape):  # of high and low words
        raise ValueError(f"{entry.name} has sums of shape {exact.shape[1:]}.")
    sigma = entry.l2_sensitivity / entry.mu
    add = add_symmetric_gaussian if part.symmetric else add_lattice_gaussian
    return Release(add(exact, sigma, source) * part.scale, sigma * part.scale)
