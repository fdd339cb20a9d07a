"""Whose record is whose: ids of the units of privacy, and the bound for each."""

from __future__ import annotations

from skdpgmm._estimators.randomness import warn
from skdpgmm._rows.persons import TakingPart, bound_of
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
    warn(
        "groups is deprecated and will go in version 0.3: give privacy_ids. The groups "
        "of cross_validate and GridSearchCV go to their splitter only.",
        FutureWarning,
    )
    return groups


def warn_if_unenforced(max_contributions, privacy_ids):
    """Say that nothing enforces the bound, when it was set and no ids came."""
    if max_contributions is None or privacy_ids is not None:
        return
    warn(
        f"max_contributions={max_contributions} is promised, not enforced: no "
        "privacy_ids were given, so all records are used. Give the id of the person "
        "of each record to fit, as in fit(X, privacy_ids=ids), "
        'cross_validate(..., params={"privacy_ids": ids}) or '
        "GridSearchCV(...).fit(X, privacy_ids=ids): what is given to these as groups "
        "goes to their splitter only, and Pipeline of imbalanced-learn hands ids on "
        "under enable_metadata_routing only. Without a bound for persons, leave "
        "max_contributions at None.",
        UnenforcedContributionsWarning,
    )


def enforces(privacy_ids) -> bool:
    """Whether what came as ids holds to the bound of each person."""
    if isinstance(privacy_ids, TakingPart):
        return privacy_ids.enforced
    return privacy_ids is not None


def describe_unit(max_contributions, enforced):
    """Return the unit of privacy in words, and who holds to the bound."""
    if max_contributions is None and not enforced:
        return "one record"
    m = bound_of(max_contributions)
    by = "enforced by privacy_ids" if enforced else "promised by the caller"
    return f"one person with at most {m} {'record' if m == 1 else 'records'}, {by}"
