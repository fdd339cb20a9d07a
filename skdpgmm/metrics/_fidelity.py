"""Distances between sets of real and of synthetic rows."""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, check_consistent_length

from skdpgmm._models.distances import squared_distances
from skdpgmm._models.slices import row_slices
from skdpgmm._rows.labels import label_column
from skdpgmm._typed import validate_params

# Points this much outside of a ball, relative to its radius, are put down to rounding.
_SLACK = 1e-9
_ROWS = 1024


class ManifoldScores(NamedTuple):
    """What `manifold_scores` returns.

    Parameters
    ----------
    precision : float
        Share of the synthetic rows among the real ones, in [0, 1].
    recall : float
        Share of the real rows among the synthetic ones, in [0, 1].
    density : float
        How densely real rows surround synthetic ones, at least 0; about 1 when
        both sets are of one distribution.
    coverage : float
        Share of the real rows with a synthetic one near, in [0, 1].
    """

    precision: float
    recall: float
    density: float
    coverage: float


def _checked_pair(X_real, X_synthetic, least_rows=2):
    names = {"X_real": X_real, "X_synthetic": X_synthetic}
    pair = [
        check_array(X, dtype=np.float64, ensure_min_samples=least_rows, input_name=name)
        for name, X in names.items()
    ]
    if pair[0].shape[1] != pair[1].shape[1]:
        raise ValueError(
            f"X_synthetic must have {pair[0].shape[1]} features, as X_real has, got "
            f"{pair[1].shape[1]}."
        )
    # Every score depends on differences of rows only, and squares of large numbers
    # would lose these.
    mean = pair[0].mean(axis=0)
    return [X - mean for X in pair]


