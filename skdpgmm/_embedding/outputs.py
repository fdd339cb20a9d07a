"""What comes out of a torch module, checked, and turned into one row per item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch


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


@contextmanager
def named_items(what: str, numbers: Sequence[int]) -> Iterator[None]:
    """Add to an exception which items it is about."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{what} {numbers[0]} to {numbers[-1]}.")
        raise


def as_rows(
    output: Any, inputs: Any, numbers: Sequence[int], pooling: str | Callable | None
) -> torch.Tensor:
    """Return what a module gave for some items as a finite float32 matrix."""
    output = _hidden_state(output, pooling)
    check_output(output, numbers, "module", finite=False)
    if pooling is not None:
        mask = inputs.get("attention_mask") if isinstance(inputs, dict) else None
        output = _pool(output, pooling, mask)
        check_output(output, numbers, "pooling", finite=False)
    if output.ndim != 2:
        raise ValueError(
            "module must return one vector per item, shape (n_items, n_outputs); got "
            f"{_describe(output)} with pooling={pooling!r}. Set pooling to 'mean', "
            "'max', 'cls' or a callable which returns a 2-D tensor."
        )
    output = output.float()
    check_output(output, numbers, "module")
    return output


def check_output(
    output: Any,
    numbers: Sequence[int],
    name: str,
    *,
    finite: bool = True,
    item: str = "item {} of X",
) -> None:
    """Refuse what is not a finite tensor with one entry for each item."""
    if not isinstance(output, torch.Tensor):
        raise ValueError(
            f"{name} must return one tensor; got {_describe(output)}. Wrap it in a "
            "function that returns the tensor, or, for module, take the output of one "
            "of its submodules with layer=."
        )
    if output.ndim == 0 or len(output) != len(numbers):
        raise ValueError(
            f"{name} must return one row per item, here {len(numbers)}; got "
            f"{_describe(output)}."
        )
    if finite:
        refuse_where(
            ~torch.isfinite(output),
            numbers,
            f"{name} must return finite numbers; got nan or infinity for {item}. Are "
            "its weights finite, and are its inputs in the range that it was made for?",
        )


def refuse_where(bad: torch.Tensor, numbers: Sequence[int], message: str) -> None:
    """Raise, with the number of the first row in which anything is bad."""
    rows = bad.flatten(1).any(dim=1) if bad.ndim > 1 else bad
    if rows.any():
        first = numbers[int(rows.to(torch.uint8).argmax())]
        raise ValueError(message.format(first))


def unit_rows(rows: torch.Tensor) -> torch.Tensor:
    """Divide rows by their l2 norm; rows of zeros stay zero."""
    # Divided by their largest entry first, rows whose squares would overflow or
    # underflow keep their direction.
    largest = rows.abs().amax(dim=1, keepdim=True)
    rows = rows / torch.where(largest > 0, largest, 1.0)
    norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return rows / torch.where(norms > 0, norms, 1.0)


def check_rows_stand_alone(
    inputs_of: Callable[[Sequence[int]], Any],
    forward: Callable[[Any, Sequence[int]], torch.Tensor],
    rows: torch.Tensor,
    tolerance: float,
) -> None:
    """Refuse a module whose output for a row depends on the rest of its batch.

    The first, middle and last rows of the first batch are computed again, each alone
    and all three together in the opposite order. A lone row is computed again beside
    a copy of itself whose floating-point inputs are doubled.
    """
    last = len(rows) - 1
    if last == 0:
        beside = map_tensors(inputs_of([0, 0]), _double_second)
        trials = [([0], forward(beside, [0, 0])[:1])]
    else:
        chosen = sorted({0, (last + 1) // 2, last})
        trials = [
            (picked, forward(inputs_of(picked), picked))
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


def _hidden_state(output: Any, pooling: str | Callable | None) -> Any:
    """Return the tensor to go on with, of an output with several names."""

    def of(name):
        if isinstance(output, Mapping):
            return output.get(name)
        return getattr(output, name, None)

    hidden = of("last_hidden_state")
    if pooling is not None:
        return output if hidden is None else hidden
    # CLIP with a projection head returns these.
    for name in ("image_embeds", "text_embeds"):
        if hidden is not None and of(name) is not None:
            return of(name)
    if hidden is None:
        return output
    more = "" if of("pooler_output") is None else " and a pooler_output"
    raise ValueError(
        f"module must return one tensor; got {_describe(output)}, which has a "
        f"last_hidden_state{more}. Set pooling='mean' or 'cls' to embed the former, or "
        "wrap the module so that it returns the tensor of embeddings."
    )


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
    kept = mask.to(output.device).bool().unsqueeze(2)
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
