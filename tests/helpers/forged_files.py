"""Files of models in which something was changed, with a digest that is right."""

import copy

import numpy as np

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
