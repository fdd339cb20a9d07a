"""Containers of labels and ids that tests share."""

import pyarrow as pa
import pyarrow.parquet as pq
import zarr

from skdpgmm import ParquetColumn


class Blocks:
    def __init__(self, *blocks):
        self.blocks = blocks

    def __iter__(self):
        return iter(self.blocks)


def parquet(folder, values):
    pq.write_table(pa.table({"x": values}), folder / "x.parquet")
    return ParquetColumn(folder / "x.parquet", "x", block_size=3)


def stored(folder, values):
    store = zarr.create_array(folder / "x.zarr", shape=values.shape, dtype=values.dtype)
    store[:] = values
    return store
