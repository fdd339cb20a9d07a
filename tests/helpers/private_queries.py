"""Every query of the privacy core under random public parameters, for the tests."""

import math
from functools import partial

import numpy as np

from skdpgmm._estimates.units import Units
from skdpgmm._models.scores import CosineFeatures
from skdpgmm._queries.cells import CellMoments, ClassMoments, NearestCell
from skdpgmm._queries.histograms import (
    AgreementCount,
    DistanceHistogram,
    FeatureHistogram,
    LinearCell,
    NormHistogram,
)
from skdpgmm._queries.lifts import projected as seen_through
from skdpgmm._queries.lifts import with_cosines
from skdpgmm._queries.scaled import scaled_ball
from skdpgmm._queries.soft import SoftMoments
from skdpgmm._queries.softmax import SoftmaxErrors, SoftmaxSlopes
from skdpgmm.privacy.bounded_sum import Block, exact, parts
from skdpgmm.privacy.grid import GRID_BITS, Ball

MOMENTS = ("count", "sum", "energy", "diag", "full")
SOFT_MOMENTS = ("energy", "diag", "full", "tied")


def random_ball(rng, d, projected=False):
    """Ball whose radius is mostly moderate and sometimes extreme."""
    exponent = rng.choice([rng.uniform(-3, 3), rng.uniform(-50, 50)], p=[0.8, 0.2])
    radius = 2.0**exponent
    ball = Ball(rng.standard_normal(d) * radius * rng.choice([0, 1, 100]), radius)
    if projected:
        p = rng.integers(1, d + 1)
        ball = seen_through(ball, np.linalg.qr(rng.standard_normal((d, p)))[0])
    return ball


def random_feature_ball(rng, d):
    """Ball with features that are mostly of its size, and sometimes far off."""
    ball = random_ball(rng, d)
    m = rng.integers(1, 9)
    features = CosineFeatures(
        rng.standard_normal((d, m)) / ball.radius * rng.choice([1e-3, 1.0, 1e3]),
        rng.uniform(0.0, 2.0 * np.pi, m),
        rng.uniform(-1.0, 1.0, m),
        ball.radius * rng.choice([1e-3, 1.0, 1e3]),
    )
    return with_cosines(ball, features, ball.radius * rng.choice([0.1, 1.0, 10.0]))


def random_narrow_ball(rng, d):
    """Ball of points that are multiplied in float32, inside one that may be lifted."""
    outer = rng.choice([random_ball, random_feature_ball])(rng, d).rounded(14)
    return outer.inside(outer.radius * rng.uniform(0.1, 1.0), 12)


def random_scaled_ball(rng, d):
    """Ball of features in units that differ, some of them far off."""
    scale = 10.0 ** rng.uniform(-6, 6, size=d)
    center = scale * rng.standard_normal(d) * rng.choice([0, 1, 1e6])
    low, high = rng.uniform(-5.0, -0.5, d), rng.uniform(0.5, 5.0, d)
    reach = rng.choice([2.0, 1e3, np.inf], size=d)
    units = Units(center, scale, low, high, np.zeros(d), reach)
    return scaled_ball(np.zeros(d), 3.0, units)


def random_points(rng, ball, k):
    """Public grid points, most of them inside the ball."""
    p = ball.n_features
    points = rng.standard_normal((k, p)) / np.sqrt(p) * rng.choice([0.1, 1, 3])
    if k > 1 and rng.random() < 0.3:
        points[1] = points[0]  # ties
    return ball.on_grid(points * ball.radius)


def random_edges(rng, radius, size=None):
    size = rng.integers(1, 12) if size is None else size
    return np.sort(radius * 2.0 ** rng.uniform(-10, 3, size=size))


def nearest(rng, ball, n_classes, per_class):
    k = n_classes * per_class
    centers = random_points(rng, ball, k)
    return NearestCell(centers, np.repeat(np.arange(n_classes), per_class)), centers


def partition_of(kind, rng, ball, n_classes):
    if kind == "single":
        return nearest(rng, ball, 1, 1)
    if kind == "class":
        return nearest(rng, ball, n_classes, 1)
    return nearest(rng, ball, n_classes, 3)


