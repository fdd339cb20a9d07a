"""Batches of items as inputs of a module, loaded here or by other processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from traceback import clear_frames
from typing import Any

import torch
from torch.multiprocessing import get_start_method
from torch.utils.data import DataLoader, Dataset

from skdpgmm._embedding.items import items_at, module_inputs


class Batches(Dataset):
    """Inputs of the module, a batch at a time.

    Parameters
    ----------
    items : array, tensor, list or Dataset
        As `as_items` returns them.
    batch_size : int
        Items of a batch; the last may have fewer.
    preprocess : callable or None
        Applied to a batch or to each item.
    level : {"batch", "item"}
        What `preprocess` is applied to.
    """

    def __init__(
        self, items: Any, batch_size: int, preprocess: Callable | None, level: str
    ):
        self.items, self.batch_size = items, batch_size
        self.preprocess, self.level = preprocess, level

    def __len__(self) -> int:
        return -(-len(self.items) // self.batch_size)

    def __getitem__(self, i: int) -> Any:
        numbers = self.numbers(i)
        batch = self._items_at(slice(numbers.start, numbers.stop))
        return module_inputs(batch, self.preprocess, self.level, numbers)

    def numbers(self, i: int) -> range:
        """Return the numbers in X of the items of a batch."""
        start = i * self.batch_size
        return range(start, min(start + self.batch_size, len(self.items)))

    def inputs_of(self, numbers: Sequence[int]) -> Any:
        """Return the inputs for some items."""
        batch = self._items_at(list(numbers))
        return module_inputs(batch, self.preprocess, self.level, numbers)

    def _items_at(self, index: slice | list[int]) -> Any:
        # What `preprocess` gets it may write to, now and when asked again.
        return items_at(self.items, index, own=self.preprocess is not None)


def loaded_batches(
    batches: Batches, n_workers: int, device: torch.device
) -> Iterator[Any]:
    """Yield all batches in order; with workers, the next ones are loaded ahead."""
    if n_workers == 0:
        yield from (batches[i] for i in range(len(batches)))
        return
    if get_start_method() != "fork":
        _check_can_be_sent("preprocess", batches.preprocess, n_workers)
        _check_can_be_sent("X", batches.items, n_workers)
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=n_workers,
        collate_fn=_as_it_is,
        pin_memory=device.type == "cuda",
        # A private generator: the global one must not advance.
        generator=torch.Generator(),
    )
    try:
        yield from loader
    except Exception as error:
        # The loader raises it in a frame that it refers to. Nothing but a collection
        # of garbage would end the workers, and would wait seconds for each.
        clear_frames(error.__traceback__)
        raise


class _Nowhere:
    """A file that keeps nothing of what is written to it."""

    def write(self, data: Any) -> None: ...


def _check_can_be_sent(name: str, value: Any, n_workers: int) -> None:
    """Refuse what a process that starts anew, and not as a copy of this one, lacks."""
    try:
        pickle.Pickler(_Nowhere(), pickle.HIGHEST_PROTOCOL).dump(value)
    except Exception as error:
        raise TypeError(
            f"{name} must be picklable with num_workers={n_workers}, as processes "
            f"start by {get_start_method()!r}; got {type(value).__name__}, which is "
            "not. Define functions and classes at the top level of a module, or use "
            "num_workers=0."
        ) from error


def _as_it_is(inputs: Any) -> Any:
    return inputs
