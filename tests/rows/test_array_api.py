"""Arrays of other libraries: left alone without dispatch, checked where they are."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from skdpgmm._rows.array_api import (
    as_numpy,
    checked_rows,
    device_of,
    example_of,
    like,
)
from skdpgmm._rows.device import Device

# The namespace of numpy has the names of the array API.
HERE = Device(np, np.asarray, np.asarray)
X = np.arange(6.0).reshape(3, 2)


def test_without_dispatch_everything_is_as_it_is():
    for rows in (X, torch.from_numpy(X), X.tolist()):
        assert device_of(rows) is None
        assert as_numpy(rows) is rows
        assert example_of(rows) is None
        assert like(X, rows) is X


@pytest.mark.parametrize(
    "given, expected",
    [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float64),
        (np.int32, np.float64),
        (np.uint8, np.float64),
    ],
)
def test_rows_are_float32_or_float64(given, expected):
    found = checked_rows(X.astype(given), HERE)
    assert found.dtype == expected
    assert_array_equal(found, X)


@pytest.mark.parametrize(
    "rows, message",
    [
        (X[0], r"shape \(n_samples, n_features\)"),
        (X[:0], "both at least 1"),
        (X[:, :0], "both at least 1"),
        (X.astype(complex), "real numbers, got complex128"),
        (X > 1.0, "real numbers, got bool"),
        (np.where(X == 3.0, np.nan, X), "NaN or infinity"),
        (np.where(X == 3.0, -np.inf, X), "NaN or infinity"),
    ],
)
def test_bad_rows_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        checked_rows(rows, HERE)
