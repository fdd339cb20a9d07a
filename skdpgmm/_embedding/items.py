"""Items of any kind, and what a torch module is called with for them.

Items are read from whatever holds them and turned into the inputs of a module. What is
wrong with one of them is said with its number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from os import PathLike
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_array
from torch.utils.data import DataLoader, Dataset, IterableDataset

from skdpgmm._embedding.images import image_files, is_image, opened, upright
from skdpgmm._rows.plain import no_records_told


def as_items(X: Any, *, has_preprocess: bool, estimator: Any = None) -> Any:
    """Return X as an array, a tensor, a list or a Dataset of at least one item."""
    # A sparse matrix of scipy may be a dict; check_array refuses it by its name.
    if (
        isinstance(X, str | bytes)
        or (isinstance(X, Mapping) and not hasattr(X, "shape"))
        or type(X).__module__.startswith("PIL.")
    ):
        raise TypeError(
            "X must hold several items: an array, a tensor, a frame, a list or a "
            f"Dataset; got a single {type(X).__name__}. Put it in a list."
        )
    if isinstance(X, IterableDataset | DataLoader) or (
        isinstance(X, Dataset) and not hasattr(X, "__len__")
    ):
        raise TypeError(
            "X must be a map-style Dataset, which has a length and can be indexed; "
            f"got {type(X).__name__}. Of a DataLoader, pass its `dataset`."
        )
    if isinstance(X, torch.Tensor):
        return _check_tensor(X)
    if isinstance(X, Dataset):
        _check_not_empty(X)
        return X
    if isinstance(X, PathLike):
        X = image_files(X)
    if not hasattr(X, "shape"):
        X = _as_list(X)
    if len(getattr(X, "shape", ())) == 2 and X.shape[1] == 1:
        column = np.asarray(X)[:, 0]
        if column.dtype.kind in "OUST" and _are_items(column):
            X = column
    if len(getattr(X, "shape", ())) == 1:
        column = np.asarray(X)
        if column.dtype.kind in "OUST":
            X = column.tolist()
    if isinstance(X, list | tuple):
        _check_not_empty(X)
        if has_preprocess:
            return list(X)
        first = X[0]
        if isinstance(first, torch.Tensor) or (
            isinstance(first, np.ndarray) and first.ndim > 1
        ):
            return list(X)
        if isinstance(first, str | bytes) or not isinstance(
            first, Number | np.generic | np.ndarray | list | tuple
        ):
            raise _needs_preprocess(first)
    how = {"allow_nd": True, "input_name": "X", "estimator": estimator}
    return no_records_told(check_array, X, **how)


def _as_list(X: Any) -> Any:
    """Return a column of Arrow, or of a data set of Hugging Face, as a list."""
    if hasattr(X, "to_pylist"):
        return X.to_pylist()
    return list(X) if isinstance(X, Sequence) and not isinstance(X, tuple) else X


def _are_items(column: Any) -> bool:
    """Whether a column holds texts, paths or images, and no numbers."""
    return len(column) > 0 and not isinstance(column[0], Number | np.number | np.bool_)


def items_at(items: Any, index: slice | list[int], *, own: bool = False) -> Any:
    """Rows of an array or a tensor, or a list of items without their labels.

    Parameters
    ----------
    items : array, tensor, list or Dataset
        As `as_items` returns them.
    index : slice or list of int
        Which of them.
    own : bool
        Whether they may be written to: whether to copy what the caller holds.

    Returns
    -------
    batch : ndarray, Tensor or list
    """
    if isinstance(items, np.ndarray | torch.Tensor):
        return _owned(items[index], 0) if own else items[index]
    numbers = range(len(items))[index] if isinstance(index, slice) else index
    batch = [items[i] for i in numbers]
    if isinstance(items, Dataset):
        batch = [item[0] if isinstance(item, tuple | list) else item for item in batch]
    return [
        _owned(item, i) if own or isinstance(item, PathLike) else item
        for item, i in zip(batch, numbers, strict=True)
    ]


def _owned(item: Any, number: int) -> Any:
    """Return an item, or what it is made of, in memory that is not the caller's."""
    if isinstance(item, np.ndarray):
        return item.copy()
    if isinstance(item, torch.Tensor):
        return item.clone()
    if isinstance(item, PathLike):
        return opened(item, number)
    if is_image(item):
        return upright(item, number)
    if type(item) in (list, tuple):
        return type(item)(_owned(part, number) for part in item)
    if type(item) is dict:
        return {key: _owned(part, number) for key, part in item.items()}
    return item


