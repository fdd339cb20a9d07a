"""Arrays of other libraries, such as tensors of torch, on whatever device."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils._array_api import device as device_in
from sklearn.utils._array_api import get_namespace, move_to

from skdpgmm._rows.device import Device


def device_of(X: Any) -> Device | None:
    """Return where an array is, or None for one of numpy, or without dispatch."""
    if not get_config()["array_api_dispatch"]:
        return None
    if isinstance(X, np.ndarray) or not hasattr(X, "__dlpack__"):
        return None
    xp, _ = get_namespace(X)
    device = device_in(X)
    return Device(
        xp,
        lambda array: move_to(array, xp=np, device="cpu"),
        lambda array: xp.asarray(array, device=device),
    )


def is_in_memory(X: Any) -> bool:
    """Whether an array-API array can be read as one of numpy."""
    return str(device_in(X)) == "cpu"


def as_numpy(X: Any) -> Any:
    """Return a numpy array for an array-API array, and anything else as it is."""
    device = device_of(X)
    return X if device is None else device.to_host(X)


def checked_rows(X: Any, device: Device) -> Any:
    """Return rows on a device as finite float32 or float64, or say what is wrong."""
    xp = device.xp
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(
            "X must have shape (n_samples, n_features), both at least 1, got "
            f"{tuple(X.shape)}."
        )
    if not xp.isdtype(X.dtype, ("real floating", "integral")):
        raise ValueError(f"X must be of real numbers, got {X.dtype}.")
    if X.dtype not in (xp.float32, xp.float64):
        X = xp.astype(X, xp.float64)
    if not bool(xp.all(xp.isfinite(X))):
        raise ValueError("Input X contains NaN or infinity.")
    return X


def example_of(X: Any) -> Any:
    """Return an array of no rows where an array-API array is, or None.

    A slice would not do: with one of torch, a pickle has all rows.
    """
    device = device_of(X)
    if device is None:
        return None
    return device.xp.zeros((0, 1), dtype=X.dtype, device=device_in(X))


def portable(example: Any) -> Any:
    """Return an example that can be read where there is no such device."""
    return example.cpu() if hasattr(example, "cpu") else example


def like(array: Any, example: Any) -> Any:
    """Return numbers where `example` is, and anything else as it is."""
    device = device_of(example)
    if device is None or array.dtype.kind not in "fiub":
        return array
    return device.from_host(array)
