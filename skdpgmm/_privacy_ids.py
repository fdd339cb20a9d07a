"""Whose record is whose: ids of the units of privacy, and the bound for each."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.utils.validation import check_array

from skdpgmm.exceptions import UnenforcedContributionsWarning


def one_name(privacy_ids, groups):
    """Return the ids, which may come under their old name.

    Parameters
    ----------
    privacy_ids : array-like or None
        Unit of each record.
    groups : array-like or None
        The same under its old name, that of the groups of splitters.

    Returns
    -------
    privacy_ids : array-like or None
    """
    if groups is None:
        return privacy_ids
    if privacy_ids is not None:
        raise ValueError(
            "privacy_ids and groups are the same: give privacy_ids only, got both."
        )
    warnings.warn(
        "groups is deprecated and will go in version 0.3: give privacy_ids. The groups "
        "of cross_validate and GridSearchCV go to their splitter only.",
        FutureWarning,
        stacklevel=2,
    )
    return groups


def bound_of(max_contributions) -> int:
    """Return the largest number of records of a unit; None stands for one."""
    return 1 if max_contributions is None else max_contributions


def warn_if_unenforced(max_contributions, privacy_ids):
    """Say that nothing enforces the bound, when it was set and no ids came."""
    if max_contributions is None or privacy_ids is not None:
        return
    warnings.warn(
        f"max_contributions={max_contributions} is promised, not enforced: no "
        "privacy_ids were given, so all records are used. Give the id of the person "
        "of each record to fit, as in fit(X, privacy_ids=ids), "
        'cross_validate(..., params={"privacy_ids": ids}) or '
        "GridSearchCV(...).fit(X, privacy_ids=ids): what is given to these as groups "
        "goes to their splitter only, and Pipeline of imbalanced-learn hands ids on "
        "under enable_metadata_routing only. Without a bound for persons, leave "
        "max_contributions at None.",
        UnenforcedContributionsWarning,
        stacklevel=2,
    )


def describe_unit(max_contributions, enforced):
    """Return the unit of privacy in words, and who holds to the bound."""
    if max_contributions is None and not enforced:
        return "one record"
    m = bound_of(max_contributions)
    by = "enforced by privacy_ids" if enforced else "promised by the caller"
    return f"one person with at most {m} record{'s' * (m > 1)}, {by}"


def first_contributions(privacy_ids, n_rows, max_contributions):
    """Mask that keeps the first records of each unit.

    Parameters
    ----------
    privacy_ids : array-like of shape (n_rows,), or None
        Unit of each record; None keeps all.
    n_rows : int
        Number of records.
    max_contributions : int or None
        Records of a unit that are kept; None is one.

    Returns
    -------
    kept : ndarray of bool of shape (n_rows,), or None
    """
    if privacy_ids is None:
        return None
    ids = check_array(
        privacy_ids,
        ensure_2d=False,
        dtype=None,
        ensure_all_finite=True,
        input_name="privacy_ids",
    )
    if ids.ndim != 1:
        raise ValueError(f"privacy_ids must be one-dimensional, got shape {ids.shape}.")
    if len(ids) != n_rows:
        raise ValueError(
            f"privacy_ids must have {n_rows} entries, one a row, got {len(ids)}."
        )
    _, codes = np.unique(ids, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = np.empty(len(codes), dtype=bool)
    kept[order] = np.arange(len(codes)) - starts < bound_of(max_contributions)
    return kept