def module_inputs(
    batch: Any, preprocess: Callable | None, level: str, numbers: Sequence[int]
) -> Any:
    """Return a tensor, or a tuple or a dict of tensors, made of the items of a batch.

    Parameters
    ----------
    batch : ndarray, Tensor or list
        Items, as `items_at` returns them.
    preprocess : callable or None
        Applied to the batch or to each of its items.
    level : {"batch", "item"}
        What `preprocess` is applied to.
    numbers : sequence of int
        Their numbers in X.

    Returns
    -------
    Tensor, tuple of Tensor or dict of Tensor
        What the module is called with.
    """
    if preprocess is None:
        return _stack_raw(batch, numbers)
    if level == "item":
        tensors = [
            _as_tensor(_preprocessed(preprocess, item, number), "preprocess")
            for item, number in zip(batch, numbers, strict=True)
        ]
        rule = "preprocess must return tensors of one shape"
        return _stack(tensors, rule, numbers)
    inputs = _preprocessed_batch(preprocess, batch, numbers)
    if isinstance(inputs, Mapping):
        return {key: _as_tensor(value, "preprocess") for key, value in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(_as_tensor(value, "preprocess") for value in inputs)
    return _as_tensor(inputs, "preprocess")


def _preprocessed(preprocess: Callable, item: Any, number: int) -> Any:
    try:
        return preprocess(item)
    except Exception as error:
        raise ValueError(
            f"preprocess failed for item {number} of X: {type(error).__name__}: {error}"
        ) from error


def _preprocessed_batch(
    preprocess: Callable, batch: Any, numbers: Sequence[int]
) -> Any:
    try:
        return preprocess(batch)
    except Exception as error:
        for i, number in enumerate(numbers):
            _preprocessed(preprocess, batch[i : i + 1], number)
        error.add_note(f"preprocess was given items {numbers[0]} to {numbers[-1]} of X")
        raise


def _check_not_empty(X: Any) -> None:
    if len(X) == 0:
        raise ValueError("X has 0 items while a minimum of 1 is required.")


def _check_tensor(X: torch.Tensor) -> torch.Tensor:
    if X.layout is not torch.strided or X.is_complex():
        raise TypeError(
            f"X must be a dense tensor of real numbers; got layout {X.layout} and "
            f"dtype {X.dtype}."
        )
    if X.ndim < 2:
        raise ValueError(
            "Expected a tensor X of at least 2 dimensions, the items along the first; "
            f"got shape {tuple(X.shape)}."
        )
    _check_not_empty(X)
    _check_finite(X)
    return X.detach()


def _check_finite(X: torch.Tensor) -> None:
    if X.is_floating_point() and not torch.isfinite(X).all():
        raise ValueError("Input X contains NaN or infinity; X must be finite.")


def _needs_preprocess(item: Any) -> TypeError:
    return TypeError(
        "Without preprocess, X must hold numbers, arrays or tensors; got items of "
        f"type {type(item).__name__}. Pass a preprocess which turns them into tensors."
    )


def _stack_raw(batch: Any, numbers: Sequence[int]) -> torch.Tensor:
    if isinstance(batch, torch.Tensor):
        return batch
    if isinstance(batch, np.ndarray):
        return _as_tensor(batch, "X")
    for item in batch:
        if not isinstance(item, torch.Tensor | np.ndarray):
            raise _needs_preprocess(item)
    stacked = _stack(
        [_as_tensor(item, "X") for item in batch],
        "Without preprocess, the items of X must have one shape",
        numbers,
    )
    _check_finite(stacked)
    return stacked


def _stack(
    tensors: list[torch.Tensor], rule: str, numbers: Sequence[int]
) -> torch.Tensor:
    first = tuple(tensors[0].shape)
    for tensor, number in zip(tensors, numbers, strict=True):
        if tuple(tensor.shape) != first:
            raise ValueError(
                f"{rule}; got shape {first} for item {numbers[0]} of X and "
                f"{tuple(tensor.shape)} for item {number}."
            )
    return torch.stack(tensors)


def _as_tensor(value: Any, name: str) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        # A copy in native byte order: torch wraps neither read-only memory, nor
        # negative strides, nor foreign byte orders.
        native = value.dtype.newbyteorder("=")
        return torch.from_numpy(np.array(value, dtype=native, order="C"))
    kind = f"array of {value.dtype}" if isinstance(value, np.ndarray) else None
    raise TypeError(
        f"{name} must give tensors or arrays of numbers (or, for a batch, a tuple or "
        f"a dict of them); got {kind or type(value).__name__}."
    )
