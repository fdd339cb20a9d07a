"""Algorithms, row sources and streams that do as they like, before what answers them.

Nothing but what answers is trusted: so maps return what no map of ours returns, held
points are none of a grid, and rows are others each time. What a record may move is
looked at where noise is added, and what is said when rows change.
"""

import itertools
import math

import numpy as np

from benchmarks.faults.watching import watched
from skdpgmm import DPPCA, DPKMeans
from skdpgmm._rows.blocks import sum_blocks
from skdpgmm.privacy.accounting import Ledger
from skdpgmm.privacy.bounded_sum import MOMENTS, Block, Query, Weights, known, summed
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.noise import GaussianSource
from skdpgmm.privacy.records import PrivateRecords

N_CELLS, N_FEATURES, WEIGHT_BITS, VECTOR_BITS = 3, 4, 3, 10
# Bits of points that are summed themselves; 12 fit into float32. None for vectors.
POINTS = (None, 24, 12)


class Hostile(Query):
    """A query whose map returns given numbers."""

    n_cells, n_features = N_CELLS, N_FEATURES

    def __init__(self, moment, norm, point, e, v):
        self.moments, self.names = (moment,), {moment: moment}
        self.weights = Weights(norm, 0 if norm == "cell" else WEIGHT_BITS)
        self.point, self.vector_bits = point is not None, VECTOR_BITS
        self.ball = Ball(np.zeros(N_FEATURES), 1.0, bits=point or 24)
        self.e, self.v = e, v

    def unit(self, moment):
        return 1.0

    def map(self, rows, codes, on):
        v = None if self.moments == ("count",) else self.v[None].copy()
        return self.e[None].copy(), v


class Held:
    """One record, that is held as something that may be no point of a grid."""

    digest, n_rows, n_records = 0, 1, 1

    def __init__(self, point):
        with np.errstate(over="ignore"):
            held = point[None].astype(np.float32)
        self.block = Block(None, np.zeros(1, np.intp), held)

    def sum(self, query):
        return sum_blocks(lambda block: summed(query, block), [self.block])


def lengthened(n, most):
    """Return vectors of n numbers, about as long as is allowed and far longer."""
    axis, corner = np.eye(n)[0], np.full(n, n**-0.5)
    found = [
        sign * size * most * direction
        for sign in (1.0, -1.0)
        for direction in (axis, corner)
        for size in (1.0, 1.0 + 1e-3, 2.0, 1e6, 1e200)
    ]
    found += [most * axis + 0.49, most * corner + 0.49, np.full(n, most)]
    for odd in (np.nan, np.inf, -np.inf):
        found.append(np.where(axis > 0.0, odd, 1.0))
    return found


def records(norm, point):
    """Return what is said of records: weights, vectors, held points."""
    if norm == "cell":
        weights = [np.array(cell) for cell in (0, 1, -1, N_CELLS, 10**9)]
    else:
        weights = lengthened(N_CELLS, 2.0**WEIGHT_BITS)
    vectors = lengthened(N_FEATURES, 2.0 ** (point or VECTOR_BITS))
    usual = np.eye(N_FEATURES)[0]
    for e, v in itertools.chain(
        zip(itertools.repeat(weights[0]), vectors),
        zip(weights, itertools.cycle(vectors[:2])),
    ):
        yield (e, usual, v) if point else (e, v, usual)


def maps():
    """Whether two records are as near as is stated, whatever they are mapped to."""
    known(Hostile)
    for moment, norm, point, adjacency in itertools.product(
        MOMENTS, ("cell", "l1", "l2"), POINTS, ("add-remove", "replace-one")
    ):
        if point and MOMENTS[moment].degree > 1:
            continue  # of points, sums only fit into a word
        sums, stated = [], math.inf
        for e, v, held in records(norm, point):
            found = released(Hostile(moment, norm, point, e, v), held, adjacency)
            if found is not None:
                sums.append(found[0])
                stated = found[1]
        others = (
            [np.zeros_like(sums[0])] if adjacency == "add-remove" and sums else sums
        )
        for one, other in itertools.product(sums, others):
            length = math.sqrt(math.fsum((one - other) ** 2))
            if not length <= stated * (1.0 + 1e-12):
                kind = f"{moment} of weights by {norm}, {adjacency}"
                return f"{kind}: {length:.6g} apart, of {stated:.6g}"
    return None


def released(query, held, adjacency):
    """Return the exact sums of one record and what is stated, None if it is refused."""
    with watched() as seen:
        behind = PrivateRecords(
            Held(held),
            ledger=Ledger(1.0),
            adjacency=adjacency,
            max_contributions=1,
            source=GaussianSource(),
        )
        try:
            behind.release("hostile", query, [1.0])
        except ValueError:
            return None
    # Of mu 1, so that noise is as large as what is stated; less of it off a diagonal.
    stated = max(one.sd for one in seen.noise)
    parts = [
        one.exact * (math.sqrt(2.0) if one.kind == "off-diagonal" else 1.0)
        for one in seen.noise
    ]
    return np.concatenate(parts), stated


class Changing:
    """Blocks of rows that a function changes, from some pass on."""

    def __init__(self, X, change, first):
        self.X, self.change, self.first, self.n_passes = X, change, first, 0

    def __iter__(self):
        X = self.X if self.n_passes < self.first else self.change(self.X.copy())
        self.n_passes += 1
        return iter(np.array_split(X, 4))


def nudged(X):
    X[17, 1] += 1.0
    return X


CHANGES = {
    "one less": lambda X: X[:-1],
    "ten less": lambda X: X[:-10],
    "one more": lambda X: np.vstack([X, X[:1]]),
    "twice": lambda X: np.vstack([X, X]),
    "another order": lambda X: X[::-1],
    "one changed": nudged,
}


def streams():
    """Whether rows that change are refused, in words that say nothing of them."""
    rng = np.random.default_rng(0)
    said = {}
    for n, first in itertools.product((80, 81), (1, 2)):
        X = rng.standard_normal((n, 3))
        for name, change in CHANGES.items():
            for estimator in (DPPCA(2, clip_norm=1.0), DPKMeans(2, n_jobs=1)):
                try:
                    estimator.fit(Changing(X, change, first))
                except ValueError as error:
                    said.setdefault(str(error), name)
                else:
                    return f"{name}: nobody says that rows are others"
    if len(said) > 1:
        return "what is said of changed rows differs with them: " + " | ".join(said)
    return None


LOOKS = (maps, streams)
