"""Fits of the candidates of a search: each group of them together, in any process."""

from __future__ import annotations

import copy
import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from skdpgmm._estimators.private_counts import right_answers
from skdpgmm._estimators.replay import say_instead
from skdpgmm._estimators.search_candidates import (
    POST_PROCESSING,
    Candidate,
    private_of,
)
from skdpgmm._estimators.training_rows import checked_clone, seed_estimator
from skdpgmm._rows.labels import label_column
from skdpgmm.exceptions import SeededNoiseWarning


class Run(NamedTuple):
    """What came of the fits of a group of candidates.

    Attributes
    ----------
    fitted : list of estimator
        As many as were fitted.
    right : list of ndarray of bool of shape (n_scored,)
        Whether the predictions of each are right: private.
    ledger : tuple of LedgerEntry
        What was released.
    warned : list of list of (str, type)
        Text and kind of the warnings of each.
    error : BaseException or None
        What ended it.
    """

    fitted: list[Any]
    right: list[np.ndarray]
    ledger: tuple
    warned: list[list[tuple[str, type]]]
    error: BaseException | None


def ready(candidate: Candidate, epsilon, delta, seeds, seeded):
    """Return a clone of a candidate that is given its budget and its randomness."""
    estimator = checked_clone(candidate.estimator, "estimator")
    private = private_of(estimator)
    private.core.set_params(epsilon=epsilon, delta=delta)
    seed_estimator(private.fitted, seeds, as_int=seeded)
    return estimator


def run(estimators, X, y, taking_part, scored) -> Run:
    """Fit a group of candidates, which share their releases, and let them predict.

    Parameters
    ----------
    estimators : list of estimator
        From `ready`.
    X, y : rows and labels
        All of them: public facts of both are those of all.
    taking_part : TakingPart
        The records to fit to.
    scored : tuple of (rows, ndarray)
        Rows and labels of the records that score, or None for none.

    Returns
    -------
    run : Run
        No exception leaves it, so that what was spent is never lost.
    """
    found = Run([], [], (), [], None)
    try:
        for estimator in estimators:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                # This one is said at once, of the search as a whole.
                warnings.simplefilter("ignore", SeededNoiseWarning)
                if not found.fitted:
                    estimator.fit(X, y, **routed(estimator, taking_part))
                    ledger = private_of(estimator).fitted.privacy_.ledger
                    found = found._replace(ledger=ledger)
                else:
                    estimator = fitted_beside(estimator, found.fitted[0])
            found.fitted.append(estimator)
            found.warned.append([(str(one.message), one.category) for one in caught])
            found.right.append(right_of(estimator, scored))
    except BaseException as error:
        report = getattr(error, "privacy_", None)
        if report is not None and not found.ledger:
            found = found._replace(ledger=report.ledger)
        return found._replace(error=error)
    return found


def routed(estimator, taking_part):
    """Return the parameter of `fit` that takes ids to what is private."""
    path = private_of(estimator).path
    if get_config()["enable_metadata_routing"]:
        path = ""
    return {f"{path}privacy_ids": taking_part}


def fitted_beside(estimator, other):
    """Return an estimator that is fitted by the releases of `other`, and no more."""
    if isinstance(estimator, Pipeline):
        *_, (name, final) = estimator.steps
        *before, (_, fitted) = other.steps
        estimator = copy.copy(estimator)
        estimator.steps = [*before, (name, fitted_beside(final, fitted))]
        return estimator
    if type(estimator) not in POST_PROCESSING:  # the same setting twice
        return copy.deepcopy(other)
    estimator._train_beside(other)
    return estimator


def right_of(estimator, scored):
    """Return whether predictions are right, of rows with their labels, or of none."""
    if scored is None:
        return np.zeros(0, dtype=bool)
    rows, labels = scored
    return right_answers(labels, label_column(_apart(estimator, rows), "predictions"))


def _apart(estimator, rows):
    """Return the predictions of rows, of which each was made without the others.

    A count of right ones changes by one with a record if no other prediction changes,
    and the last bits of a product of matrices depend on the rows that stand beside.
    Steps before the private one are vouched for, as they are in a fit.
    """
    if isinstance(estimator, Pipeline):
        if len(estimator) > 1:
            rows = estimator[:-1].transform(rows)
        estimator = estimator[-1]
    alone = (slice(place, place + 1) for place in range(_num_samples(rows)))
    return np.concatenate([estimator.predict(_safe_indexing(rows, k)) for k in alone])


def tell_of_search(estimator, report):
    """Have what was fitted in a search say what all of the search has cost."""
    say_instead(private_of(estimator).fitted, report)
