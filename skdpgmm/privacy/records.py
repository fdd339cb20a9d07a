"""The only holder of the private records."""

from __future__ import annotations

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from skdpgmm._blocks import row_slices, sum_blocks
from skdpgmm.privacy.accounting import Ledger, LedgerEntry
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.noise import add_lattice_gaussian, add_symmetric_gaussian
from skdpgmm.privacy.queries import Block, BoundedSum
from skdpgmm.privacy.sums import MAX_BLOCK_ROWS, MAX_ROWS


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
    X : array-like of shape (n, d)
        Finite numbers; anything that gives rows for a slice.
    codes : ndarray of int of shape (n,), optional
        Class of each record as an index into the public set of classes.
    kept : ndarray of bool of shape (n,), optional
        Records that take part; a function of each unit's own records only.
    ledger : Ledger
        Holds the budget.
    unit_factor : int
        How many bounded records two neighbouring data sets may differ by.
    generator : numpy.random.Generator
        Source of the noise.
    block_size : int
        Rows summed at a time; never changes a result.
    n_jobs : int or None
        Threads; never changes a result.
    """

    def __init__(
        self,
        X,
        codes=None,
        kept=None,
        *,
        ledger: Ledger,
        unit_factor: int,
        generator: np.random.Generator,
        block_size: int = 4096,
        n_jobs: int | None = None,
    ):
        if X.shape[0] > MAX_ROWS:
            raise ValueError(f"X must have at most {MAX_ROWS} rows for exact sums.")
        self._X = X
        self._codes = codes
        self._kept = kept
        self._ledger = ledger
        self._unit_factor = unit_factor
        self._generator = generator
        self._slices = row_slices(X.shape[0], min(block_size, MAX_BLOCK_ROWS))
        self._n_jobs = n_jobs
        self._held_ball: Ball | None = None
        self._held: dict[int, np.ndarray] = {}

    @contextmanager
    def holding(self, ball: Ball):
        """Clip and round to the grid of `ball` once for all releases in the block.

        Costs memory, of 4 bytes a number, for time; changes no result. Records that
        are not in memory are not held there.
        """
        if isinstance(self._X, np.ndarray) and not isinstance(self._X, np.memmap):
            self._held_ball = ball
        try:
            yield
        finally:
            self._held_ball = None
            self._held.clear()

    def _block(self, rows, ball: Ball | None = None) -> Block:
        X = np.asarray(self._X[rows]).view()
        X.flags.writeable = False
        codes = (
            np.zeros(len(X), dtype=np.intp)
            if self._codes is None
            else self._codes[rows]
        )
        if self._kept is not None:
            X, codes = X[self._kept[rows]], codes[self._kept[rows]]
        if ball is None or self._held_ball is not ball:
            return Block(X, codes)
        if rows.start not in self._held:
            # float32 represents every integer up to 2**24, the norm of the longest.
            self._held[rows.start] = ball.to_grid(X).astype(np.float32)
        return Block(X, codes, self._held[rows.start])

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
        ball = getattr(query, "ball", None)
        sums = sum_blocks(
            lambda rows: query.exact(self._block(rows, ball)),
            self._slices,
            self._n_jobs,
        )
        releases = []
        for part, exact, sensitivity, mu in zip(
            query.parts, sums, sensitivities, mus, strict=True
        ):
            add = add_symmetric_gaussian if part.symmetric else add_lattice_gaussian
            noisy = add(exact, sensitivity / mu, self._generator)
            releases.append(Release(noisy * part.scale, sensitivity / mu * part.scale))
        return tuple(releases)
