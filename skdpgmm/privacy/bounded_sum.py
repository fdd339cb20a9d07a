"""The one bounded sum: verified weights times a moment of a verified vector.

Every private query is ``sum_i e(x_i) (x) m(v(x_i))``. A query maps each record by
itself, given public values, to weights e of k cells and to a vector v; m is one of
`MOMENTS`. It is not trusted with a norm: what its map returns is rounded and clipped
here, so that the bounds hold in integers for whatever was returned, and the sensitivity
is computed here. That a map treats each record by itself is looked at when it is first
used.

Lemma (the only one). Let e be integers, v_j integer vectors with ``|v_j| <= V``, and m
of degree s. Because ``|v * v|_2 <= |v|_2**2`` and ``|v v^T|_F = |v|**2``,
``|m(v)| <= |v|**s``, and so

- by cell: ``|(e_j m(v_j))_j|_2 <= |e|_2 V**s``;
- pooled:  ``|sum_j e_j m(v_j)|_2 <= |e|_1 V**s``.

Weights of kind "cell" (one cell, or none) and "l1" have ``|e|_2 <= |e|_1 <= E``, those
of kind "l2" ``|e|_2 <= E``: pooled moments of these are refused. The bound is attained
by e with one entry of E and v of norm V.

Exactness. An entry of a summand is at most ``2**SUMMAND_BITS``, so that all partial
sums of a block are integers below 2**53, which float64 holds in any order.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skdpgmm.privacy.grid import (
    GRID_BITS,
    HOST,
    clip_round,
    integer_norms,
    row_slices,
)
from skdpgmm.privacy.moments import MOMENTS, products

SUMMAND_BITS = 36
MAX_BLOCK_ROWS = 2 ** (53 - SUMMAND_BITS - 1)


class Weights(NamedTuple):
    """What is verified of the weights of a record: their norm, at most ``2**bits``."""

    norm: str  # "cell", "l1" or "l2"
    bits: int = 0


CELL = Weights("cell")


class Query:
    """A public map of one record; `_queries` has them all.

    Attributes
    ----------
    sees : {"grid", "rows", "codes"}
        What the map gets: grid points of `ball`, rows as they are, or nothing but codes
        of classes.
    ball : Ball or None
    weights : Weights
    vector_bits : int
        Vectors have norm at most ``2**vector_bits``.
    point : bool
        Whether v is the grid point itself, whatever the map returns.
    moments : tuple of str
        Names in `MOMENTS`.
    names : dict of str to str
        Name of the release of each moment.
    n_cells, n_features : int
        Number of cells, and width of a vector.
    n_made : int
        Numbers that the map makes of a row, which bound how many rows it gets.
    """

    sees: Any = "grid"
    ball: Any
    weights = CELL
    vector_bits = 0
    point = False
    moments: Any
    names: Any
    n_cells: Any
    n_features: Any = 0
    n_made: Any = 1

    def unit(self, moment: str) -> Any:
        """Return the public factor from integers to units of the data."""
        raise NotImplementedError

    def map(self, rows, codes, on) -> tuple[Any, Any]:
        """Return e and v of each row.

        e has a cell of each row, -1 for none, or a weight of each row and cell; v a
        row, or one for each cell along a first axis, or is None. `rows` may be written
        to, but for a query with `point`; `on` has the methods of `Host`.
        """
        raise NotImplementedError


class Part(NamedTuple):
    """One array of a release."""

    name: str
    shape: tuple[int, ...]
    l2_sensitivity: float
    scale: Any = 1.0
    symmetric: bool = False


class Block(NamedTuple):
    """Rows of private records, not to be written to, and codes of their classes.

    `held` has what ``ball.to_grid(X)`` gave for the ball of the query, or is None, and
    `first` says whether these are the first rows of all.
    """

    X: Any  # (rows, d)
    codes: Any  # (rows,)
    held: Any = None  # (rows, p)
    on: Any = None
    first: bool = False


_KNOWN: set[type] = set()
_LOOKED_AT: set[tuple] = set()


def known(query: type) -> type:
    """Declare a class to be a query; no other object is answered."""
    _KNOWN.add(query)
    return query


def parts(query) -> tuple[Part, ...]:
    """Return shapes and sensitivities, by the lemma."""
    kind = type(query).__name__
    if type(query) not in _KNOWN:
        raise TypeError(f"{kind} is not a known query.")
    norm, weight_bits = query.weights
    found = []
    for name in query.moments:
        degree, n_axes, pooled = MOMENTS[name]
        bits = weight_bits + degree * (GRID_BITS if query.point else query.vector_bits)
        if not 0 <= weight_bits <= bits <= SUMMAND_BITS:
            raise ValueError(
                f"{name!r} of {kind} needs {bits} bits of a summand, and sums of a "
                f"block are exact up to {SUMMAND_BITS}."
            )
        if pooled and norm not in ("cell", "l1"):
            raise ValueError(
                f"{name!r} of {kind} adds up cells, which the lemma covers for weights "
                f"bounded in l1 only, not in {norm}."
            )
        shape = (() if pooled else (query.n_cells,)) + (query.n_features,) * n_axes
        unit = query.unit(name)
        found.append(Part(query.names[name], shape, 2.0**bits, unit, n_axes == 2))
    return tuple(found)


def exact(query, block: Block) -> tuple[np.ndarray, ...]:
    """Return the exact sums of each part over a block of records."""
    n, on = len(block.codes), block.on or HOST
    if n > MAX_BLOCK_ROWS:
        raise ValueError(f"A block may have {MAX_BLOCK_ROWS} rows, got {n}.")
    block = block._replace(on=on, codes=_read_only(block.codes, on))
    totals: list = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if block.first and n:
            _look_at_map(query, block)
        for e, v, squares in _factors(query, block):
            sums = products(query.moments, query.n_cells, e, v, squares, on)
            for total, one in zip(totals, sums, strict=bool(totals)):
                total += one
            totals = totals or sums
    return tuple(on.integers(total) for total in totals)


def _factors(query, block):
    """Yield verified weights and vectors, with the squared norms of these.

    Of a few rows each, which stay in the cache; but of all at once, where counts or
    products of matrices are faster for many.
    """
    on, n = block.on, len(block.codes)
    counts = query.moments == ("count",)
    matrices = any(MOMENTS[name].n_axes == 2 for name in query.moments)
    if on.xp is not np or query.weights.norm != "cell" or not (counts or matrices):
        for _, *factors in _verified(query, block):
            yield factors
        return
    cells, squares = np.empty(n, dtype=np.intp), np.empty(n)
    U = None if counts else np.empty((n, query.n_features))
    for rows, e, _, norms in _verified(query, block, U):
        cells[rows] = e
        if norms is not None:
            squares[rows] = norms
    yield cells, U, squares


def _verified(query, block, U=None):
    """Map few rows at a time, and verify what comes back; vectors may go to `U`."""
    on = block.on
    for rows, seen in _panels(query, block):
        n, norms = rows.stop - rows.start, None
        e, v = query.map(seen, block.codes[rows], on)
        e = _verified_weights(query, e, n, on)
        if query.moments == ("count",):
            v = None
        elif query.point:
            e, v = _verified_points(e, seen, on)
        elif v is not None and v.ndim == 3 and query.weights.norm != "cell":
            _check_shape("vectors", v, (query.n_cells, n, query.n_features))
            v = partial(_clipped_of_cell, v, query.vector_bits, on)
        else:
            _check_shape("vectors", v, (n, query.n_features))
            host = on.xp is np
            out = U[rows] if U is not None else on.buffer(v.shape) if host else None
            v, norms = clip_round(v, query.vector_bits, on, out)
        yield rows, e, v, norms


def _clipped_of_cell(v, bits, on, j, rows):
    """Verify the vectors for a cell of the rows that have a weight for it."""
    return clip_round(on.xp.take(v[j], rows, axis=0), bits, on)


def _panels(query, block):
    """Yield slices of few rows as the query sees them."""
    if query.sees == "codes":
        yield slice(0, len(block.codes)), None
        return
    if query.sees == "rows":
        panels = block.on.panels(block.X)
    elif block.held is None:
        panels = query.ball.grid_panels(block.X, block.on)
    else:
        panels = block.on.panels(block.held, 2**19)
    for rows, panel in panels:
        # Whoever changed the point in place would have it multiplied.
        panel = _read_only(panel, block.on) if query.point else panel
        for some in row_slices(rows.stop - rows.start, max(1, 2**22 // query.n_made)):
            yield slice(rows.start + some.start, rows.start + some.stop), panel[some]


def _read_only(array, on):
    if on.xp is np:
        array = array.view()
        array.flags.writeable = False
    return array


def _check_shape(what, array, shape):
    found = None if array is None else tuple(array.shape)
    if found != shape:
        raise ValueError(f"A query gave {what} of shape {found}, not {shape}.")


def _verified_weights(query, e, n, on):
    """Return weights that obey their bound: a record whose do not has none."""
    (norm, bits), xp, k = query.weights, on.xp, query.n_cells
    _check_shape("weights", e, (n,) if norm == "cell" else (n, k))
    if norm == "cell":
        inside = (e >= 0) & (e < k)
        return on.indices(e if on.all(inside) else xp.where(inside, e, -1))
    if norm == "l2":
        return clip_round(e, bits, on)[0]
    e = xp.round(e)
    inside = xp.all(e >= 0.0, axis=1) & (xp.sum(e, axis=1) <= 2.0**bits)
    return xp.where(inside[:, None], e, xp.zeros_like(e))


def _verified_points(e, G, on):
    """Return weights and grid points: those that are held come from a row source."""
    inside = integer_norms(G, on.xp) <= 4.0**GRID_BITS
    if on.all(inside):
        return e, G
    # Both, as 0 times infinity is no number.
    return tuple(on.xp.where(inside[:, None], A, on.xp.zeros_like(A)) for A in (e, G))


def _look_at_map(query, block):
    """Refuse a map that does not treat each record by itself, when it is first used.

    Some rows of the first panel are mapped once more, each alone. What a map returns is
    rounded, so that it must come to the same integers.
    """
    on = block.on
    key = (type(query), on.xp, query.moments, query.n_cells, query.n_features)
    if key in _LOOKED_AT:
        return
    rows, seen = next(iter(_panels(query, block)))
    codes, n = block.codes[rows], rows.stop - rows.start

    def mapped(some):
        """Return verified weights and vectors, a row for each."""
        copy = None if seen is None else on.floats(seen[some], copy=True)
        e, v = query.map(copy, codes[some], on)
        found = [_verified_weights(query, e, some.stop - some.start, on)]
        if v is not None and not query.point:
            vectors = [v[j, ...] for j in range(v.shape[0])] if v.ndim == 3 else [v]
            found += [clip_round(one, query.vector_bits, on)[0] for one in vectors]
        return found

    together = mapped(slice(0, n))
    for i in sorted({0, n // 2, n - 1}):
        alone = mapped(slice(i, i + 1))
        for one, among in zip(alone, together, strict=True):
            if not on.all(one[0, ...] == among[i, ...]):
                raise RuntimeError(
                    f"{type(query).__name__} maps a record otherwise when others stand "
                    "beside it, so that its sensitivity is not known."
                )
    _LOOKED_AT.add(key)