def cells(kind, projected, moments):
    def build(rng, d, n_classes):
        ball = random_ball(rng, d, projected)
        partition, centers = partition_of(kind, rng, ball, n_classes)
        radii = ball.radius * 2.0 ** rng.uniform(-12, 2, size=len(centers))
        if "tied" in moments:
            radii[:] = radii[0]
        return CellMoments(ball, partition, centers, radii, moments)

    return build


def class_moments(projected):
    def build(rng, d, n_classes):
        ball = random_ball(rng, d, projected)
        partition, centers = nearest(rng, ball, n_classes, 2)
        radii = ball.radius * 2.0 ** rng.uniform(-12, 2, size=n_classes)
        return ClassMoments(ball, partition, centers, radii)

    return build


def distances(kind, projected):
    def build(rng, d, n_classes):
        ball = random_ball(rng, d, projected)
        partition, centers = partition_of(kind, rng, ball, n_classes)
        return DistanceHistogram(
            ball, partition, centers, random_edges(rng, ball.radius)
        )

    return build


def norms(rng, d, n_classes):
    ball = random_ball(rng, d)
    return NormHistogram(ball.center, random_edges(rng, ball.radius))


def norms_in_units(rng, d, n_classes):
    ball = random_scaled_ball(rng, d)
    edges = random_edges(rng, ball.radius)
    return NormHistogram(ball.center, edges, ball.units)


def features(folded):
    def build(rng, d, n_classes):
        columns = np.sort(rng.permutation(d)[: rng.integers(1, d + 1)])
        cuts = np.stack([random_edges(rng, 2.0, 7) for _ in columns])
        if not folded:
            cuts = np.sort(cuts * rng.choice([-1.0, 1.0], size=cuts.shape), axis=1)
        return FeatureHistogram(columns, cuts, folded)

    return build


def agreement(projected):
    def build(rng, d, n_classes):
        ball = random_ball(rng, d, projected)
        k = n_classes * rng.integers(1, 3)
        weights = rng.standard_normal((k, ball.n_features))
        weights *= 2.0**24 / np.linalg.norm(weights, axis=1, keepdims=True)
        offsets = np.rint(rng.standard_normal(k) * rng.choice([0, 2.0**46]))
        rule = LinearCell(np.rint(weights), offsets, np.arange(k) % n_classes)
        return AgreementCount(ball, rule)

    return build


def random_head(rng, ball, n_classes):
    weights = rng.standard_normal((n_classes, ball.n_features + 1))
    # No weights, moderate ones, and scores that leave one class only.
    return weights * rng.choice([0.0, 1.0, 1e6])


def gradient(make_ball):
    def build(rng, d, n_classes):
        ball = make_ball(rng, d)
        weights = random_head(rng, ball, n_classes)
        clip = 10.0 ** rng.uniform(-2, 0.3)
        return SoftmaxErrors(ball, weights, clip, ("sum", "count"))

    return build


def errors(make_ball):
    def build(rng, d, n_classes):
        ball = make_ball(rng, d)
        return SoftmaxErrors(ball, random_head(rng, ball, n_classes))

    return build


def slopes(make_ball):
    def build(rng, d, n_classes):
        ball = make_ball(rng, d)
        weights = random_head(rng, ball, n_classes)
        offset = rng.standard_normal(n_classes) * rng.choice([0.0, 1.0, 1e3])
        temperatures = 2.0 ** np.sort(rng.uniform(-3, 3, size=rng.integers(1, 6)))
        clip = np.abs(weights).max() * 10.0 ** rng.uniform(-2, 1) + 1e-6
        return SoftmaxSlopes(ball, weights, offset, temperatures, clip)

    return build


def soft(moment, whitener, projected=False):
    def build(rng, d, n_classes):
        ball = random_ball(rng, d, projected)
        p, k = ball.n_features, n_classes * rng.integers(1, 4)
        # Narrow, wide and badly conditioned components.
        scale = ball.radius * 10.0 ** rng.uniform(-4, 0.5)
        if whitener == "full":
            spread = 10.0 ** rng.uniform(-3, 0, size=(k, p, 1))
            W = np.linalg.qr(rng.standard_normal((k, p, p)))[0] * spread / scale
        elif whitener == "tied":
            one = np.linalg.cholesky(
                np.cov(rng.standard_normal((p, 3 * p + 3)), ddof=0).reshape(p, p)
            )
            W = np.broadcast_to(one / scale, (k, p, p))
        elif whitener == "diag":
            W = 10.0 ** rng.uniform(-2, 1, size=(k, p)) / scale
        else:
            W = 10.0 ** rng.uniform(-2, 1, size=k) / scale
        return SoftMoments(
            ball,
            random_points(rng, ball, k),
            W,
            rng.standard_normal(k) * 3.0,
            np.sqrt(p) * 10.0 ** rng.uniform(-0.5, 0.5),
            np.arange(k) % n_classes,
            moment,
        )

    return build


