"""An attacker who sees attributes only, and learns which of them tell fits apart."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# Beyond, squares would leave the range of float64.
_LARGEST = 1e100
_PENALTIES = np.logspace(-2.0, 4.0, 7)


def attributes_of(fitted, prefix=""):
    """Return the numbers in the public attributes of a fitted estimator, by name.

    Those of estimators that it has fitted are among them.
    """
    found: dict[str, np.ndarray] = {}
    for name, value in sorted(vars(fitted).items()):
        if name == "steps":
            for step, inner in value:
                found |= attributes_of(inner, f"{prefix}{step}.")
        elif name.startswith("_") or not name.endswith("_") or name == "privacy_":
            continue
        elif hasattr(value, "get_params"):
            found |= attributes_of(value, f"{prefix}{name}.")
        elif np.asarray(value).dtype.kind in "fiub":
            found[prefix + name] = np.ravel(np.asarray(value, dtype=np.float64))
    return found


def as_table(fits):
    """Return a row of numbers for each fit, of a list of `attributes_of`.

    What is of another length in other fits is told by its length and its sum.
    """
    names = sorted(set().union(*fits))
    columns = []
    for name in names:
        values = [fit.get(name, np.empty(0)) for fit in fits]
        if len({len(value) for value in values}) > 1:
            values = [np.array([len(value), value.sum()]) for value in values]
        columns.append(np.array(values))
    table = np.hstack(columns)
    return np.clip(np.nan_to_num(table), -_LARGEST, _LARGEST)


def learned_scores(table, inside):
    """Return scores of the second half of fits, by a rule learned on the first.

    Parameters
    ----------
    table : ndarray of shape (n_runs, n_numbers)
    inside : ndarray of bool of shape (n_runs,)
        Which fits had the record.

    Returns
    -------
    scores : ndarray of shape (n_runs - n_runs // 2,)
        Positive where the record seems to be there.
    """
    n_first = len(table) // 2
    # Not a discriminant of measured variances: an exact number has none.
    rule = make_pipeline(StandardScaler(), RidgeClassifierCV(_PENALTIES))
    rule.fit(table[:n_first], inside[:n_first])
    return rule.decision_function(table[n_first:])
