"""Noisy counts of how often predictions are right: one release for each model."""

from __future__ import annotations

import numpy as np

from skdpgmm._algorithms.looks import class_counts
from skdpgmm._estimators.session import Account, Session
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm.privacy.records import Release


def release_counts(codes, n_cells, kept, account: Account) -> Release:
    """Spend all of an account on how many records have each of some codes.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples,)
        In ``range(n_cells)``, a function of the record and of what is released.
    n_cells : int
    kept : ndarray of bool of shape (n_samples,), or None
        Records that are counted.
    account : Account
        Untouched so far.

    Returns
    -------
    counts : Release
        Of shape (n_cells,).
    """
    nothing = np.zeros((len(codes), 1))
    session = Session.open(ArrayRows(nothing, codes, kept), account)
    view = session.view(1)
    query = class_counts(view.ball, n_cells)
    (release,) = view.release("predictions", query, [session.budget])
    return release


def right_answers(y_true, y_pred):
    """Return which labels are predicted, whatever the types of both.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        As `label_column` gives them.

    Returns
    -------
    right : ndarray of bool of shape (n_samples,)
    """
    if y_true.dtype.kind != y_pred.dtype.kind:
        # Integers of any size and floats are compared as they are.
        y_true, y_pred = y_true.astype(object), y_pred.astype(object)
    return np.asarray(y_true == y_pred, dtype=bool)
