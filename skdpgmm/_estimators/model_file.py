"""The file of a fitted model: arrays as safetensors, all else as JSON in its header.

Nothing that is read is executed, and no class is looked up by a name in the file. A
digest goes over all of it, so that what was damaged is found; whoever changes a file on
purpose can make a new one, which is why `verify` replays the fit.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from skdpgmm._estimators.signature import Signature

FORMAT, VERSION = "skdpgmm model", 1
# The keys of the header.
_KEY, _SIGNATURE = "skdpgmm", "signature"
_DTYPES = ("float64", "float32", "int64", "bool")


class ModelFile(NamedTuple):
    """What is in a file.

    Attributes
    ----------
    document : dict
        What JSON can say.
    arrays : dict of str to ndarray
    digest : str
        Of all of it.
    n_bytes : int
        Length of the file.
    signature : Signature or None
        As the file says it, which anybody can.
    """

    document: dict[str, Any]
    arrays: dict[str, np.ndarray]
    digest: str
    n_bytes: int
    signature: Signature | None = None


def write(path, document, arrays, signing_key=None) -> str:
    """Write a file at once, in place of one that is there; return its digest."""
    digest = _digest(document, arrays)
    header = {_KEY: _canonical({**document, "digest": digest})}
    if signing_key is not None:
        signature = Signature.of(digest, signing_key)
        header[_SIGNATURE] = _canonical(signature.as_json())
    data = to_bytes(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, header
    )
    path = Path(path)
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
    return digest


def read(path) -> ModelFile:
    """Read a file, or say with a ValueError why it is none."""
    path = Path(path)
    n_bytes = path.stat().st_size
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            names = list(file.keys())
            document = _parsed(header)
            arrays = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path.name} is not a whole safetensors file: {error}") from (
            error
        )
    found = document.pop("digest", None)
    digest = _digest(document, arrays)
    if found != digest:
        raise ValueError(
            f"{path.name} is damaged: its digest is {digest}, and it says {found}."
        )
    for name, array in arrays.items():
        if array.dtype.name not in _DTYPES:
            raise ValueError(f"{name} must be one of {_DTYPES}, got {array.dtype}.")
    signature = None
    if _SIGNATURE in header:
        signature = Signature.read(_json(header[_SIGNATURE]))
    return ModelFile(document, arrays, digest, n_bytes, signature)


def _parsed(header) -> dict[str, Any]:
    if _KEY not in header:
        raise ValueError("The file is not one that skdpgmm has written.")
    document = _json(header[_KEY])
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError("The file is not one that skdpgmm has written.")
    if document.get("version") != VERSION:
        raise ValueError(
            f"The file has version {document.get('version')!r} of the format, and this "
            f"version of skdpgmm reads {VERSION}."
        )
    return document


def _json(text):
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"The header is damaged: {error}") from error


def _refuse_constant(name):
    raise ValueError(f"The header has {name}, which is no number of JSON.")


def _canonical(document) -> str:
    return json.dumps(document, sort_keys=True, allow_nan=False)


def _digest(document, arrays) -> str:
    """Return a hash of all: each array is hashed with the hash of what is before it."""
    link = hashlib.sha256(_canonical(document).encode()).digest()
    for name in sorted(arrays):
        array = arrays[name]
        start = [name, array.dtype.name, list(array.shape)]
        chain = hashlib.sha256(link + _canonical(start).encode())
        chain.update(np.ascontiguousarray(array).data)
        link = chain.digest()
    return link.hex()


class Packer:
    """Turns values into JSON, and keeps their arrays.

    Parameters
    ----------
    prefix : str, default=""
        What the names of its arrays begin with.

    Attributes
    ----------
    arrays : dict of str to ndarray
    """

    def __init__(self, prefix=""):
        self.arrays: dict[str, np.ndarray] = {}
        self._prefix = prefix

    def pack(self, value, name):
        """Return what JSON says of a value; `name` is that of its array, if it is one.

        Raises
        ------
        TypeError
            When a file has no place for such a value.
        """
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, np.bool_ | Integral | np.str_):
            return value.item() if isinstance(value, np.generic) else int(value)
        if isinstance(value, Real):
            return _real(float(value))
        if isinstance(value, dict):
            pairs = [
                [self.pack(key, name), self.pack(one, f"{name}.{i}")]
                for i, (key, one) in enumerate(value.items())
            ]
            return {"pairs": pairs}
        try:
            array = np.asarray(value)
        except ValueError:
            if not any(np.isscalar(one) for one in value):
                raise
            # One for all beside one for each, as bounds may be.
            parts = [self.pack(one, f"{name}.{i}") for i, one in enumerate(value)]
            return {"parts": parts}
        if array.dtype.name in _DTYPES:
            self.arrays[self._prefix + name] = array
            return {"array": self._prefix + name}
        if array.dtype.kind in "iuf" and array.dtype.itemsize <= 4:
            kind = np.float64 if array.dtype.kind == "f" else np.int64
            return self.pack(array.astype(kind), name)
        if array.ndim == 1 and array.dtype.kind in "UO":
            entries = [self.pack(one, f"{name}.{i}") for i, one in enumerate(array)]
            return {"list": entries, "dtype": array.dtype.kind}
        raise TypeError(f"{name} cannot be written to a file, got {value!r}.")


def unpack(packed, arrays):
    """Return the value of which `Packer.pack` has said this."""
    if not isinstance(packed, dict):
        if isinstance(packed, list):
            raise ValueError("A list stands where a value is expected.")
        return packed
    if len(packed) == 1 and "real" in packed:
        return float(packed["real"])
    if len(packed) == 1 and "array" in packed:
        return arrays[packed["array"]]
    if len(packed) == 1 and "pairs" in packed:
        return {unpack(k, arrays): unpack(v, arrays) for k, v in packed["pairs"]}
    if len(packed) == 1 and "parts" in packed:
        return tuple(unpack(one, arrays) for one in packed["parts"])
    if packed.keys() == {"list", "dtype"}:
        kind = {"U": np.str_, "O": object}[packed["dtype"]]
        return np.array([unpack(one, arrays) for one in packed["list"]], dtype=kind)
    raise ValueError(f"{sorted(packed)} are no keys of a value.")


def _real(value):
    # JSON has no infinity and no nan.
    return value if math.isfinite(value) else {"real": repr(value)}
