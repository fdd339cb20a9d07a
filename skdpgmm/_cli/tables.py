"""Rows, labels and ids of files, as a fit takes them; and rows into files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skdpgmm import ParquetColumn
from skdpgmm._cli.refusals import refuse

SUFFIXES = (".parquet", ".npz")
# Names of what holds the rows, where none is given.
_ROWS = {".parquet": "embedding", ".npz": "X"}


class Given(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    rows : array-like
    labels, ids : array-like or None
    text_labels : bool
        Whether labels are text.
    """

    rows: Any
    labels: Any
    ids: Any
    text_labels: bool


def read(path: Path, rows: str | None, label: str | None, person: str | None) -> Given:
    """Return columns of a Parquet data set, or arrays of a file of NumPy.

    A Parquet data set is not read yet.
    """
    if not path.exists():
        refuse(f"{path} is not there.")
    if path.is_dir() or path.suffix.lower() == ".parquet":
        return _of_parquet(path, rows or _ROWS[".parquet"], label, person)
    if path.suffix.lower() == ".npz":
        return _of_arrays(path, rows or _ROWS[".npz"], label, person)
    refuse(f"{path} must be a .parquet or .npz file, or a folder of Parquet files.")


def _of_parquet(path, rows, label, person) -> Given:
    try:
        import pyarrow as pa
        from pyarrow import dataset
    except ImportError as error:
        raise ImportError(
            "Files of Parquet need pyarrow: pip install 'skdpgmm[parquet]'"
        ) from error
    schema = dataset.dataset(path, format="parquet").schema
    for name in filter(None, (rows, label, person)):
        if name not in schema.names:
            refuse(f"{path} has columns {', '.join(schema.names)}, and no {name}.")
    columns = [name and ParquetColumn(path, name) for name in (rows, label, person)]
    kind = schema.field(label).type if label else pa.null()
    text_labels = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return Given(columns[0], columns[1], columns[2], text_labels)


def _of_arrays(path, rows, label, person) -> Given:
    with np.load(path, allow_pickle=False) as file:
        for name in filter(None, (rows, label, person)):
            if name not in file.files:
                refuse(f"{path} has arrays {', '.join(file.files)}, and no {name}.")
        found = [name and file[name] for name in (rows, label, person)]
    text_labels = label is not None and found[1].dtype.kind == "U"
    return Given(found[0], found[1], found[2], text_labels)


class Writer:
    """Writes rows, and columns of one value a row, to a file, whole or not at all.

    Parameters
    ----------
    path : path
        Its suffix is one of `SUFFIXES`.
    rows : str, optional
        Name of the rows.
    """

    def __init__(self, path: Path, rows: str | None = None):
        self._path, self._kind = path, path.suffix.lower()
        self._rows = rows or _ROWS[self._kind]
        self._blocks: list[dict[str, np.ndarray]] = []
        self._parquet: Any = None
        self._unfinished = ""
        self.n_rows = 0

    def __enter__(self):
        handle, self._unfinished = tempfile.mkstemp(
            dir=self._path.absolute().parent, prefix=".unfinished-", suffix=self._kind
        )
        os.close(handle)
        return self

    def __exit__(self, kind, error, trace):
        if self._parquet is not None:
            self._parquet.close()
        if kind is None and self.n_rows:
            if self._kind == ".npz":
                joined: dict[str, Any] = {
                    name: np.concatenate([block[name] for block in self._blocks])
                    for name in self._blocks[0]
                }
                np.savez(self._unfinished, **joined)
            os.replace(self._unfinished, self._path)
        else:
            os.unlink(self._unfinished)

    def write(self, rows: np.ndarray, columns: dict[str, Any]) -> None:
        """Add rows, and what columns say of them."""
        if self._rows in columns:
            refuse(f"A column may not be called {self._rows}: that is for the rows.")
        block = {self._rows: np.asarray(rows)}
        block |= {name: _column(values) for name, values in columns.items()}
        self.n_rows += len(block[self._rows])
        if self._kind == ".npz":
            self._blocks.append(block)
            return
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.table({name: _array(one) for name, one in block.items()})
        if self._parquet is None:
            self._parquet = parquet.ParquetWriter(self._unfinished, table.schema)
        self._parquet.write_table(table)


def _column(values) -> np.ndarray:
    column = np.asarray(values)
    # Texts without pickles; of rare kinds their text will do.
    return column.astype(str) if column.dtype.kind == "O" else column


def _array(values: np.ndarray):
    import pyarrow as pa

    if values.ndim == 2:
        flat = pa.array(np.ascontiguousarray(values).ravel())
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.array(values.tolist() if values.dtype.kind == "U" else values)
