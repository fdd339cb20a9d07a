"""Fits in several threads leave BLAS with the threads that it had."""

import threading

import numpy as np
import pytest
from private_fits import fit_cases, make_data
from threadpoolctl import ThreadpoolController, threadpool_limits

from skdpgmm._rows.blocks import WORD_BITS, n_threads, one_blas_thread, sum_blocks

X, Y = make_data(300, 3)


@pytest.fixture
def blas():
    """How many threads the libraries of BLAS have: three, before a test."""
    controller = ThreadpoolController().select(user_api="blas")
    with threadpool_limits(3, user_api="blas"):
        yield lambda: {library["num_threads"] for library in controller.info()}


def test_the_last_one_out_sets_the_number_back(blas):
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    assert blas() == {1}
    second.__enter__()
    first.__exit__(None, None, None)  # not nested, as threads are not
    assert blas() == {1}
    assert n_threads() == 3  # what a fit that begins now may use
    second.__exit__(None, None, None)
    assert blas() == {3}
    assert n_threads() == 3


def test_an_exception_sets_the_number_back(blas):
    with pytest.raises(KeyboardInterrupt), one_blas_thread():
        raise KeyboardInterrupt
    assert blas() == {3}


@pytest.mark.parametrize("name", ["kmeans", "mixture-full", "synthesizer-2"])
def test_fits_that_overlap_leave_the_number_as_it_was(name, blas):
    """They begin together, and end at different times."""
    turns = threading.Barrier(3, timeout=120)

    def fit(i):
        constructor, labelled = fit_cases(3)[name]
        for n_jobs in (None, 2):
            turns.wait()
            estimator = constructor(n_jobs=n_jobs, block_size=64)
            estimator.fit(X[: 100 * (i + 1)], Y[: 100 * (i + 1)] if labelled else None)
            assert np.isfinite(estimator.privacy_.spent_mu)

    threads = [threading.Thread(target=fit, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not turns.broken
    assert blas() == {3}


@pytest.mark.parametrize("n_threads", [1, 3])
def test_sums_of_any_number_of_rows_are_exact(n_threads):
    largest = 2**52  # of a block; 5,000 of these do not fit into an int64
    blocks = [(largest - i, i - largest, (-1) ** i * i) for i in range(5_000)]
    (words,) = sum_blocks(
        lambda block: (np.array(block, dtype=np.int64),), blocks, n_threads
    )
    high, low = words.astype(object)
    expected = [sum(column) for column in zip(*blocks, strict=True)]
    assert abs(expected[0]) > 2**64
    assert list(high * 2**WORD_BITS + low) == expected
