"""Rows and labels that are not arrays: made of arrays, in a folder where need be."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from skdpgmm import ParquetColumn


class Pieces:
    """Rows or labels in blocks of the given sizes and a last one, anew each time."""

    def __init__(self, rows, *sizes):
        self.rows, self.sizes, self.n_passes = rows, sizes, 0

    def __iter__(self):
        self.n_passes += 1
        yield from np.split(self.rows, np.cumsum(self.sizes))


def parquet(folder, X, y):
    """Two files, whose row groups are no multiple of the blocks."""
    half = 2 * len(X) // 5
    for i, rows in enumerate((slice(0, half), slice(half, None))):
        flat = np.ascontiguousarray(X[rows]).ravel()
        lists = pa.FixedSizeListArray.from_arrays(flat, X.shape[1])
        table = pa.table({"embedding": lists, "label": y[rows]})
        pq.write_table(table, folder / f"{i}.parquet", row_group_size=90)
    return (
        ParquetColumn(folder, "embedding", block_size=70),
        ParquetColumn(folder, "label", block_size=33),
    )


def memory_maps(folder, X, y):
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    return tuple(np.load(folder / f"{name}.npy", mmap_mode="r") for name in "Xy")


def zarr_array(folder, X, y):
    store = zarr.create_array(
        folder / "x.zarr", shape=X.shape, chunks=(50, X.shape[1]), dtype=X.dtype
    )
    store[:] = X
    return store, y


def stream(folder, X, y):
    return Pieces(X, 1, 70, 7), Pieces(y, 20)


# What is read piece by piece, by name.
OUT_OF_MEMORY = {
    "memory maps": memory_maps,
    "zarr": zarr_array,
    "parquet": parquet,
    "blocks": stream,
}


CHANGED = "X has other rows than when they were first looked at"


def swapped(X):
    X[[3, 150]] = X[[150, 3]]
    return X


def spent_by(fit):
    """Ledger of a fit that failed, which may have released what came before."""
    with pytest.raises(ValueError, match=CHANGED) as caught:
        fit()
    report = getattr(caught.value, "privacy_", None)
    return () if report is None else report.ledger