QUERIES = {
    "norms": norms,
    "norms-units": norms_in_units,
    "features": features(False),
    "features-folded": features(True),
    "agreement": agreement(False),
    "agreement-projected": agreement(True),
}
for _name, _make in (
    ("", random_ball),
    ("-projected", partial(random_ball, projected=True)),
    ("-features", random_feature_ball),
    ("-units", random_scaled_ball),
):
    QUERIES[f"gradient{_name}"] = gradient(_make)
    QUERIES[f"errors{_name}"] = errors(_make)
    QUERIES[f"slopes{_name}"] = slopes(_make)
QUERIES["gradient-narrow"] = gradient(random_narrow_ball)
for _kind in ("single", "class", "nearest"):
    for _projected in (False, True):
        _name = f"{_kind}{'-projected' * _projected}"
        QUERIES[f"distances-{_name}"] = distances(_kind, _projected)
        QUERIES[f"cells-{_name}"] = cells(_kind, _projected, MOMENTS)
        QUERIES[f"cells-tied-{_name}"] = cells(_kind, _projected, ("tied",))
for _moment in SOFT_MOMENTS:
    for _whitener in ("full", "tied", "diag", "spherical"):
        QUERIES[f"soft-{_moment}-{_whitener}"] = soft(_moment, _whitener)
for _projected in (False, True):
    QUERIES[f"classes{'-projected' * _projected}"] = class_moments(_projected)
QUERIES["soft-full-full-projected"] = soft("full", "full", True)


def scale_of(query):
    """A length at which records interact with the query."""
    if isinstance(query, FeatureHistogram):
        return np.abs(query.cuts).max()
    known, size = (query, query.edges[-1]) if query.ball is None else (query.ball,) * 2
    size = getattr(size, "radius", size)
    units = getattr(known, "units", None)
    return size if units is None else size * units.scale


def center_of(query):
    """A place near which records interact with the query."""
    if isinstance(query, FeatureHistogram):
        return 0.0
    known = query if query.ball is None else query.ball
    units = getattr(known, "units", None)
    return known.center if units is None else units.rows(known.center)


def exact_sums(query, X, codes):
    """Exact sums as arrays of Python integers; symmetric parts in full."""
    X = np.array(X, dtype=np.float64, order="C", copy=True)
    sums = exact(query, Block(X, np.array(codes, dtype=np.intp)))
    out = []
    for part, total in zip(parts(query), sums, strict=True):
        assert total.dtype == np.int64
        assert total.shape == part.shape
        if part.symmetric:
            upper = np.triu(total)
            total = upper + np.triu(total, k=1).swapaxes(-1, -2)
        out.append(total.astype(object))
    return out


def squared_distance(a, b):
    """Exact squared l2 distance of two arrays of Python integers."""
    return sum(int(x) ** 2 for x in np.ravel(a - b))


def whole_ball(d, projected=False, radius=1.0):
    """Ball about the origin; its projection keeps the first half of the axes."""
    ball = Ball(np.zeros(d), radius)
    basis = np.eye(d)[:, : max(1, d // 2)]
    return seen_through(ball, basis) if projected else ball


assert GRID_BITS == 24  # the offsets and normals above are scaled for it


# What rounding to the grid may cost of the bound.
MARGIN = 0.995


LENGTHS = [0.5, 1.0, 3.0, 1e300]


def change(query, rows, codes=None):
    """Distance from the empty sum, as a share of the sensitivity, of each part."""
    codes = np.zeros(len(rows), dtype=np.intp) if codes is None else codes
    ratios = {}
    for part, total in zip(parts(query), exact_sums(query, rows, codes), strict=True):
        distance = math.sqrt(squared_distance(total, 0 * total))
        ratios[part.name] = distance / part.l2_sensitivity
    return ratios


def axis(d, length, i=0):
    row = np.zeros((1, d))
    row[0, i] = length
    return row
