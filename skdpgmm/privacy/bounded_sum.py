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

Weights of kind "cell" and "l1" are not negative. With them, summands of even degree are
*acute*: no two have a negative inner product, as 1, ``|v|**2 |w|**2``,
``<v * v, w * w>`` and ``<v v^T, w w^T>_F = <v, w>**2`` are not negative.

Exactness. An entry of a summand is at most ``2**SUMMAND_BITS``, so that all partial
sums of a block are integers below 2**53, which float64 holds in any order. float32,
twice as fast, holds those up to 2**24: so many records are added in it that, by Cauchy
and Schwarz, ``|e_j| |v_c|`` over them is no larger for any cell j and coordinate c.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skdpgmm.privacy.grid import (
    HOST,
    NARROW_BITS,
    NORM_BITS,
    clip_round,
    integer_norms,
    row_slices,
)
from skdpgmm.privacy.products import products

SUMMAND_BITS = 36
MAX_BLOCK_ROWS = 2 ** (53 - SUMMAND_BITS - 1)


class Moment(NamedTuple):
    """What of a vector is summed: its degree, its axes, and whether over all cells."""

    degree: int
    n_axes: int
    pooled: bool = False


MOMENTS = {
    "count": Moment(0, 0),
    "sum": Moment(1, 1),
    "energy": Moment(2, 0),
    "diag": Moment(2, 1),
    "full": Moment(2, 2),
    "tied": Moment(2, 2, pooled=True),
}


class Weights(NamedTuple):
    """What is verified of the weights of a record: their norm, at most ``2**bits``."""

    norm: str  # "cell", "l1" or "l2"
    bits: int = 0


CELL = Weights("cell")


class Query:
    """A public map of one record; `_queries` has them all."""

    # What the map gets: "grid" points of the ball, "rows" as they are, or "codes" of
    # classes and nothing else.
    sees: Any = "grid"
    ball: Any
    weights = CELL
    # Vectors have norm at most 2**vector_bits; or are the grid point itself, whatever
    # the map returns.
    vector_bits = 0
    point = False
    # Those of `MOMENTS` that are released, and the name of the release of each.
    moments: Any
    names: Any
    n_cells: Any
    n_features: Any = 0  # of a vector
    n_made: Any = 1  # numbers that the map makes of a row

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
    """One array of a release.

    No summand is longer than `l2_sensitivity`, that of one record. They are `acute`
    when no two of them have a negative inner product.
    """

    name: str
    shape: tuple[int, ...]
    l2_sensitivity: float
    scale: Any = 1.0
    symmetric: bool = False
    acute: bool = False


class Block(NamedTuple):
    """Rows of private records, not to be written to, and codes of their classes.

    `held` has grid points of the ball of the query, or is None; `first` says whether
    these are the first rows of all.
    """

    X: Any  # (rows, d)
    codes: Any  # (rows,)
    held: Any = None  # (rows, p)
    on: Any = HOST
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
    vector_bits = query.ball.bits if query.point else query.vector_bits
    if max(weight_bits, vector_bits) > NORM_BITS:
        raise ValueError(f"{kind} has norms of more than {NORM_BITS} bits.")
    found = []
    for name in query.moments:
        degree, n_axes, pooled = MOMENTS[name]
        bits = weight_bits + degree * vector_bits
        if not 0 <= weight_bits <= bits <= SUMMAND_BITS:
            raise ValueError(
                f"{name!r} of {kind} needs {bits} bits of a summand, and sums of a "
                f"block are exact up to {SUMMAND_BITS}."
            )
        not_negative = norm in ("cell", "l1")
        if pooled and not not_negative:
            raise ValueError(
                f"{name!r} of {kind} adds up cells, which the lemma covers for weights "
                f"bounded in l1 only, not in {norm}."
            )
        shape = (() if pooled else (query.n_cells,)) + (query.n_features,) * n_axes
        part = Part(query.names[name], shape, 2.0**bits, query.unit(name), n_axes == 2)
        found.append(part._replace(acute=not_negative and degree % 2 == 0))
    return tuple(found)


