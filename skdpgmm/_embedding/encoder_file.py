"""Encoders by a name: an object of a module of Python, or a file on this machine."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from skdpgmm._embedding.onnx_encoder import OnnxEncoder

_TORCHSCRIPT = (".pt", ".ts", ".torchscript")


def encoder_named(name: str) -> Any:
    """Return an encoder: nothing is downloaded.

    Parameters
    ----------
    name : str
        A file in the format ONNX (".onnx") or TorchScript (".pt", ".ts"), or
        "package.module:object", which is imported.

    Raises
    ------
    ValueError
        When it is none of these.
    """
    suffix = Path(name).suffix.lower()
    if suffix == ".onnx":
        return OnnxEncoder(_file(name))
    if suffix in _TORCHSCRIPT:
        path = _file(name)
        with warnings.catch_warnings():
            # It works for as long as torch has it.
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                return torch.jit.load(path, map_location="cpu").eval()
            except RuntimeError as error:
                raise ValueError(f"{name} is no file of TorchScript.") from error
    if ":" not in name:
        raise ValueError(
            f"{name!r} must be a folder of a model, a file that ends with .onnx, .pt "
            "or .ts, or package.module:object."
        )
    return imported(name)


def imported(name: str) -> Any:
    """Return an object of a module of Python, as in "package.module:object"."""
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ValueError(f"{name!r} must be package.module:object.")
    found = import_module(module)
    for part in path.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{module} has no {path}.")
        found = getattr(found, part)
    return found


def _file(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"{name} is no file.")
    return path
