"""Files of models in which something was changed, some with a digest that is right."""

import copy
import json

import numpy as np
from safetensors.numpy import save as to_bytes

from skdpgmm._estimators.model_file import read, write

VALUES = [
    *(None, True, -1, 0, 1, 2, 7, 10**6, 10**12, -(10**12), 2**63, 1e308, 0.5),
    *("", "full", "auto", [], [1], {}, {"real": "nan"}, {"real": "inf"}),
    *({"array": "none"}, {"list": [], "dtype": "U"}, {"pairs": []}),
]
NUMBERS = [np.nan, np.inf, -np.inf, 0.0, 1e308, -1.0, 1e-320]


def forge(path, to, rng):
    """Write a copy of a file in which one to three things are others."""
    file = read(path)
    document = copy.deepcopy(file.document)
    arrays = {name: array.copy() for name, array in file.arrays.items()}
    for _ in range(rng.integers(1, 4)):
        if rng.random() < 0.6:
            _change_document(document, rng)
        else:
            _change_array(arrays, rng)
    write(to, document, arrays)


def _change_document(document, rng):
    # Mostly where a number says how much is to be done.
    parts = ["parameters", "public"] if rng.random() < 0.7 else sorted(document)
    parts = [name for name in parts if isinstance(document.get(name), dict | list)]
    places = [place for name in parts for place in _places(document[name])]
    if not places:
        return
    parent, key = places[rng.integers(len(places))]
    if rng.random() < 0.1:
        del parent[key]
    else:
        parent[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])


def _places(node):
    """Yield all containers below a node, with each of their keys."""
    keys = list(node) if isinstance(node, dict) else range(len(node))
    for key in keys:
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


def _change_array(arrays, rng):
    if not arrays:
        return
    name = sorted(arrays)[rng.integers(len(arrays))]
    array = arrays[name]
    kind = rng.integers(6)
    if kind < 2 and array.size and array.dtype.kind == "f":
        array.reshape(-1)[rng.integers(array.size)] = rng.choice(NUMBERS)
    elif kind == 2:
        arrays[name] = array.reshape(-1)[: rng.integers(array.size + 1)]
    elif kind == 3:
        arrays[name] = np.tile(array.reshape(-1), 2)
    elif kind == 4:
        arrays[name] = array[None]
    else:
        del arrays[name]


def changed_bytes(data, rng):
    """Return bytes of which one to three runs are others, missing, or there twice."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        # The header is at the beginning, and is where most can be said.
        at = int(rng.integers(min(len(data), rng.choice([8, 4000, len(data)])) + 1))
        length = int(rng.integers(1, 9))
        noise = rng.bytes(length)
        kind = rng.integers(6)
        if kind == 0:
            data[at : at + length] = noise
        elif kind == 1:
            data[at:at] = noise
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at:at] = data[at : at + 100 * length]
        elif at < len(data):
            data[at] ^= 1 << int(rng.integers(8))
    return bytes(data)


def change_number(path, to, rng, right_digest):
    """Write a copy in which one number of an array is another; return its array."""
    file = read(path)
    arrays = {name: array.copy() for name, array in file.arrays.items()}
    names = sorted(name for name, array in arrays.items() if array.size)
    sizes = np.array([arrays[name].size for name in names], dtype=np.float64)
    # Half of them anywhere, half in an array as likely as in any other.
    chances = sizes / sizes.sum() if rng.random() < 0.5 else None
    name = names[rng.choice(len(names), p=chances)]
    _change_entry(arrays[name].reshape(-1), rng)
    if right_digest:
        write(to, file.document, arrays)
    else:
        header = {"skdpgmm": _text({**file.document, "digest": file.digest})}
        to.write_bytes(to_bytes(arrays, header))
    return name


def _change_entry(flat, rng):
    at, way = rng.integers(flat.size), rng.integers(3)
    old = flat[at]
    if flat.dtype.kind == "b":
        flat[at] = not old
    elif flat.dtype.kind == "i":
        flat[at] = old + rng.choice([-1, 1])
    elif way == 0 and np.isfinite(old):
        flat[at] = np.nextafter(old, np.inf)
    elif way == 1 and old not in (0.0, np.inf):
        flat[at] = old * rng.choice([-1.0, 2.0, 1.001])
    else:
        flat[at] = rng.standard_normal()


def _text(document):
    return json.dumps(document, sort_keys=True, allow_nan=False)