def summed(query, block: Block, digest=0) -> tuple[np.ndarray, ...]:
    """Return what blocks add up: exact sums, the number of records, and a digest."""
    counts = len(block.codes), digest
    return *exact(query, block), *(np.array(x, dtype=np.int64) for x in counts)


def exact(query, block: Block) -> tuple[np.ndarray, ...]:
    """Return the exact sums of each part over a block of records."""
    n, on = len(block.codes), block.on
    if n > MAX_BLOCK_ROWS:
        raise ValueError(f"A block may have {MAX_BLOCK_ROWS} rows, got {n}.")
    block = block._replace(codes=_read_only(block.codes, on))
    totals: list = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if block.first and n:
            _look_at_map(query, block)
        for sums in _sums_of_panels(query, block):
            for total, one in zip(totals, sums, strict=bool(totals)):
                total += one
            totals = totals or sums
    return tuple(on.integers(total) for total in totals)


def _sums_of_panels(query, block):
    """Yield sums of a few records each, which stay in the cache.

    But of all at once where products of matrices are faster for many.
    """
    on, bits = block.on, query.vector_bits
    by_cell = query.weights.norm == "cell"
    matrices = any(MOMENTS[name].n_axes == 2 for name in query.moments)
    at_once = matrices and by_cell and on.xp is np
    if at_once:
        cells = np.empty(len(block.codes), np.intp)
        vectors = on.scratch((len(cells), query.n_features), "block")
    for rows, seen in _panels(query, block):
        e, v = _mapped(query, seen, block.codes[rows], on)
        if at_once:
            cells[rows] = e
            clip_round(v, bits, on, vectors[rows])
        elif v is None and by_cell and on.xp is np:  # faster than a matrix
            yield [np.bincount(e + 1, minlength=query.n_cells + 1)[1:]]
        elif v is not None and v.ndim == 3:
            yield _sums_of_cells(query, e, v, on)
        else:
            if query.point and v is not None:
                e, v = _verified_points(e, v, query.ball.bits, on)
            elif v is not None:
                v = clip_round(v, bits, on, on.scratch(v.shape, "vectors"))
            yield products(query.moments, query.n_cells, e, v, on)
    if at_once:
        yield products(query.moments, query.n_cells, cells, vectors, on)


