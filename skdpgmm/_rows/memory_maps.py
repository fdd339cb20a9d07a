"""Memory maps, read as files.

When a mapped file gets shorter, touching what is gone ends the process. So blocks are
read from the file instead, where a short one is an error.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np


class MappedFile:
    """Rows of a file that is mapped, for whoever takes slices of them.

    Parameters
    ----------
    X : numpy.memmap of shape (n, d)
        Its rows one after another, in C order.
    """

    def __init__(self, X: Any):
        self.shape, self.dtype = X.shape, X.dtype
        self._name = X.filename
        # `offset` is that of the whole map, of which this may be a slice.
        start = X.offset - X.offset % mmap.ALLOCATIONGRANULARITY
        self._start = start + _address(X) - _address(np.frombuffer(X._mmap, np.uint8))

    def __getitem__(self, rows):
        start, stop, _ = rows.indices(self.shape[0])
        d = self.shape[1]
        with open(self._name, "rb") as file:
            file.seek(self._start + start * d * self.dtype.itemsize)
            numbers = np.fromfile(file, self.dtype, (stop - start) * d)
        if numbers.size < (stop - start) * d:
            raise ValueError(
                f"X is a memory map of {self._name}, which is shorter than it was: row "
                f"{start + numbers.size // d} is not in it."
            )
        return numbers.reshape(-1, d)


def read_from_file(X):
    """Return a `MappedFile` for a memory map that can be read so, or what is given.

    Others are not in C order, are changed in memory only (mode "c"), or have no name.
    """
    if not isinstance(X, np.memmap) or X.ndim != 2 or not X.size or X.mode == "c":
        return X
    by_rows = X.flags.c_contiguous and X.dtype.kind in "fiub"
    named = None not in (getattr(X, "filename", None), getattr(X, "_mmap", None))
    return MappedFile(X) if by_rows and named else X


def _address(array):
    return array.__array_interface__["data"][0]
