"""Rows, labels and privacy ids of every shape, type and container, for the fuzzer."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
import torch
import zarr


class Blocks:
    """A stream of blocks of rows, or of labels, that starts anew each time."""

    def __init__(self, array, sizes):
        self.array, self.sizes = array, sizes

    def __iter__(self):
        start, i = 0, 0
        while start < len(self.array):
            stop = start + self.sizes[i % len(self.sizes)]
            yield self.array[start:stop]
            start, i = stop, i + 1


class Parts:
    """The given blocks, one after another."""

    def __init__(self, *blocks):
        self.blocks = blocks

    def __iter__(self):
        return iter(self.blocks)


class Given(NamedTuple):
    """What an estimator is given.

    Attributes
    ----------
    value : object
        As it is given.
    plain : ndarray or None
        The same in memory; None where there is no such thing.
    legal : bool or None
        Whether it is to be taken; None where either is right.
    name : str
        Kind, for the report.
    """

    value: Any
    plain: Any
    legal: bool
    name: str


# --------------------------------------------------------------------------
# Numbers
# --------------------------------------------------------------------------


def draw_rows(rng, small):
    """Return rows in float64, their codes of classes, and what they are like."""
    n = int(2 ** rng.uniform(0, 7.5 if small else 11.5))
    d = int(2 ** rng.uniform(0, 3.6 if small else 5.95))
    if small and rng.random() < 0.05:
        d = int(rng.integers(30, 45))  # where other branches begin
    n_classes = int(2 ** rng.uniform(0, 2.5 if small else 4.9))
    codes = rng.integers(n_classes, size=n)
    spread = rng.choice([0.0, 1.0, 5.0])
    X = (
        rng.standard_normal((n, d))
        + spread * rng.standard_normal((n_classes, d))[codes]
    )
    kinds = {
        "blobs": lambda: X,
        "constant-columns": lambda: np.where(rng.random(d) < 0.5, 1.0, X),
        "duplicates": lambda: X[rng.integers(max(n // 5, 1), size=n)],
        "one-row": lambda: np.broadcast_to(X[0], X.shape).copy(),
        "row-per-class": lambda: rng.standard_normal((n_classes, d))[codes],
        "heavy-tails": lambda: rng.standard_cauchy((n, d)),
        "outlier": lambda: np.where(np.arange(n)[:, None] == 0, 1e6, X),
        "integers": lambda: np.rint(3.0 * X),
        "unit": lambda: X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-9),
        "zeros": lambda: np.zeros((n, d)),
        "mostly-zeros": lambda: np.where(rng.random((n, d)) < 0.9, 0.0, X),
        "uneven-columns": lambda: X * 10.0 ** rng.uniform(-6, 6, d),
    }
    weights = np.array([4.0] + [1.0] * (len(kinds) - 1))
    kind = list(kinds)[rng.choice(len(kinds), p=weights / weights.sum())]
    rows = np.asarray(kinds[kind](), dtype=np.float64)
    scale, offset = 1.0, 0.0
    if rng.random() < 0.3:
        scale = float(
            10.0 ** (rng.uniform(-4, 4) if rng.random() < 0.7 else rng.uniform(-60, 60))
        )
    if rng.random() < 0.15:
        offset = float(scale * rng.choice([10.0, 1e4, 1e8, -1e6]))
    rows = rows * scale + offset
    about = {"kind": kind, "n": n, "d": d, "classes": n_classes}
    return rows, codes, {**about, "scale": scale, "offset": offset}


DTYPES = ["float32", "float16", "int64", "int32", "int8", "uint8", "bool", "object"]


def draw_dtype(rng, X):
    """Return the rows in some type that can hold them."""
    if rng.random() < 0.6:
        return X
    dtype = str(rng.choice(DTYPES))
    if dtype == "object":
        return X.astype(object)
    if dtype == "bool":
        return X > np.median(X)
    if dtype.startswith("float"):
        with np.errstate(over="ignore", under="ignore"):
            narrow = X.astype(dtype)
        return narrow if np.isfinite(narrow).all() else X
    info = np.iinfo(dtype)
    return np.rint(np.clip(X, info.min / 2, info.max / 2)).astype(dtype)


# --------------------------------------------------------------------------
# Containers of rows
# --------------------------------------------------------------------------


def names_of(X):
    return [f"column {i}" for i in range(X.shape[1])]


def frame(X):
    return pd.DataFrame(X, columns=names_of(X))


def mixed_frame(X):
    table = frame(X)
    with np.errstate(over="ignore"):
        narrow = X[:, 0].astype(np.float32)
    whole = np.array_equal(narrow, X[:, 0])
    return table.assign(**{table.columns[0]: narrow}) if whole else table


def uneven(rng):
    return rng.integers(1, 40, size=3).tolist()


def memory_map(X, folder):
    path = folder / "X.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r")


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def is_float(X):
    return X.dtype in (np.float32, np.float64)


# Name -> (function of the rows, a generator and a folder; whether it takes any type).
CONTAINERS = {
    "array": (lambda X, rng, folder: X, True),
    "fortran": (lambda X, rng, folder: np.asfortranarray(X), True),
    "read-only": (lambda X, rng, folder: read_only(X), True),
    "strided": (lambda X, rng, folder: np.repeat(X, 2, axis=0)[::2], True),
    "reversed": (lambda X, rng, folder: X[::-1].copy()[::-1], True),
    "big-endian": (lambda X, rng, folder: X.astype(X.dtype.newbyteorder(">")), False),
    "list": (lambda X, rng, folder: X.tolist(), True),
    "tuple": (lambda X, rng, folder: tuple(map(tuple, X.tolist())), True),
    "frame": (lambda X, rng, folder: frame(X), True),
    "numbered-frame": (lambda X, rng, folder: pd.DataFrame(X), True),
    "nullable-frame": (lambda X, rng, folder: frame(X).convert_dtypes(), False),
    "arrow-frame": (
        lambda X, rng, folder: frame(X).convert_dtypes(dtype_backend="pyarrow"),
        False,
    ),
    "mixed-frame": (lambda X, rng, folder: mixed_frame(X), False),
    "polars": (lambda X, rng, folder: pl.DataFrame(X, schema=names_of(X)), False),
    "memory-map": (lambda X, rng, folder: memory_map(X, folder), False),
    "zarr": (lambda X, rng, folder: zarr.array(X, chunks=(50, X.shape[1])), False),
    "stream": (lambda X, rng, folder: Blocks(X, [64]), False),
    "uneven-stream": (lambda X, rng, folder: Blocks(X, uneven(rng)), False),
    "dask": (lambda X, rng, folder: da.from_array(X, chunks=(50, -1)), False),
    "dask-frame": (
        lambda X, rng, folder: dd.from_pandas(frame(X), chunksize=50, sort=False),
        False,
    ),
    "unmasked": (lambda X, rng, folder: np.ma.masked_array(X, mask=False), False),
    "tensor": (lambda X, rng, folder: torch.from_numpy(X.copy()), False),
}
STREAMS = ("stream", "uneven-stream")
DASK = ("dask", "dask-frame")
LAZY = (*STREAMS, *DASK, "memory-map", "zarr")


def spoiled(value):
    def spoil(X, rng):
        X = X.astype(np.float64)
        X[rng.integers(len(X)), rng.integers(X.shape[1])] = value
        return X

    return spoil


def missing(dtype):
    def spoil(X, rng):
        table = frame(X.astype(np.float64)).astype(dtype)
        table.iloc[rng.integers(len(X)), 0] = pd.NA
        return table

    return spoil


def masked(X, rng):
    mask = np.zeros(X.shape, dtype=bool)
    mask[rng.integers(len(X)), 0] = True
    return np.ma.masked_array(X, mask=mask)


SPOILS = {
    "nan": spoiled(np.nan),
    "infinity": spoiled(np.inf),
    "nan-stream": lambda X, rng: Blocks(spoiled(np.nan)(X, rng), [64]),
    "nan-dask": lambda X, rng: da.from_array(spoiled(np.nan)(X, rng), chunks=(50, -1)),
    "missing": missing("Float64"),
    "missing-arrow": missing("float64[pyarrow]"),
    "masked": masked,
    "sparse": lambda X, rng: sp.csr_array(X.astype(np.float64)),
    "matrix": lambda X, rng: np.matrix(X.astype(np.float64)),
    "one-dimension": lambda X, rng: X[:, 0],
    "three-dimensions": lambda X, rng: X[:, :, None],
    "no-rows": lambda X, rng: X[:0],
    "no-columns": lambda X, rng: X[:, :0],
    "generator": lambda X, rng: (row for row in X),
    "iterator": lambda X, rng: iter(Blocks(X, [64])),
    "no-blocks": lambda X, rng: Blocks(X[:0], [64]),
    "ragged-stream": lambda X, rng: Parts(X, np.ones((2, X.shape[1] + 1))),
    "strings": lambda X, rng: np.full(X.shape, "word"),
    "string-column": lambda X, rng: frame(X).assign(text="word"),
    "complex": lambda X, rng: X.astype(np.complex128),
    "dates": lambda X, rng: np.full(X.shape, np.datetime64("2020-01-01")),
    "none": lambda X, rng: None,
    "scalar": lambda X, rng: 3.0,
    "text": lambda X, rng: "rows",
    "mapping": lambda X, rng: {"X": X},
    "ragged-list": lambda X, rng: [[1.0, 2.0], [3.0]],
    "lists-in-column": lambda X, rng: pd.DataFrame({"x": [[1.0, 2.0]] * len(X)}),
}


EITHER = ("lists-in-column",)


def contain_rows(rng, X, folder, illegal):
    """Return rows in a container, or something that is not to be taken."""
    if illegal:
        name = list(SPOILS)[rng.integers(len(SPOILS))]
        legal = None if name in EITHER else False
        return Given(SPOILS[name](X, rng), None, legal, name)
    plain = draw_dtype(rng, X)
    name = "array"
    if rng.random() < 0.6:
        name = list(CONTAINERS)[rng.integers(len(CONTAINERS))]
    make, any_type = CONTAINERS[name]
    if not any_type and not is_float(plain):
        plain = plain.astype(np.float64)
    return Given(make(plain, rng, folder), plain, True, name)


# --------------------------------------------------------------------------
# Labels and privacy ids
# --------------------------------------------------------------------------

LABELS = {
    "integers": lambda codes: codes,
    "from-7-down": lambda codes: 7 - 3 * codes,
    "large": lambda codes: 2**53 + codes,
    "small": lambda codes: codes.astype(np.uint8),
    "floats": lambda codes: codes.astype(np.float64),
    "strings": lambda codes: np.array([f"class {c}" for c in codes]),
    "objects": lambda codes: np.array([f"class {c}" for c in codes], dtype=object),
    "booleans": lambda codes: codes % 2 == 0,
}
# Name -> (function of labels, where it may stand beside).
LABEL_CONTAINERS = {
    "array": lambda y, rng: y,
    "list": lambda y, rng: y.tolist(),
    "series": lambda y, rng: pd.Series(y, name="label"),
    "shuffled-index": lambda y, rng: pd.Series(y, index=rng.permutation(len(y))),
    "category": lambda y, rng: pd.Series(y).astype("category"),
    "nullable": lambda y, rng: pd.Series(y).convert_dtypes(),
    "arrow": lambda y, rng: pd.Series(y).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda y, rng: pl.Series(y.tolist()),
    "column": lambda y, rng: y[:, None],
    "column-frame": lambda y, rng: pd.DataFrame({"label": y}),
    "blocks": lambda y, rng: Blocks(y, [33]),
}
COLUMNS = ("column", "column-frame")
BAD_LABELS = {
    "too-few": lambda y: y[:-1],
    "too-many": lambda y: np.append(y, y[:1]),
    "none-inside": lambda y: np.append(y[1:].astype(object), [None]),
    "missing": lambda y: pd.Series([*y.tolist()[1:], None]).convert_dtypes(),
    "nan": lambda y: np.append(np.zeros(len(y) - 1), np.nan),
    "continuous": lambda y: np.linspace(0.1, 0.9, len(y) + 1)[1:] + 0.01,
    "two-columns": lambda y: np.column_stack([y, y]),
    "scalar": lambda y: 3,
    "text": lambda y: "labels",
    "iterator": lambda y: iter(y.tolist()),
}


def contain_labels(rng, codes, rows_name, illegal):
    """Return labels in a container that may stand beside these rows."""
    y = LABELS[kind := list(LABELS)[rng.integers(len(LABELS))]](codes)
    if illegal:
        name = list(BAD_LABELS)[rng.integers(len(BAD_LABELS))]
        return Given(BAD_LABELS[name](y), y, False, name), y
    if rows_name in DASK and rng.random() < 0.6:
        value = da.from_array(y, chunks=50)
        if rows_name == "dask-frame" and rng.random() < 0.5:
            value = dd.from_pandas(pd.Series(y), chunksize=50, sort=False)
        return Given(value, y, True, f"{kind} dask"), y
    name = "array"
    if rng.random() < 0.5:
        name = list(LABEL_CONTAINERS)[rng.integers(len(LABEL_CONTAINERS))]
    # Few other labels than an array fit beside rows that are not in memory.
    legal = None if rows_name in LAZY and name in COLUMNS else True
    return Given(LABEL_CONTAINERS[name](y, rng), y, legal, f"{kind} {name}"), y


IDS = {
    "integers": lambda p: p,
    "large": lambda p: 123456789012345680 + p,
    "unsigned": lambda p: np.uint64(2**63) + p.astype(np.uint64),
    "floats": lambda p: p.astype(np.float64),
    "strings": lambda p: np.array([f"person {i}" for i in p]),
    "bytes": lambda p: np.array([f"person {i}".encode() for i in p]),
    "objects": lambda p: np.array([uuid.UUID(int=int(i)) for i in p], dtype=object),
    "python-integers": lambda p: np.array([2**80 + int(i) for i in p], dtype=object),
    "list": lambda p: p.tolist(),
    "series": lambda p: pd.Series(p),
    "nullable": lambda p: pd.Series(123456789012345680 + p, dtype="Int64"),
    "arrow": lambda p: pd.Series(123456789012345680 + p, dtype="int64[pyarrow]"),
    "category": lambda p: pd.Series([f"person {i}" for i in p]).astype("category"),
    "polars": lambda p: pl.Series((123456789012345680 + p).tolist()),
    "dates": lambda p: np.datetime64("2020-01-01") + p,
}
BAD_IDS = {
    "too-few": lambda p: p[:-1],
    "none-inside": lambda p: np.append(p[1:].astype(object), [None]),
    "missing": lambda p: pd.Series([*p.tolist()[1:], None], dtype="Int64"),
    "nan": lambda p: np.append(p[1:].astype(float), np.nan),
    "two-columns": lambda p: np.column_stack([p, p]),
    "scalar": lambda p: 3,
}


def draw_ids(rng, n, illegal):
    """Return privacy ids of a few records each, some of many."""
    persons = rng.integers(max(n // 3, 1), size=n)
    if rng.random() < 0.3:
        persons[: n // 2] = 0
    table = BAD_IDS if illegal else IDS
    name = list(table)[rng.integers(len(table))]
    return Given(table[name](persons), persons, not illegal, name)
