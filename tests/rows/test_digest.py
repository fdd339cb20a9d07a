"""The digest of a pass: of every row, all of its numbers, and its place."""

import numpy as np
import pytest
from private_queries import squared_distance

from skdpgmm._rows.digest import digest


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 3, 8, 385])
def test_digest_is_a_sum_over_rows_and_their_places(dtype, d):
    rng = np.random.default_rng(0)
    # Small integers have few bits, and many rows that are the same.
    for X in (rng.standard_normal((60, d)), rng.integers(0, 2, (60, d))):
        X = X.astype(dtype)
        whole = digest(X, 100)
        for cut in (1, 17, 59):
            assert whole == digest(X[:cut], 100) + digest(X[cut:], 100 + cut)
        assert whole == digest(np.asfortranarray(X), 100) != digest(X, 101)
        order = rng.permutation(60)
        if not np.array_equal(X[order], X):
            assert digest(X[order], 100) != whole


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 3, 5, 8])
def test_every_swap_and_every_change_of_a_bit_is_seen(dtype, d):
    rng = np.random.default_rng(d)
    X = rng.integers(0, 3, (40, d)).astype(dtype)
    whole = digest(X, 0)
    for i in range(40):
        for j in range(i):
            Y = X.copy()
            Y[[i, j]] = Y[[j, i]]
            assert (digest(Y, 0) != whole) == bool(squared_distance(X[i], X[j]))
    for bit in range(8 * X.itemsize):
        Y = X.copy()
        Y.view(f"u{X.itemsize}")[7, d - 1] ^= np.array(1 << bit, f"u{X.itemsize}")
        assert digest(Y, 0) != whole


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [27, 28])
def test_digest_sees_all_of_a_row(width, dtype):
    rng = np.random.default_rng(0)
    # Images with a border of zeros, in which evenly spaced columns are all of it.
    images = np.zeros((100, width, width), dtype)
    images[:, 4:-4, 4:-4] = rng.random((100, width - 8, width - 8))
    X = images.reshape(100, -1)
    whole = digest(X, 0)
    assert digest(X[rng.permutation(100)], 0) != whole
    assert digest(images[:, :, ::-1].reshape(100, -1), 0) != whole
    for column in range(X.shape[1]):
        Y = X.copy()
        Y[50, column] += 1.0
        assert digest(Y, 0) != whole
