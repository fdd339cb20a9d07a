"""Slices hold every row once, in order."""

import pytest

from skdpgmm._models.slices import row_slices


@pytest.mark.parametrize("size", [1, 3, 10, 11, 99])
@pytest.mark.parametrize("n", [0, 1, 9, 10, 11])
def test_every_row_is_in_one_slice(n, size):
    slices = row_slices(n, size)
    assert [i for rows in slices for i in range(n)[rows]] == list(range(n))
    assert all(0 < rows.stop - rows.start <= size for rows in slices)
    assert max((rows.stop for rows in slices), default=0) == n
