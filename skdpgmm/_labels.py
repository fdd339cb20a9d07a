"""From labels to codes of the public classes."""

from __future__ import annotations

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_array, column_or_1d


def encode_labels(y, classes, n_rows):
    """Return the sorted public classes and the code of each label.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels.
    classes : array-like of shape (n_classes,) or None
        The public set of classes; None takes the labels that occur.
    n_rows : int
        Number of records.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
    codes : ndarray of int of shape (n_rows,)
    """
    y = column_or_1d(y, warn=True)
    if len(y) != n_rows:
        raise ValueError(f"y must have {n_rows} labels, one a row, got {len(y)}.")
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    if classes is None:
        return np.unique(y, return_inverse=True)
    given = check_array(classes, ensure_2d=False, dtype=None, input_name="classes")
    if given.ndim != 1:
        raise ValueError(f"classes must be one-dimensional, got {classes!r}.")
    known = np.unique(given)
    codes = np.minimum(np.searchsorted(known, y), len(known) - 1)
    if np.any(known[codes] != y):
        unknown = sorted(set(np.unique(y).tolist()) - set(known.tolist()))
        raise ValueError(
            f"y has labels that are not in classes={known.tolist()}: {unknown}."
        )
    return known, codes
