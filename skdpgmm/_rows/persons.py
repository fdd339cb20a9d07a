"""Which records of a person are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdpgmm._rows.columns import exact_column, kinds_of


@dataclass(frozen=True, eq=False, repr=False)
class TakingPart:
    """Says which records take part in a fit, in the place of the ids of persons.

    A fit sees all rows and labels, so that what is public of them, such as their width
    and the set of labels, is that of all; its releases are about some.

    Attributes
    ----------
    kept : ndarray of bool of shape (n_rows,)
        A function of each unit's own records only.
    enforced : bool
        Whether at most `max_contributions` records of each person are kept.
    """

    kept: Any
    enforced: bool


def bound_of(max_contributions) -> int:
    """Return the largest number of records of a unit; None stands for one."""
    return 1 if max_contributions is None else max_contributions


def first_contributions(privacy_ids, n_rows, max_contributions):
    """Mask that keeps the first records of each unit.

    Parameters
    ----------
    privacy_ids : array-like of shape (n_rows,), TakingPart or None
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
    if isinstance(privacy_ids, TakingPart):
        _check_length(privacy_ids.kept, n_rows)
        return privacy_ids.kept
    codes = unit_codes(privacy_ids)
    _check_length(codes, n_rows)
    # Stable: the records of a unit stay in the order of rows.
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = np.empty(len(codes), dtype=bool)
    kept[order] = np.arange(len(codes)) - starts < bound_of(max_contributions)
    return kept


def _check_length(ids, n_rows):
    if len(ids) != n_rows:
        raise ValueError(
            f"privacy_ids must have {n_rows} entries, one a row, got {len(ids)}."
        )


def unit_codes(privacy_ids):
    """Return an integer for each record, the same for two if and only if their ids are.

    Ids are compared as they are: 1 and "1" are two persons, and so are integers of any
    size that differ.

    Parameters
    ----------
    privacy_ids : array-like of shape (n_rows,)
        Unit of each record.

    Returns
    -------
    codes : ndarray of int of shape (n_rows,)
    """
    ids = exact_column(privacy_ids, "privacy_ids")
    if ids.dtype.kind != "O":
        if ids.dtype.kind == "f":
            _check_floats(ids)
        return np.unique(ids, return_inverse=True)[1]
    _check_objects(ids.tolist())
    codes: dict = {}
    return np.array([codes.setdefault(one, len(codes)) for one in ids.tolist()], int)


def _check_floats(ids):
    digits = np.finfo(ids.dtype).nmant + 1
    if np.any(np.abs(ids) >= 2.0**digits) or np.any(ids != np.floor(ids)):
        raise ValueError(
            "privacy_ids may be floating point numbers only when all are whole and "
            f"below 2**{digits} for {ids.dtype}, as larger ones do not tell persons "
            "apart: give integers or strings."
        )


def _check_objects(ids):
    kinds = kinds_of(ids, "privacy_ids")
    if "bool" in kinds and kinds & {"int", "float", "Decimal"}:
        raise ValueError(
            "privacy_ids must not hold both bools and numbers, of which True and 1 "
            "are equal."
        )
    if "float" in kinds:
        # One of numpy, such as float32, may be a float of Python or not.
        floats = [float(one) for one in ids if isinstance(one, float | np.floating)]
        _check_floats(np.array(floats))
    if "tuple" in kinds:
        _check_objects([part for one in ids if isinstance(one, tuple) for part in one])
