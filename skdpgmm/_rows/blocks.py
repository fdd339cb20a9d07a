"""The exact sum of a kernel over blocks of rows, in threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from threading import Lock
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController

from skdpgmm._rows.host import HOST
from skdpgmm.privacy.noise import WORD_BITS

_NO_MORE = object()

# Blocks whose sums are added in one word: 2**10 of 2**16 rows of integers to 2**36.
_BLOCKS_OF_A_WORD = 2**10


def n_threads(n_jobs=None) -> int:
    """Return the number of threads for blocks.

    Most of the work is not matrix products, so that by default blocks have the threads
    of BLAS, which then has one each.

    Parameters
    ----------
    n_jobs : int or None
        As in joblib; None takes as many as BLAS has.

    Returns
    -------
    n_threads : int
    """
    if n_jobs is None and get_active_backend()[1] is None:
        return _LIMIT.n_threads()
    return effective_n_jobs(n_jobs)


def one_blas_thread():
    """Return a context in which BLAS has one thread.

    Others would keep processors busy for a while when they have done their part, and
    the order in which BLAS adds up depends on their number. What sets limits of its
    own, as k-means of scikit-learn does, is called in this context too: of limits that
    are not nested, the last to end leaves what it found.
    """
    return _LIMIT


class _OneThread:
    """The number of threads of BLAS, which is one while somebody asks for that.

    The number belongs to the process. The first who comes sets it, and the last who
    goes sets it back, in whatever order threads come and go.
    """

    def __init__(self):
        self._turn, self._n_inside, self._before = Lock(), 0, 1
        self._limiter: Any = None

    def __enter__(self):
        with self._turn:
            if self._n_inside == 0:
                self._before = self._now()
                self._limiter = _blas().limit(limits=1)
            self._n_inside += 1

    def __exit__(self, *exception):
        with self._turn:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._limiter.restore_original_limits()
                self._limiter = None

    def n_threads(self) -> int:
        """Return how many there are when nobody is inside."""
        with self._turn:
            return self._before if self._n_inside else self._now()

    @staticmethod
    def _now():
        return max((library["num_threads"] for library in _blas().info()), default=1)


_LIMIT = _OneThread()


@cache
def _blas():
    return ThreadpoolController().select(user_api="blas")


def widen(total):
    """Return integers as high and low words, of shape (2, ...).

    Low words are below ``2**WORD_BITS``, so that 2**31 of them stay below 2**62.
    """
    return np.stack([total >> WORD_BITS, total & (2**WORD_BITS - 1)])


def sum_blocks(kernel, blocks, n_threads=1):
    """Sum the int64 arrays that `kernel` returns for each block.

    Integer addition is associative and commutative, so the result does not
    depend on the blocks, their order or the number of threads.

    Parameters
    ----------
    kernel : callable
        Maps a block to a tuple of int64 arrays.
    blocks : iterable
        Of whatever the kernel takes; at least one. A few are asked for at a time.
    n_threads : int
        Threads.

    Returns
    -------
    totals : tuple of ndarray of int64, each of shape (2, ...)
        As `widen` has it, but that low words may be longer.
    """
    if n_threads == 1 or (isinstance(blocks, list) and len(blocks) == 1):
        return _add_blocks(map(kernel, blocks))
    left, turn = iter(blocks), Lock()

    def work():
        def results():
            while True:
                with turn:  # a stream is read by one thread at a time
                    block = next(left, _NO_MORE)
                if block is _NO_MORE:
                    return
                yield kernel(block)

        return _add_blocks(results())

    # Not joblib's Parallel, which looks for results every hundredth of a second.
    with one_blas_thread(), ThreadPoolExecutor(n_threads) as pool:
        parts = [pool.submit(work) for _ in range(n_threads)]
        return _add(part for task in parts if (part := task.result()))


def _add_blocks(results):
    """Add tuples of arrays, a few in one word and all in two; None without any."""
    words = iter(lambda: _add(islice(results, _BLOCKS_OF_A_WORD)), None)
    try:
        return _add(tuple(map(widen, totals)) for totals in words)
    finally:
        HOST.forget()


def _add(results) -> Any:
    """Add tuples of arrays, in place of the first; None when there are none."""
    totals: Any = next(results, None)
    for parts in results:
        for total, part in zip(totals, parts, strict=True):
            total += part
    return totals
