"""The only holder of the private records."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

import numpy as np

from skdpgmm._blocks import WORD_BITS, one_blas_thread
from skdpgmm.privacy.accounting import Ledger, LedgerEntry
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.noise import add_lattice_gaussian, add_symmetric_gaussian
from skdpgmm.privacy.queries import BoundedSum
from skdpgmm.privacy.rows import CHANGED_ROWS, Rows, Summand
from skdpgmm.privacy.sums import MAX_ROWS


class Release(NamedTuple):
    """A released array and the public standard deviation of its noise.

    For symmetric matrices `sd` is that of the diagonal; off the diagonal it is
    smaller by the square root of 2.
    """

    value: np.ndarray
    sd: np.ndarray | float


class PrivateRecords:
    """Private rows that can be seen through noisy bounded sums only.

    Algorithms receive this object in place of the data. Its one method,
    `release`, debits the ledger, sums exactly in integers, and adds noise.

    Parameters
    ----------
    rows : Rows
        The private rows, of finite numbers.
    ledger : Ledger
        Holds the budget.
    unit_factor : int
        How many bounded records two neighbouring data sets may differ by.
    generator : numpy.random.Generator
        Source of the noise.
    watch : callable, optional
        Maps the name of a release to a context manager that is entered while it is
        made. The name is all it gets.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        ledger: Ledger,
        unit_factor: int,
        generator: np.random.Generator,
        watch: Callable[[str], AbstractContextManager] = nullcontext,
    ):
        if rows.n_rows > MAX_ROWS:
            raise ValueError(f"X must have at most {MAX_ROWS} rows for exact sums.")
        self._rows = rows
        self._ledger = ledger
        self._unit_factor = unit_factor
        self._generator = generator
        self._watch = watch

    @contextmanager
    def holding(self, ball: Ball):
        """Clip and round to the grid of `ball` once for all releases in the block.

        Costs memory for time where the rows are in memory; changes no result.
        """
        self._rows.hold(ball)
        try:
            with one_blas_thread():
                yield
        finally:
            self._rows.hold(None)

    def release(self, name: str, query: BoundedSum, mus) -> tuple[Release, ...]:
        """Release the parts of a bounded sum under Gaussian noise.

        Parameters
        ----------
        name : str
            Name of the release in the ledger.
        query : BoundedSum
            What to sum; made of public values and earlier releases.
        mus : sequence of float
            Budget of each part, positive; ``inf`` adds no noise.

        Returns
        -------
        releases : tuple of Release
            In units of the data.
        """
        sensitivities = [p.l2_sensitivity * self._unit_factor for p in query.parts]
        self._ledger.debit(
            LedgerEntry(f"{name}: {p.name}", p.shape, s, 1.0 / mu, mu)
            for p, s, mu in zip(query.parts, sensitivities, mus, strict=True)
        )
        with self._watch(name):
            *sums, (high, low) = self._rows.sum(Summand(query))
        # What reads the rows is not all in this folder. A record that is seen twice
        # counts twice: then nothing is released.
        if int(high) * 2**WORD_BITS + int(low) != self._rows.n_records:
            raise ValueError(CHANGED_ROWS)  # not how many: that is private
        releases = []
        for part, exact, sensitivity, mu in zip(
            query.parts, sums, sensitivities, mus, strict=True
        ):
            add = add_symmetric_gaussian if part.symmetric else add_lattice_gaussian
            noisy = add(exact, sensitivity / mu, self._generator)
            releases.append(Release(noisy * part.scale, sensitivity / mu * part.scale))
        return tuple(releases)