@validate_params(
    {"X_real": ["array-like"], "X_synthetic": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def frechet_distance(X_real, X_synthetic) -> float:
    """Return the squared Frechet distance of two sets, each taken as a Gaussian.

    It compares means and covariances only. For sets of equal distribution it is not
    0 but falls with their size, so compare sets of one size.

    Parameters
    ----------
    X_real : array-like of shape (n_real, n_features)
        Real rows, at least 2.
    X_synthetic : array-like of shape (n_synthetic, n_features)
        Synthetic rows, at least 2.

    Returns
    -------
    distance : float
        At least 0, in squared units of the data; smaller is better.

    Raises
    ------
    ValueError
        When an array is not legal or the widths differ.

    Notes
    -----
    Privacy: a score computed on private rows is itself not private.

    References
    ----------
    .. [1] M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter, "GANs
       Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium",
       Advances in Neural Information Processing Systems 30, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skdpgmm.metrics import frechet_distance
    >>> X = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(frechet_distance(X, X + [3.0, 4.0]), 6)
    25.0
    """
    real, synthetic = _checked_pair(X_real, X_synthetic)
    gap = real.mean(axis=0) - synthetic.mean(axis=0)
    # tr sqrt(A B) is the sum of the singular values of sqrt(B) sqrt(A), for any
    # roots: the centred rows themselves are roots, up to a rotation.
    roots = [
        np.asarray(np.linalg.qr((X - X.mean(axis=0)) / np.sqrt(len(X)), mode="r"))
        for X in (real, synthetic)
    ]
    cross = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    distance = gap @ gap + sum(np.sum(root**2) for root in roots) - 2.0 * cross
    return float(max(distance, 0.0))


def _neighbor_distances(X, n_neighbors, points=None):
    """Distances of points to their neighbours in `X`, sorted.

    Without points, of each row to its neighbours, itself left out.
    """
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(X)
    found = search.kneighbors(points, return_distance=False)
    points = X if points is None else points
    # The search may square before it subtracts: a copy would not be at distance 0.
    columns = [np.linalg.norm(points - X[some], axis=1) for some in found.T]
    return np.sort(np.column_stack(columns), axis=1)


def _radii(X, n_neighbors):
    """Distance of each row to its `n_neighbors`-th neighbour, itself left out."""
    return _neighbor_distances(X, n_neighbors)[:, -1]


def _n_balls(points, centers, radii):
    """Return in how many of the balls each point lies."""
    squares = (radii * (1.0 + _SLACK)) ** 2
    blocks = row_slices(len(points), _ROWS)
    return np.concatenate(
        [
            np.sum(squared_distances(points[rows], centers) <= squares, axis=1)
            for rows in blocks
        ]
    )


@validate_params(
    {
        "X_real": ["array-like"],
        "X_synthetic": ["array-like"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def manifold_scores(X_real, X_synthetic, *, n_neighbors=5) -> ManifoldScores:
    """Return precision, recall, density and coverage of synthetic rows.

    A set is represented by balls about its rows that reach to their
    `n_neighbors`-th neighbours in the set. Time grows with the product of the two
    sizes: a few thousand rows of each set are enough.

    Parameters
    ----------
    X_real : array-like of shape (n_real, n_features)
        Real rows, more than `n_neighbors`.
    X_synthetic : array-like of shape (n_synthetic, n_features)
        Synthetic rows, more than `n_neighbors`.
    n_neighbors : int, default=5
        Neighbour that sets the radius of a ball, at least 1.

    Returns
    -------
    scores : ManifoldScores
        Precision and recall as in [1]_, density and coverage as in [2]_.

    Raises
    ------
    ValueError
        When an argument is not legal or the widths differ.

    Notes
    -----
    Privacy: scores computed on private rows are themselves not private.

    References
    ----------
    .. [1] T. Kynkaanniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila, "Improved
       Precision and Recall Metric for Assessing Generative Models", Advances in
       Neural Information Processing Systems 32, 2019.
    .. [2] M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo, "Reliable Fidelity and
       Diversity Metrics for Generative Models", International Conference on Machine
       Learning, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skdpgmm.metrics import manifold_scores
    >>> X = np.random.default_rng(0).standard_normal((200, 2))
    >>> manifold_scores(X, X + 100.0)
    ManifoldScores(precision=0.0, recall=0.0, density=0.0, coverage=0.0)
    """
    real, synthetic = _checked_pair(X_real, X_synthetic, n_neighbors + 1)
    radii = _radii(real, n_neighbors)
    surrounding = _n_balls(synthetic, real, radii)
    among = _n_balls(real, synthetic, _radii(synthetic, n_neighbors))
    nearest = _neighbor_distances(synthetic, 1, real)[:, 0]
    return ManifoldScores(
        float(np.mean(surrounding > 0)),
        float(np.mean(among > 0)),
        float(np.mean(surrounding) / n_neighbors),
        float(np.mean(nearest <= radii * (1.0 + _SLACK))),
    )


@validate_params(
    {"X_real": ["array-like"], "X_synthetic": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def nearest_neighbor_distance_ratio(X_real, X_synthetic) -> np.ndarray:
    """Return how much nearer each synthetic row is to one real row than to any other.

    The distance to the nearest real row over that to the second nearest. A copy of a
    training row has a ratio near 0. Compare with the ratios of real test rows to the
    same training rows: a synthesizer that has memorised gives small ones more often.

    Parameters
    ----------
    X_real : array-like of shape (n_real, n_features)
        Rows that may have been copied, at least 2.
    X_synthetic : array-like of shape (n_synthetic, n_features)
        Rows to check.

    Returns
    -------
    ratios : ndarray of shape (n_synthetic,)
        In [0, 1]; 1 where both distances are 0, as among duplicates of real rows
        nobody can be singled out.

    Raises
    ------
    ValueError
        When an array is not legal or the widths differ.

    Notes
    -----
    Privacy: ratios to private rows are themselves not private. Nor do they prove
    privacy: the guarantee does, and a low share of copies does not.

    Examples
    --------
    >>> import numpy as np
    >>> from skdpgmm.metrics import nearest_neighbor_distance_ratio
    >>> X = np.array([[0.0], [1.0], [3.0]])
    >>> nearest_neighbor_distance_ratio(X, [[0.0], [2.0], [0.25]]).tolist()
    [0.0, 1.0, 0.3333333333333333]
    """
    real, synthetic = _checked_pair(X_real, X_synthetic, 1)
    if len(real) < 2:
        raise ValueError("X_real must have at least 2 rows, got 1.")
    first, second = _neighbor_distances(real, 2, synthetic).T
    return np.divide(first, second, out=np.ones_like(first), where=second > 0.0)


@validate_params(
    {
        "metric": [callable],
        "X_real": ["array-like"],
        "y_real": ["array-like"],
        "X_synthetic": ["array-like"],
        "y_synthetic": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def by_class(metric, X_real, y_real, X_synthetic, y_synthetic) -> dict[Any, Any]:
    """Return a metric of real and synthetic rows for each class.

    Parameters
    ----------
    metric : callable
        Takes the real and the synthetic rows of a class, such as `frechet_distance`.
    X_real : array-like of shape (n_real, n_features)
        Real rows.
    y_real : array-like of shape (n_real,)
        Their labels.
    X_synthetic : array-like of shape (n_synthetic, n_features)
        Synthetic rows.
    y_synthetic : array-like of shape (n_synthetic,)
        Their labels.

    Returns
    -------
    values : dict
        What `metric` returns by label, for the labels of `y_real`, sorted.

    Raises
    ------
    ValueError
        When an array is not legal, or a label of `y_real` has no synthetic rows.

    Notes
    -----
    Privacy: a score computed on private rows is itself not private.

    Examples
    --------
    >>> from skdpgmm.metrics import by_class, frechet_distance
    >>> X, y = [[0.0], [2.0], [5.0], [7.0]], ["a", "a", "b", "b"]
    >>> by_class(frechet_distance, X, y, [[1.0], [3.0], [5.0], [7.0]], y)
    {'a': 1.0, 'b': 0.0}
    """
    real, synthetic = _checked_pair(X_real, X_synthetic, 1)
    y_real = label_column(y_real, "y_real")
    y_synthetic = label_column(y_synthetic, "y_synthetic")
    check_consistent_length(real, y_real)
    check_consistent_length(synthetic, y_synthetic)
    labels = np.unique(y_real)
    missing = np.setdiff1d(labels, y_synthetic)
    if missing.size:
        raise ValueError(
            "y_synthetic must have rows of every label of y_real, got none of "
            f"{missing.tolist()}."
        )
    return {
        label: metric(real[y_real == label], synthetic[y_synthetic == label])
        for label in labels.tolist()
    }