def _panels(query, block):
    """Yield slices of few rows as the query sees them."""
    n, on = len(block.codes), block.on
    if query.sees == "codes":
        yield slice(0, n), None
        return
    is_held = query.sees == "grid" and block.held is not None
    X = block.held if is_held else block.X
    narrow = is_held and query.point and query.ball.bits <= NARROW_BITS
    size = min(on.n_numbers // X.shape[1], 2**22 // query.n_made)
    for rows in row_slices(n, max(1, size)):
        panel = on.panel(X[rows, ...], narrow)
        if is_held and on.xp is np:
            # What a row source holds is not trusted to be integers.
            panel = panel if X.dtype.kind == "i" else np.rint(panel, out=panel)
        elif is_held:
            panel = on.xp.round(panel)
        elif query.sees == "grid":
            panel = query.ball.to_grid(panel, on)
        # Whoever changed the point in place would have it multiplied.
        yield rows, _read_only(panel, on) if query.point else panel


def _read_only(array, on):
    if on.xp is np:
        array = array.view()
        array.flags.writeable = False
    return array


def _mapped(query, seen, codes, on):
    """Return the verified weights of rows, and vectors of the right shape."""
    n, k, p = len(codes), query.n_cells, query.n_features
    by_cell = query.weights.norm == "cell"
    e, v = query.map(seen, codes, on)
    _check_shape("weights", e, (n,) if by_cell else (n, k))
    e = _verified_weights(query, e, on)
    if query.moments == ("count",):
        return e, None
    v = seen if query.point else v
    of_each_cell = v is not None and v.ndim == 3 and not by_cell
    _check_shape("vectors", v, (k, n, p) if of_each_cell else (n, p))
    return e, v


def _check_shape(what, array, shape):
    found = None if array is None else tuple(array.shape)
    if found != shape:
        raise ValueError(f"A query gave {what} of shape {found}, not {shape}.")


def _verified_weights(query, e, on):
    """Return weights that obey their bound: a record whose do not has none."""
    (norm, bits), xp = query.weights, on.xp
    if norm == "cell":
        inside = (e >= 0) & (e < query.n_cells)
        return on.indices(xp.where(inside, e, -1))
    if norm == "l2":
        return clip_round(e, bits, on)
    e = xp.round(e)
    inside = xp.all(e >= 0.0, axis=1) & (xp.sum(e, axis=1) <= 2.0**bits)
    return xp.where(inside[:, None], e, xp.zeros_like(e))


def _verified_points(e, G, bits, on):
    """Return weights and grid points: those that are held come from a row source."""
    xp = on.xp
    # A larger norm is never found below the bound, in float32 neither: so far, all
    # partial sums are exact. But it may be rounded down to the bound.
    inside = integer_norms(G, xp) < 4.0**bits
    if xp.all(inside):
        return e, G
    inside = integer_norms(on.floats(G), xp) <= 4.0**bits
    if xp.all(inside):
        return e, G
    # Both, as 0 times infinity is no number.
    G = xp.where(inside[:, None], G, xp.zeros_like(G))
    if e.ndim == 1:
        return xp.where(inside, e, -1), G
    return xp.where(inside[:, None], e, xp.zeros_like(e)), G


def _sums_of_cells(query, e, v, on):
    """Return the sums where each cell has vectors of its own."""
    found = []
    for j in range(query.n_cells):
        # Most records have no weight for most components.
        (rows,) = on.xp.nonzero(e[:, j])
        weights = on.xp.take(e[:, j], rows)[:, None]
        z = on.xp.take(v[j, ...], rows, axis=0)
        z = clip_round(z, query.vector_bits, on, on.scratch(z.shape, "vectors"))
        found.append(products(query.moments, query.n_cells, weights, z, on))
    return [
        sum(sums[1:], sums[0])
        if MOMENTS[name].pooled
        else on.xp.stack([total[0, ...] for total in sums])
        for name, *sums in zip(query.moments, *found, strict=True)
    ]


def _look_at_map(query, block):
    """Refuse a map that does not treat each record by itself, when it is first used.

    Some rows of the first panel are mapped once more, each alone. What a map returns is
    rounded, so that it must come to the same integers.
    """
    on = block.on
    key = (type(query), on.xp, query.moments, query.n_cells, query.n_features)
    if key in _LOOKED_AT:
        return
    rows, seen = next(_panels(query, block))
    codes, n = block.codes[rows], rows.stop - rows.start

    def integers(some):
        """Return verified weights and vectors, a row for each record."""
        copy = None if seen is None else on.floats(seen[some], copy=True)
        e, v = _mapped(query, copy, codes[some], on)
        if v is None:
            return [e]
        vectors = [v[j, ...] for j in range(v.shape[0])] if v.ndim == 3 else [v]
        return [e, *(clip_round(one, query.vector_bits, on) for one in vectors)]

    together = integers(slice(0, n))
    for i in sorted({0, n // 2, n - 1}):
        alone = integers(slice(i, i + 1))
        for one, among in zip(alone, together, strict=True):
            if not on.xp.all(one[0, ...] == among[i, ...]):
                raise RuntimeError(
                    f"{type(query).__name__} maps a record otherwise when others stand "
                    "beside it, so that its sensitivity is not known."
                )
    _LOOKED_AT.add(key)
