"""The only holder of the private records."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from skdpgmm.privacy.accounting import Ledger, LedgerEntry, check_mu
from skdpgmm.privacy.bounded_sum import SUMMAND_BITS, Query, parts
from skdpgmm.privacy.noise import (
    MAX_SIGMA,
    WORD_BITS,
    GaussianSource,
    add_lattice_gaussian,
    add_symmetric_gaussian,
)
from skdpgmm.privacy.passes import CHANGED_ROWS, Rows, Summand

# Each sum that is added in one word is of one row at least.
MAX_ROWS = 2**31


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
    them.

    Parameters
    ----------
    rows : Rows
        The private rows, of finite numbers.
    ledger : Ledger
        Holds the budget.
    unit_factor : int
        How many bounded records two neighbouring data sets may differ by.
    source : GaussianSource
        Source of the noise.
    watch : callable, optional
        Maps the name of a release to a context manager that is entered while it is
        made. The name is all it gets.

    Attributes
    ----------
    release : callable
        ``release(name, query, mus)`` debits the ledger, sums exactly in integers and
        adds noise: one `Release` for each part of the query, in units of the data.
        `query` is made of public values and earlier releases, and `mus` are the
        budgets of its parts, positive; ``inf`` adds no noise.
    holding : callable
        ``holding(ball)`` is a context in which rows in memory are clipped and rounded
        to the grid of `ball` once for all releases. It costs memory for time, and
        changes no result.
    """

    __slots__ = ("holding", "release")

    release: Callable[[str, Query, Any], tuple[Release, ...]]
    holding: Callable[[Any], AbstractContextManager]

    def __init__(
        self,
        rows: Rows,
        *,
        ledger: Ledger,
        unit_factor: int,
        source: GaussianSource,
        watch: Callable[[str], AbstractContextManager] = nullcontext,
    ):
        if rows.n_rows > MAX_ROWS:
            raise ValueError(f"X must have at most {MAX_ROWS} rows for exact sums.")
        check_noise(unit_factor, ledger.mu)

        def release(name, query, mus):
            asked = parts(query)
            entries = [
                LedgerEntry(
                    f"{name}: {part.name}",
                    part.shape,
                    part.l2_sensitivity * unit_factor,
                    1.0 / check_mu(mu, f"mu of the release {name!r}"),
                    float(mu),
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


def check_noise(unit_factor: int, mu: float) -> None:
    """Refuse a fit whose noise would be too large to be drawn, before it starts.

    No release has less than 2**-24 of the budget ``mu**2``.
    """
    if 2.0**SUMMAND_BITS * unit_factor / mu * 2.0**12 > MAX_SIGMA:
        raise ValueError(
            "max_contributions is too large for epsilon and delta: with a budget of "
            f"mu={mu:.3g}, nothing but noise comes out of sums that a person may "
            f"change by {unit_factor} records."
        )


def exact_sums(rows: Rows, query: Query) -> list[np.ndarray]:
    """Return the exact sums of a query, of every record once."""
    *sums, n_records, digest = rows.sum(Summand(query))
    # Row sources are not part of this folder, so verify that each record was read
    # once, and in the same order: others belong to other persons.
    if (_one(n_records), _one(digest)) != (rows.n_records, rows.digest):
        raise ValueError(CHANGED_ROWS)  # not how many: that is private
    return sums


def _one(words) -> int:
    high, low = words
    return int(high) * 2**WORD_BITS + int(low)


def add_noise(part, exact, entry: LedgerEntry, source: GaussianSource) -> Release:
    """Return an exact sum with the noise that its entry in the ledger states."""
    if exact.shape != (2, *part.shape):  # of high and low words
        raise ValueError(f"{entry.name} has sums of shape {exact.shape[1:]}.")
    sigma = entry.l2_sensitivity / entry.mu
    add = add_symmetric_gaussian if part.symmetric else add_lattice_gaussian
    return Release(add(exact, sigma, source) * part.scale, sigma * part.scale)
