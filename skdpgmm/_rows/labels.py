"""From labels to codes of the public classes."""

from __future__ import annotations

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d

from skdpgmm._rows.columns import exact_column, kinds_of


def label_column(y, name="y"):
    """Return labels in one dimension, each as it is, all of one kind.

    Parameters
    ----------
    y : array-like, series, blocks of such, an array in a file, Dask collection
        Labels.
    name : str
        Of the parameter, for messages.

    Returns
    -------
    labels : ndarray of shape (n,)
        Of a type whose order is that of the labels; objects are strings.
    """
    if isinstance(y, np.ndarray) and y.ndim != 1 and not np.ma.isMaskedArray(y):
        y = column_or_1d(y, warn=True)
    labels = exact_column(y, name)
    if labels.dtype.kind == "O":
        labels = _of_one_kind(labels, name)
        if labels.dtype.kind == "O" and not hasattr(y, "dtype"):
            # As numpy and scikit-learn have lists of strings. A null at the end of a
            # string would be lost.
            if not any(label.endswith("\0") for label in labels):
                labels = labels.astype(str)
    if labels.dtype.kind == "S":
        raise TypeError(
            f"{name} must not hold bytes: decode them, as file['y'].asstr()[:] does in "
            "h5py."
        )
    assert_all_finite(labels, input_name=name)
    return labels


def encode_labels(y, classes, n_rows):
    """Return the sorted public classes and the code of each label.

    Parameters
    ----------
    y : array-like of shape (n_rows,), or another container of labels
        Labels.
    classes : array-like or set of shape (n_classes,), or None
        The public set of classes; None takes the labels that occur.
    n_rows : int
        Number of records.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
    codes : ndarray of int of shape (n_rows,)
    """
    y = label_column(y)
    if len(y) != n_rows:
        raise ValueError(f"y must have {n_rows} labels, one a row, got {len(y)}.")
    check_classification_targets(y)
    found, codes = np.unique(y, return_inverse=True)
    if classes is None:
        return found, codes
    known = np.unique(label_column(classes, "classes"))
    # Numbers of Python are compared exactly, whatever their types.
    position = {label: code for code, label in enumerate(known.tolist())}
    unknown = sorted(set(found.tolist()) - position.keys(), key=str)
    if unknown:
        raise ValueError(
            f"y has labels that are not in classes={known.tolist()}: {unknown}."
        )
    return known, np.array([position[label] for label in found.tolist()])[codes]


def _of_one_kind(labels, name):
    """Return objects as an array of a type of numpy, or as strings."""
    kinds = kinds_of(labels, name)
    if kinds == {"bytes"}:
        return labels.astype("S")
    if kinds == {"bool"}:
        return labels.astype(bool)
    if kinds == {"int"}:
        low, high = min(labels), max(labels)
        if low < -(2**63) or high >= 2**64 or (low < 0 and high >= 2**63):
            raise ValueError(f"{name} must hold integers of 64 bits.")
        return labels.astype(np.int64 if high < 2**63 else np.uint64)
    if kinds in ({"float"}, {"int", "float"}):
        numbers = labels.astype(np.float64)
        if all(a == b or a != a for a, b in zip(labels, numbers.tolist(), strict=True)):
            return numbers
    if kinds in ({"str"}, set()):
        return labels
    raise ValueError(
        f"{name} must hold labels of one kind, numbers, strings or bools, got "
        f"{' and '.join(sorted(kinds))}."
    )
