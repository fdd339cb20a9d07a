"""Judges of synthetic rows: what they teach, and how much they are like real ones.

What a judge says of private rows is itself not private.
"""

import warnings

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from skdpgmm.metrics import (
    frechet_distance,
    manifold_scores,
    nearest_neighbor_distance_ratio,
)

# Rows that judges learn from; those of each set of which distances are taken.
N_LEARNED, N_COMPARED = 8_000, 4_000
# The log loss counts a probability under this one as this one: a forest and neighbours
# say 0 of what no row has shown them, and one such answer would decide the score.
LEAST_PROBABILITY = 1e-3


def network(seed=0):
    """Return a network of 128 units that sees every row 40 times."""
    # Held-out synthetic rows do not say when to stop for real ones.
    return MLPClassifier((128,), max_iter=40, n_iter_no_change=40, random_state=seed)


JUDGES = {
    "network": network,
    "logistic": lambda seed: LogisticRegression(random_state=seed),
    "forest": lambda seed: RandomForestClassifier(60, random_state=seed),
    "neighbours": lambda seed: KNeighborsClassifier(10),
}


def few(X, n, seed=0):
    """Return the positions of `n` of the rows, drawn without replacement."""
    return np.random.default_rng(seed).permutation(len(X))[:n]


def probabilities(model, X, classes):
    """Return what a classifier says of rows, 0 for classes that it has not seen."""
    found = np.zeros((len(X), len(classes)))
    found[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(X)
    return found


def judge(E, labels, X_test, y_test, seed=0):
    """Return what classifiers learn from rows, by name of the classifier.

    Parameters
    ----------
    E : ndarray of shape (n_rows, n_features)
        Rows to learn from; at most `N_LEARNED` of them are used.
    labels : ndarray of shape (n_rows,)
        Their labels.
    X_test, y_test : ndarrays
        Real rows and their labels.
    seed : int
        Draws the rows that are used, and what the classifiers draw.

    Returns
    -------
    scores : dict of dict
        For each of `JUDGES` its "accuracy" and "log loss" on the real rows; the latter
        with probabilities of at least `LEAST_PROBABILITY`.
    """
    rows = few(E, N_LEARNED, seed)
    E, labels = E[rows], labels[rows]
    classes = np.union1d(labels, y_test)
    right = np.searchsorted(classes, y_test)
    scores = {}
    for name, make in JUDGES.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = make(seed).fit(E, labels)
        found = probabilities(model, X_test, classes)
        of_right = found[np.arange(len(found)), right]
        scores[name] = {
            "accuracy": float(np.mean(found.argmax(axis=1) == right)),
            "log loss": float(
                np.mean(-np.log(np.maximum(of_right, LEAST_PROBABILITY)))
            ),
        }
    return scores


def likeness(X_test, E):
    """Return how much rows are like real ones that no fit has seen.

    Parameters
    ----------
    X_test : ndarray of shape (n_test, n_features)
        Real rows.
    E : ndarray of shape (n_rows, n_features)
        Rows to compare with them.

    Returns
    -------
    scores : dict
        The Frechet distance of at most `N_LEARNED` rows of each set; "precision",
        "recall", "density" and "coverage" of at most `N_COMPARED`.
    """
    real, made = X_test[few(X_test, N_LEARNED)], E[few(E, N_LEARNED)]
    scores = manifold_scores(real[:N_COMPARED], made[:N_COMPARED])
    return {"frechet": frechet_distance(real, made), **scores._asdict()}


def copy_ratios(X, rows):
    """Return how much nearer rows are to one of `X` than to any other.

    At most `N_COMPARED` of the rows are looked at.
    """
    return nearest_neighbor_distance_ratio(X, rows[few(rows, N_COMPARED)])


def near_copies(X, E, test_ratios):
    """Return the share of rows that single out one private row like a copy does.

    Parameters
    ----------
    X : ndarray of shape (n_private, n_features)
        Rows that the rows may have been copied from.
    E : ndarray of shape (n_rows, n_features)
        Rows to check.
    test_ratios : ndarray
        `copy_ratios` of real rows that are not among the private ones.

    Returns
    -------
    share : float
        Share of the rows with a ratio under the first percentile of those of real
        rows: .01 where nothing was copied, and rows lie where real ones do.
    """
    return float(np.mean(copy_ratios(X, E) < np.quantile(test_ratios, 0.01)))
