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

from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.sparse import csr_array

from skdpgmm.privacy.grid import (
    GRID_BITS,
    Ball,
    Host,
    clip_round,
    integer_norms,
    row_slices,
)

SUMMAND_BITS = 36
MAX_BLOCK_ROWS = 2 ** (53 - SUMMAND_BITS - 1)
# Entries of a one-hot matrix for which a dense one is faster.
_DENSE_CELLS = 64


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


class Query(Protocol):
    """A public map of one record. `_queries` has them all.

    Attributes
    ----------
    sees : {"codes", "rows", "grid"}
        What the map gets: nothing but codes of classes, rows as they are, or their grid
        points of `ball`.
    point : bool
        Whether v is the grid point itself, whatever the map returns.
    n_made : int
        Numbers that the map makes of a row, which bound how many rows it gets.
    names : dict of str to str
        Name of the release of each moment.
    """

    @property
    def sees(self) -> str: ...
    @property
    def ball(self) -> Ball | None: ...
    @property
    def point(self) -> bool: ...
    @property
    def weights(self) -> Weights: ...
    @property
    def vector_bits(self) -> int: ...
    @property
    def moments(self) -> tuple[str, ...]: ...
    @property
    def names(self) -> dict[str, str]: ...
    @property
    def n_cells(self) -> int: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_made(self) -> int: ...

    def unit(self, moment: str) -> Any:
        """Return the public factor from integers to units of the data."""
        ...

    def map(self, rows, codes, on: Host) -> tuple[Any, Any]:
        """Return e and v of each row.

        e has a cell of each row, -1 for none, or a weight of each row and cell; v a
        row, or one for each cell along a first axis, or is None. `rows` may be
        written to, and `on` has the methods of `Host`.
        """
        ...


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
    if type(query) not in _KNOWN:
        raise TypeError(f"{type(query).__name__} is not a known query.")
    found = []
    for name in query.moments:
        moment, weights = MOMENTS[name], query.weights
        vector_bits = GRID_BITS if query.point else query.vector_bits
        bits = weights.bits + moment.degree * vector_bits
        if not 0 <= bits <= SUMMAND_BITS or weights.bits < 0:
            raise ValueError(
                f"{name!r} of {type(query).__name__} needs {bits} bits of a summand, "
                f"and sums of a block are exact up to {SUMMAND_BITS}."
            )
        if moment.pooled and weights.norm not in ("cell", "l1"):
            raise ValueError(
                f"{name!r} of {type(query).__name__} adds up cells, which the lemma "
                f"covers for weights bounded in l1 only, not in {weights.norm}."
            )
        shape = (query.n_features,) * moment.n_axes
        shape = shape if moment.pooled else (query.n_cells, *shape)
        part = Part(query.names[name], shape, 2.0**bits, query.unit(name))
        found.append(part._replace(symmetric=moment.n_axes == 2))
    return tuple(found)


def exact(query, block: Block) -> tuple[np.ndarray, ...]:
    """Return the exact sums of each part over a block of records."""
    n, on = len(block.codes), block.on or Host()
    if n > MAX_BLOCK_ROWS:
        raise ValueError(f"A block may have {MAX_BLOCK_ROWS} rows, got {n}.")
    block = block._replace(on=on, codes=_read_only(block.codes, on))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if block.first and n:
            _look_at_map(query, block)
        totals: list = []
        for weights, v, squares in _factors(query, block):
            sums = _sums(query, weights, v, squares, on)
            for total, one in zip(totals, sums, strict=bool(totals)):
                total += one
            totals = totals or sums
    return tuple(on.integers(total) for total in totals)


