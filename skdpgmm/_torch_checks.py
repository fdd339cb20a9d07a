"""What goes into a torch module and what comes out of it, checked.

Nothing here knows the estimator: items are read from whatever holds them, turned
into the inputs of the module, and its output is turned into one row per item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Number
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_array
from torch.utils.data import DataLoader, Dataset, IterableDataset


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
    return check_array(X, allow_nd=True, input_name="X", estimator=estimator)


def take(items: Any, index: slice | list[int]) -> Any:
    """Rows of an array or a tensor, or a list of items without their labels."""
    if isinstance(items, np.ndarray | torch.Tensor):
        return items[index]
    numbers = range(len(items))[index] if isinstance(index, slice) else index
    batch = [items[i] for i in numbers]
    if isinstance(items, Dataset):
        batch = [item[0] if isinstance(item, tuple | list) else item for item in batch]
    return batch


def module_inputs(batch: Any, preprocess: Callable | None, level: str) -> Any:
    """Return a tensor, or a tuple or a dict of tensors, made of the items of a batch.

    Parameters
    ----------
    batch : ndarray, Tensor or list
        Items, as `take` returns them.
    preprocess : callable or None
        Applied to the batch or to each of its items.
    level : {"batch", "item"}
        What `preprocess` is applied to.

    Returns
    -------
    Tensor, tuple of Tensor or dict of Tensor
        What the module is called with.
    """
    if preprocess is None:
        return _stack_raw(batch)
    if level == "item":
        return _stack(
            [_as_tensor(preprocess(item), "preprocess") for item in batch],
            "preprocess must return tensors of one shape",
        )
    inputs = preprocess(batch)
    if isinstance(inputs, Mapping):
        return {key: _as_tensor(value, "preprocess") for key, value in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(_as_tensor(value, "preprocess") for value in inputs)
    return _as_tensor(inputs, "preprocess")


def map_tensors(inputs: Any, function: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Apply a function to the tensor, or to each tensor of a tuple or a dict."""
    if isinstance(inputs, dict):
        return {key: function(value) for key, value in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(function(value) for value in inputs)
    return function(inputs)


def call(function: Callable, inputs: Any) -> Any:
    """Call a module with a tensor, a tuple (`*args`) or a dict (`**kwargs`)."""
    if isinstance(inputs, dict):
        return function(**inputs)
    if isinstance(inputs, tuple):
        return function(*inputs)
    return function(inputs)


def as_rows(
    output: Any, inputs: Any, n_rows: int, pooling: str | Callable | None
) -> torch.Tensor:
    """Return what a module gave for `n_rows` items as a finite float32 matrix."""
    output = _hidden_state(output, pooling)
    check_output(output, n_rows, "module", finite=False)
    if pooling is not None:
        mask = inputs.get("attention_mask") if isinstance(inputs, dict) else None
        output = _pool(output, pooling, mask)
        check_output(output, n_rows, "pooling", finite=False)
    if output.ndim != 2:
        raise ValueError(
            "module must return one vector per item, shape (n_items, n_outputs); got "
            f"{_describe(output)} with pooling={pooling!r}. Set pooling to 'mean', "
            "'max', 'cls' or a callable which returns a 2-D tensor."
        )
    output = output.float()
    check_output(output, n_rows, "module")
    return output


def check_output(output: Any, n_rows: int, name: str, *, finite: bool = True) -> None:
    """Refuse what is not a finite tensor with one entry for each item."""
    if not isinstance(output, torch.Tensor):
        raise ValueError(
            f"{name} must return one tensor; got {_describe(output)}. Wrap it in a "
            "function that returns the tensor, or, for module, take the output of one "
            "of its submodules with layer=."
        )
    if output.ndim == 0 or len(output) != n_rows:
        raise ValueError(
            f"{name} must return one row per item, here {n_rows}; got "
            f"{_describe(output)}."
        )
    if finite and not torch.isfinite(output).all():
        raise ValueError(
            f"{name} must return finite numbers; got nan or infinity in "
            f"{_describe(output)}. Are its weights finite, and are its inputs in the "
            "range that it was made for?"
        )


def unit_rows(rows: torch.Tensor) -> torch.Tensor:
    """Divide rows by their l2 norm; rows of zeros stay zero."""
    # Divided by their largest entry first, rows whose squares would overflow or
    # underflow keep their direction.
    largest = rows.abs().amax(dim=1, keepdim=True)
    rows = rows / torch.where(largest > 0, largest, 1.0)
    norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return rows / torch.where(norms > 0, norms, 1.0)


def check_rows_stand_alone(
    prepare: Callable[[Any], Any],
    forward: Callable[[Any, int], torch.Tensor],
    batch: Any,
    rows: torch.Tensor,
    tolerance: float,
) -> None:
    """Refuse a module whose output for a row depends on the rest of its batch.

    The first, middle and last rows of the batch are computed again, each alone and
    all three together in the opposite order. A lone row is computed again beside a
    copy of itself whose floating-point inputs are doubled.
    """
    last = len(rows) - 1
    if last == 0:
        beside = map_tensors(prepare(take(batch, [0, 0])), _double_second)
        trials = [([0], forward(beside, 2)[:1])]
    else:
        chosen = sorted({0, (last + 1) // 2, last})
        trials = [
            (picked, forward(prepare(take(batch, picked)), len(picked)))
            for picked in [[i] for i in chosen] + [chosen[::-1]]
        ]
    for picked, again in trials:
        if again.shape[1] != rows.shape[1]:
            raise ValueError(
                "module must return as many outputs whatever the batch; got "
                f"{rows.shape[1]} and {again.shape[1]}."
            )
        before, after = rows[picked].double(), again.double()
        norms = torch.maximum(before.norm(dim=1), after.norm(dim=1))
        if ((before - after).norm(dim=1) > tolerance * norms).any():
            raise ValueError(
                "module must treat each row alone: its output for a row changed by "
                f"more than {tolerance:g} of its norm with the other rows of the "
                "batch. Statistics of the batch, attention across it (a layer with "
                "batch_first=False), unmasked padding and randomness, in module or in "
                "preprocess, do that."
            )


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


def _stack_raw(batch: Any) -> torch.Tensor:
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
    )
    _check_finite(stacked)
    return stacked


def _stack(tensors: list[torch.Tensor], rule: str) -> torch.Tensor:
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if len(shapes) > 1:
        first, second = sorted(shapes, key=str)[:2]
        raise ValueError(f"{rule}; got shapes {first} and {second} in one batch.")
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


def _hidden_state(output: Any, pooling: str | Callable | None) -> Any:
    if isinstance(output, Mapping):
        hidden = output.get("last_hidden_state")
    else:
        hidden = getattr(output, "last_hidden_state", None)
    if hidden is None:
        return output
    if pooling is None:
        raise ValueError(
            f"module must return one tensor; got {_describe(output)}, which has a "
            "last_hidden_state. Set pooling='mean' or 'cls' to embed that, or wrap "
            "the module so that it returns the tensor of embeddings."
        )
    return hidden


def _pool(
    output: torch.Tensor, pooling: str | Callable, mask: torch.Tensor | None
) -> torch.Tensor:
    if callable(pooling):
        return pooling(output)
    if output.ndim < 3 or (pooling == "cls" and output.ndim != 3):
        legal = "a 3-D output" if pooling == "cls" else "an output of 3 or more"
        raise ValueError(
            f"pooling={pooling!r} needs {legal} dimensions; module returned "
            f"{_describe(output)}. Set pooling=None for a 2-D output."
        )
    if output.ndim > 3:
        output = output.flatten(2)
        return output.mean(dim=2) if pooling == "mean" else output.amax(dim=2)
    if pooling == "cls":
        return output[:, 0]
    if mask is None or mask.shape != output.shape[:2]:
        return output.mean(dim=1) if pooling == "mean" else output.amax(dim=1)
    kept = mask.bool().unsqueeze(2)
    if pooling == "max":
        return output.masked_fill(~kept, -torch.inf).amax(dim=1)
    return output.masked_fill(~kept, 0).sum(dim=1) / kept.sum(dim=1).clamp(min=1)


def _double_second(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.ndim and len(tensor) == 2 and tensor.is_floating_point():
        tensor = tensor.clone()
        tensor[1] *= 2
    return tensor


def _describe(output: Any) -> str:
    if isinstance(output, torch.Tensor):
        return f"a tensor of shape {tuple(output.shape)}"
    if isinstance(output, Mapping):
        return f"a {type(output).__name__} with keys {list(output)}"
    if isinstance(output, tuple | list):
        return f"a {type(output).__name__} of length {len(output)}"
    return f"an object of type {type(output).__name__}"
