"""Rows that come in blocks, anew for each pass."""

from __future__ import annotations

import numpy as np

from skdpgmm._rows.arrays import checked_block, those_kept
from skdpgmm._rows.blocks import n_threads, one_blas_thread, sum_blocks
from skdpgmm._rows.digest import digest
from skdpgmm._rows.host import HOST
from skdpgmm._rows.plain import plain
from skdpgmm.privacy.bounded_sum import MAX_BLOCK_ROWS, Block, summed
from skdpgmm.privacy.grid import row_slices
from skdpgmm.privacy.records import CHANGED_ROWS

NO_ROWS = (
    "X gave no rows this time: it must start anew each time that it is read, as a list "
    "does and a generator does not."
)


class StreamRows:
    """Rows that come in blocks, from the first to the last, as often as asked for.

    Parameters
    ----------
    blocks : iterable of array-like of shape (rows, d)
        Starts anew each time.
    shape : tuple of int
        Number of rows and of features.
    dtype : dtype
        Type of all blocks.
    digest : int
        Of all rows, as they were first looked at.
    codes, kept, block_size, n_jobs
        As in `ArrayRows`.
    """

    def __init__(
        self,
        blocks,
        shape,
        dtype,
        digest,
        codes=None,
        kept=None,
        block_size=4096,
        n_jobs=None,
    ):
        self.digest = digest
        self.n_rows, self.n_features = shape
        self._dtype = dtype
        self.n_records = self.n_rows if kept is None else int(np.count_nonzero(kept))
        self._blocks, self._codes, self._kept = blocks, codes, kept
        self._block_size = min(block_size, MAX_BLOCK_ROWS)
        self._n_threads = n_threads(n_jobs)

    def sum(self, query):
        """Sum over the blocks, of which a few are in memory at a time."""

        def kernel(piece):
            X, rows = piece
            seen = digest(X, rows.start)
            X, codes = those_kept(X, self._codes, self._kept, rows)
            return summed(query, Block(X, codes, None, HOST, rows.start == 0), seen)

        totals = sum_blocks(kernel, self._pieces(), self._n_threads)
        if totals is None:
            raise ValueError(NO_ROWS)
        return totals

    def holding(self, ball):
        """Keep nothing: a stream is there because it does not fit into memory."""
        return one_blas_thread()

    def _pieces(self):
        start = 0
        for given in self._blocks:
            block = checked_block(given, self.n_features, start)
            if block.dtype != self._dtype:
                raise ValueError(
                    f"X must be of one type each time that it is read; the block that "
                    f"starts at row {start} is of {block.dtype}, and was of "
                    f"{self._dtype} at first."
                )
            if start + len(block) > self.n_rows:
                raise ValueError(CHANGED_ROWS)
            for rows in row_slices(len(block), self._block_size):
                yield block[rows], slice(start + rows.start, start + rows.stop)
            start += len(block)


class MappedBlocks:
    """Blocks of a stream under a function, computed when they are asked for.

    Parameters
    ----------
    function : callable
        Maps a block to a block.
    blocks : iterable of array-like
        Starts anew each time.
    """

    def __init__(self, function, blocks):
        self._function, self._blocks = function, blocks

    def __iter__(self):
        return (self._function(plain(block)) for block in self._blocks)
