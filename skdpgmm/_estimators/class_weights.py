"""Weights of classes, as constants of a softmax."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.utils import compute_class_weight


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
        real = isinstance(weight, Real) and not isinstance(weight, bool)
        if not (real and 0.0 < weight < np.inf):
            raise ValueError(
                f"class_weight must have numbers in (0, inf), got {weight!r} for "
                f"{label!r}."
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
    # Each class once, for as many records as there seem to be.
    return np.log(
        compute_class_weight(
            class_weight, classes=classes, y=classes, sample_weight=counts
        )
    )
