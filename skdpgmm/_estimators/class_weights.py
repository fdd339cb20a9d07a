"""Weights of classes, as constants of a softmax."""

from __future__ import annotations

import numpy as np


def check_class_weight(class_weight, classes):
    """Refuse weights of classes that are not there, and such that are not positive."""
    if not isinstance(class_weight, dict):
        return
    known = set(classes.tolist())
    for label, weight in class_weight.items():
        if label not in known:
            raise ValueError(
                f"class_weight has a weight of {label!r}, which is none of the classes "
                f"{classes.tolist()}."
            )
        if not 0.0 < float(weight) < np.inf:
            raise ValueError(
                f"class_weight must be positive, got {weight!r} for {label!r}."
            )


def log_class_weights(class_weight, classes, counts):
    """Return the logarithms of the weights, which move the constants of a softmax.

    A class of weight w is as likely as if its records were there w times, so that its
    score is greater by the logarithm of w: derived, if probabilities are right.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
    classes : ndarray of shape (k,)
    counts : ndarray of shape (k,)
        Estimated numbers of records of the classes; released.
    """
    if class_weight is None:
        return np.zeros(len(classes))
    if isinstance(class_weight, str):
        return np.log(counts.mean() / counts)
    return np.log([float(class_weight.get(c, 1.0)) for c in classes.tolist()])
