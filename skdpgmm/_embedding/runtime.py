"""Run a torch module on some device, in eval mode, and leave it as it was."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from skdpgmm._embedding.outputs import map_tensors

# Largest change of a row, relative to its norm, that is put down to arithmetic.
# A float32 network summed in another order moves by about 1e-6. Accelerators may
# multiply float32 with the 10 mantissa bits of TF32, half precision has 8 to 11.
ROW_TOLERANCE = 1e-3
ROW_TOLERANCE_LOW_PRECISION = 3e-2


class InputForm:
    """Device, type and memory format of a module's inputs.

    Inputs are copied: a module may write to them, and their memory may be the caller's.
    """

    def __init__(
        self,
        device: torch.device,
        dtype: torch.dtype,
        channels_last: bool,
        autocast: str | None,
    ):
        self.device = device
        self.dtype = dtype
        self.channels_last = channels_last
        full = device.type == "cpu" and dtype in (torch.float32, torch.float64)
        full = full and autocast is None
        self.tolerance = ROW_TOLERANCE if full else ROW_TOLERANCE_LOW_PRECISION

    def of(self, inputs: Any, everything: bool = True) -> Any:
        """Return copies of tensors; converts floating point ones, or `everything`."""

        def copied(tensor):
            # From pinned memory. A copy to the processor must be waited for.
            ahead = self.device.type == "cuda"
            dtype, layout = tensor.dtype, torch.preserve_format
            if everything or tensor.is_floating_point():
                dtype = self.dtype
                if self.channels_last and tensor.ndim == 4:
                    layout = torch.channels_last
            moved = tensor.to(
                self.device, dtype, non_blocking=ahead, memory_format=layout
            )
            return tensor.clone() if moved is tensor else moved

        return map_tensors(inputs, copied)


@contextmanager
def ready(
    function: Any,
    name: str,
    device: str | torch.device,
    channels_last: bool = False,
    autocast: str | None = None,
) -> Iterator[tuple[Callable, InputForm]]:
    """Prepare a module for inference, and leave the caller's as it was."""
    owner = _owner(function)
    target = _resolve_device(device, owner)
    for part in owner.modules():
        if not isinstance(part, _BatchNorm):
            continue
        if part.training or owner.training:
            raise ValueError(
                f"{name} contains batch normalization in training mode, which mixes "
                f"the rows of a batch. Call {name}.eval() first."
            )
        if part.running_mean is None:
            raise ValueError(
                f"{name} contains batch normalization without running statistics, "
                "which mixes the rows of a batch even in evaluation mode. Build it "
                "with track_running_stats=True."
            )
    if device != "auto" and any(tensor.device != target for tensor in _tensors(owner)):
        function = copy.deepcopy(function)
        owner = _owner(function).to(target)
    floats = (p.dtype for p in owner.parameters() if p.is_floating_point())
    dtype = next(floats, torch.float32)
    form = InputForm(target, dtype, channels_last and target.type == "cpu", autocast)
    casts: AbstractContextManager = nullcontext()
    if autocast is not None:
        casts = torch.autocast(target.type, getattr(torch, autocast))
    modes = [(part, part.training) for part in owner.modules()]
    weights = [(p, p.data) for p in owner.parameters() if p.ndim == 4]
    try:
        if any(training for _, training in modes):
            owner.eval()
        if form.channels_last:
            for parameter, data in weights:
                parameter.data = data.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), casts:
            yield function, form
    finally:
        for part, training in modes:
            part.training = training
        for parameter, data in weights:
            parameter.data = data


def compiled(function: Any, how: bool | dict) -> Any:
    """Return `function`, or what ``torch.compile`` makes of it."""
    if how is False:
        return function
    return torch.compile(function, **({} if how is True else how))


@contextmanager
def at_layer(function: Any, layer: str | None) -> Iterator[Callable]:
    """What `function` returns or, given a `layer`, what that submodule returned."""
    if layer is None:
        yield function
        return
    submodules = dict(_owner(function).named_modules())
    if layer not in submodules:
        names = [name for name in submodules if name]
        some = f"{names[:20]}{' and so on' if len(names) > 20 else ''}"
        raise ValueError(
            f"layer must be the name of a submodule of module, among {some}; got "
            f"{layer!r}."
        )
    outputs: list = []

    def keep(module, args, output):
        # A copy, as the next layer may work in place.
        outputs[:] = [output.clone() if isinstance(output, torch.Tensor) else output]

    def run(*args, **kwargs):
        outputs.clear()
        function(*args, **kwargs)
        if not outputs:
            raise ValueError(
                f"layer must name a submodule that runs when module is called; "
                f"{layer!r} did not."
            )
        return outputs[0]

    handle = submodules[layer].register_forward_hook(keep)
    try:
        yield run
    finally:
        handle.remove()


def _owner(function: Any) -> torch.nn.Module:
    """Return the module that is called, be it through one of its methods."""
    for candidate in (function, getattr(function, "__self__", None)):
        if isinstance(candidate, torch.nn.Module):
            return candidate
    return torch.nn.Module()


def _tensors(module: torch.nn.Module) -> Iterator[torch.Tensor]:
    return chain(module.parameters(), module.buffers())


def _resolve_device(device: str | torch.device, owner: torch.nn.Module) -> torch.device:
    if device == "auto":
        own = next(_tensors(owner), None)
        if own is not None:
            return own.device
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        # Read off a tensor, "cuda" has an index, as the device of a module has.
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            "device must be 'auto' or a device that torch can use here, such as 'cpu' "
            f"or 'cuda:0'; got {device!r}."
        ) from error


def progress(batches: Iterable, total: int, action: str, verbose: bool) -> Iterable:
    """Iterate over batches, with a progress bar on stderr if `verbose`."""
    if not verbose:
        return batches
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]
    except ImportError:
        return _percentages(batches, total, action)
    return tqdm(batches, total=total, desc=action, unit="batch", file=sys.stderr)


def _percentages(batches: Iterable, total: int, action: str) -> Iterator:
    for done, batch in enumerate(batches, 1):
        yield batch
        percent = 100 * done // total
        if percent // 10 > 100 * (done - 1) // total // 10:
            print(f"{action}: {percent} %", file=sys.stderr)