def _factors(query, block):
    """Yield verified weights and vectors, with squared norms, of a few rows each.

    Counts and products of matrices are faster for many rows, and all else in the cache:
    cells, and vectors of which a matrix is made, are gathered.
    """
    on, n = block.on, len(block.codes)
    axes = {MOMENTS[name].n_axes for name in query.moments}
    counts = query.moments == ("count",)
    gathered = on.xp is np and query.weights.norm == "cell" and (counts or 2 in axes)
    U: Any = None
    if gathered:
        cells, squares = np.empty(n, dtype=np.intp), np.empty(n)
        U = None if counts else np.empty((n, query.n_features))
    for rows, seen in _panels(query, block):
        e, v = query.map(seen, block.codes[rows], on)
        e = _verified_weights(query, e, rows.stop - rows.start, on)
        v = None if counts or query.point else v
        if v is None and not (counts or query.point):
            raise ValueError(f"{type(query).__name__} gave no vectors for its moments.")
        if query.point:
            # Grid points that are held come from a row source, which may be anywhere.
            inside = integer_norms(seen, on.xp) <= 4.0**GRID_BITS
            if not on.all(inside):
                # Both, as 0 times infinity is no number.
                e = on.xp.where(inside[:, None], e, on.xp.zeros_like(e))
                seen = on.xp.where(inside[:, None], seen, on.xp.zeros_like(seen))
            yield _weights(query, e, on), seen, None
        elif gathered and v is None:
            cells[rows] = e
        elif v is None or v.ndim == 3:
            yield _weights(query, e, on), v, None
        else:
            _check_shape("vectors", v, (rows.stop - rows.start, query.n_features))
            out = None
            if on.xp is np:
                out = U[rows] if gathered else on.buffer(v.shape)
            V, norms = clip_round(v, query.vector_bits, on, out)
            if gathered:
                cells[rows], squares[rows] = e, norms
            else:
                yield _weights(query, e, on), V, norms
    if gathered:
        yield _weights(query, cells, on), U, squares


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
        panel = _read_only(panel, block.on) if query.point else panel
        for some in row_slices(rows.stop - rows.start, max(1, 2**22 // query.n_made)):
            yield slice(rows.start + some.start, rows.start + some.stop), panel[some]


def _read_only(array, on):
    if on.xp is np:
        array = array.view()
        array.flags.writeable = False
    return array


def _check_shape(what, array, shape):
    if tuple(array.shape) != shape:
        raise ValueError(
            f"a query gave {what} of shape {tuple(array.shape)}, not {shape}."
        )


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


class _Cells:
    """Weights of which one of each row is 1, or none."""

    def __init__(self, cell, k, on):
        self._cell, self._k, self._on = cell, k, on

    def of(self, j):
        """Return the rows of a cell, and their weights."""
        return self._on.xp.nonzero(self._cell == j)[0], None

    def times(self, A):
        """Return the sum of the rows of `A` in each cell."""
        n, k, on = len(self._cell), self._k, self._on
        if on.xp is np and A.ndim == 1:
            return np.bincount(self._cell + 1, A, minlength=k + 1)[1:]
        if on.xp is np and k > _DENSE_CELLS:
            one = (self._cell >= 0).astype(np.float64)
            starts, cell = np.arange(n + 1), np.maximum(self._cell, 0)
            return csr_array((one, cell, starts), shape=(n, k)).T @ A
        onehot = on.put(np.arange(k))[:, None] == self._cell[None, :]
        return on.floats(onehot) @ A

    def pooled(self, V):
        """Return the second moment of the rows that are in a cell."""
        if bool(self._on.xp.any(self._cell < 0)):
            V = self._on.floats(self._cell >= 0)[:, None] * V
        return V.T @ V

    def count(self):
        """Return the number of rows in each cell."""
        if self._on.xp is np:
            return np.bincount(self._cell + 1, minlength=self._k + 1)[1:]
        cell = self._on.put(np.arange(self._k))[:, None] == self._cell[None, :]
        return self._on.xp.sum(self._on.floats(cell), axis=1)


class _Dense:
    """Weights of every row and cell."""

    def __init__(self, e, on):
        self._e, self._on = e, on

    def of(self, j):
        """Return the rows that have a weight for a cell, and these."""
        rows = self._on.xp.nonzero(self._e[:, j])[0]
        return rows, self._on.xp.take(self._e[:, j], rows)

    def times(self, A):
        """Return the sum of the rows of `A` by their weights, for each cell."""
        return (A.T @ self._e).T

    def pooled(self, V):
        """Return the second moment of the rows by their weights of all cells."""
        return V.T @ (self._on.xp.sum(self._e, axis=1)[:, None] * V)

    def count(self):
        """Return the sum of the weights of each cell."""
        return self._on.xp.sum(self._e, axis=0)


def _weights(query, e, on):
    return _Cells(e, query.n_cells, on) if e.ndim == 1 else _Dense(e, on)


def _sums(query, weights, v, squares, on):
    """Return the sum of each moment."""
    if v is not None and v.ndim == 3:
        _check_shape("vectors", v, (query.n_cells, v.shape[1], query.n_features))

        def vectors(j, rows):
            return clip_round(on.xp.take(v[j], rows, axis=0), query.vector_bits, on)

        return _by_cell(query.moments, query.n_cells, weights, vectors, on)
    of = {
        "count": weights.count,
        "sum": lambda: weights.times(v),
        "energy": lambda: weights.times(squares),
        "diag": lambda: weights.times(v * v),
        "full": lambda: _by_cell(
            ("full",),
            query.n_cells,
            weights,
            lambda j, rows: (on.xp.take(v, rows, axis=0), None),
            on,
        )[0],
        "tied": lambda: weights.pooled(v),
    }
    return [of[name]() for name in query.moments]


def _by_cell(moments, k, weights, vectors, on):
    """Return the sums of moments of the vectors that rows have for each cell."""
    found: list[list] = [[] for _ in moments]
    for j in range(k):
        rows, w = weights.of(j)
        z, squares = vectors(j, rows)
        for sums, name in zip(found, moments, strict=True):
            sums.append(_OF_ONE_CELL[name](w, z, squares, on))
    return [
        sum(sums[1:], sums[0]) if MOMENTS[name].pooled else on.xp.stack(sums)
        for sums, name in zip(found, moments, strict=True)
    ]


def _scatter(w, z, squares, on):
    # BLAS does half the work for a matrix times its own transpose.
    return z.T @ (z if w is None else w[:, None] * z)


_OF_ONE_CELL = {
    "count": lambda w, z, squares, on: on.xp.sum(w),
    "sum": lambda w, z, squares, on: w @ z,
    "energy": lambda w, z, squares, on: w @ squares,
    "diag": lambda w, z, squares, on: w @ (z * z),
    "full": _scatter,
    "tied": _scatter,
}


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
    codes = block.codes[rows]
    n = rows.stop - rows.start

    def mapped(some):
        copy = None if seen is None else on.floats(seen[some], copy=True)
        e, v = query.map(copy, codes[some], on)
        found = [_verified_weights(query, e, some.stop - some.start, on)]
        if v is not None and not query.point:
            flat = on.xp.reshape(v, (-1, v.shape[-1]))
            U, _ = clip_round(flat, query.vector_bits, on)
            found.append(on.xp.reshape(U, v.shape))
        return found

    together = mapped(slice(0, n))
    for i in sorted({0, n // 2, n - 1}):
        alone = mapped(slice(i, i + 1))
        for one, all_ in zip(alone, together, strict=True):
            own = all_[:, i, ...] if one.ndim == 3 else all_[i, ...]
            given = one[:, 0, ...] if one.ndim == 3 else one[0, ...]
            if not bool(on.xp.all(own == given)):
                raise RuntimeError(
                    f"{type(query).__name__} maps a record otherwise when others stand "
                    "beside it, so that its sensitivity is not known."
                )
    _LOOKED_AT.add(key)
