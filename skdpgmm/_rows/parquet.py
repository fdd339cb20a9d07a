"""A column of a Parquet data set as blocks of rows."""

from __future__ import annotations

from typing import Any

import numpy as np


class ParquetColumn:
    """A column of a Parquet data set, in blocks, for `fit` and `transform`.

    Reads a few blocks at a time, as often as they are asked for, so that the data may
    be larger than the memory. A column of lists of one length becomes rows, one of
    numbers or strings becomes labels.

    Parameters
    ----------
    source : str, path-like, list of such, or pyarrow.dataset.Dataset
        Files, or folders of files, of one Parquet data set.
    column : str
        Name of the column.
    block_size : int, default=4096
        Largest number of rows of a block, at least 1.

    Raises
    ------
    ValueError
        When there is no such column, or, while it is read, when it has nulls or lists
        of several lengths.
    ImportError
        When pyarrow is not installed.

    See Also
    --------
    DPEmbeddingSynthesizer : Takes one for `X` and another for `y`.

    Notes
    -----
    Privacy: what it reads is private, and it keeps none of it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np, pyarrow as pa, pyarrow.parquet as pq
    >>> from skdpgmm import DPKMeans, ParquetColumn
    >>> X = np.random.default_rng(0).standard_normal((10_000, 4))
    >>> rows = pa.FixedSizeListArray.from_arrays(X.ravel(), 4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "embeddings.parquet"
    ...     pq.write_table(pa.table({"embedding": rows}), path)
    ...     kmeans = DPKMeans(3, random_state=0).fit(ParquetColumn(path, "embedding"))
    >>> kmeans.cluster_centers_.shape
    (3, 4)
    """

    def __init__(self, source: Any, column: str, block_size: int = 4096) -> None:
        try:
            from pyarrow import dataset
        except ImportError as error:
            raise ImportError(
                "ParquetColumn needs pyarrow: pip install 'skdpgmm[parquet]'"
            ) from error
        self.column = column
        self.block_size = block_size
        if not isinstance(source, dataset.Dataset):
            paths = source if isinstance(source, list) else [source]
            parts = [dataset.dataset(path, format="parquet") for path in paths]
            source = dataset.dataset(parts)
        self._dataset = source
        if column not in source.schema.names:
            raise ValueError(
                f"column must be one of {source.schema.names}, got {column!r}."
            )

    def __iter__(self):
        """Start anew and give one array of rows, or of labels, after another."""
        start = 0
        # Little is read ahead: row groups are large.
        batches = self._dataset.to_batches(
            columns=[self.column],
            batch_size=self.block_size,
            batch_readahead=2,
            fragment_readahead=1,
        )
        for batch in batches:
            if batch.num_rows:
                yield self._block(batch.column(0), start)
                start += batch.num_rows

    def _block(self, values, start):
        import pyarrow as pa

        where = f"column {self.column!r}, in the {len(values)} rows from {start} on"
        if values.null_count:
            raise ValueError(f"There are nulls in {where}.")
        types = pa.types
        fixed = types.is_fixed_size_list(values.type)
        if not (
            fixed or types.is_list(values.type) or types.is_large_list(values.type)
        ):
            return values.to_numpy(zero_copy_only=False)
        lengths = values.value_lengths().to_numpy(zero_copy_only=False)
        if np.ptp(lengths):
            raise ValueError(
                f"There are lists of {lengths.min()} to {lengths.max()} entries in "
                f"{where}."
            )
        flat = values.flatten()
        if flat.null_count:
            raise ValueError(f"There are nulls within lists in {where}.")
        return flat.to_numpy(zero_copy_only=False).reshape(len(values), -1)
