"""Which records a search fits to, and which ones score: by themselves, not by place.

A keyed hash of a record's own numbers, or of the id of its person where ids are given,
deals it to one of two parts. Its place would not do: without one record, all after it
have another place, and move to other parts. The key has nothing to do with the records,
so that it may be known: for every key the parts are a function of each record alone,
and the lemma of `skdpgmm.privacy.parts` holds, whose rule this is.

With ids, the first records of each person are chosen before anything is dealt. So two
neighbouring data sets differ by no more records in both parts together than the unit of
privacy says, however the records of a person are dealt; that they are all in one part
only makes scores honest. Records that are equal are in one part, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from skdpgmm._estimators.search_candidates import Candidate
from skdpgmm._rows.array_api import as_numpy
from skdpgmm._rows.columns import exact_column
from skdpgmm._rows.labels import encode_labels, label_column
from skdpgmm._rows.opened import Asked
from skdpgmm._rows.persons import TakingPart, first_contributions
from skdpgmm._rows.plain import numbers
from skdpgmm._rows.sources import open_rows, source_of
from skdpgmm.privacy.grid import row_slices

_BITS = 64
_ROWS_AT_A_TIME = 4096
# Whose representation is a function of their value.
_PLAIN = (str, bytes, bool, int, float, type(None))


class Parts(NamedTuple):
    """Records that were looked at once and dealt: to fit, and to score.

    Attributes
    ----------
    X, y : rows and labels
        As they were given.
    classes : ndarray of shape (n_classes,)
        Public.
    codes : ndarray of int of shape (n_samples,)
        Class of each record.
    labels : ndarray of shape (n_samples,)
    to_fit, all : TakingPart
        The first part, and both.
    scores : ndarray of bool of shape (n_samples,)
        The second part.
    key : bytes
        By which they were dealt.
    """

    X: Any
    y: Any
    classes: np.ndarray
    codes: np.ndarray
    labels: np.ndarray
    to_fit: TakingPart
    all: TakingPart
    scores: np.ndarray
    key: bytes

    def scored(self):
        """Return rows and labels of the second part, None if there are none."""
        if not self.scores.any():
            return None
        places = np.flatnonzero(self.scores)
        X = self.X if hasattr(self.X, "__getitem__") else np.asarray(self.X)
        return _safe_indexing(X, places), self.labels[places]


def open_parts(candidates: list[Candidate], X, y, privacy_ids, share, key) -> Parts:
    """Look at records, refuse what cannot be fitted or scored, and deal the rest.

    Parameters
    ----------
    candidates : list of Candidate
        Each is asked whether it can be fitted, where it is the first to see the rows.
    X, y, privacy_ids : array-like
        As of `fit`.
    share, key
        As of `deal`.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    _check_in_memory(X)
    core = candidates[0].private.core
    bound = core.max_contributions
    for candidate in candidates:
        _check(candidate, X, y, privacy_ids)
    n_rows = _num_samples(X)
    labels = label_column(y)
    classes, codes = encode_labels(labels, core.classes, n_rows)
    kept = first_contributions(privacy_ids, n_rows, bound)
    kept = np.ones(n_rows, dtype=bool) if kept is None else kept
    scores = deal(X, privacy_ids, share, key)
    enforced = privacy_ids is not None
    return Parts(
        X,
        y,
        classes,
        codes,
        labels,
        TakingPart(kept & ~scores, enforced),
        TakingPart(kept, enforced),
        kept & scores,
        key,
    )


def _check(candidate, X, y, privacy_ids):
    """Refuse what the fit of a candidate would, but for steps before it."""
    private = candidate.private
    if private.steps:
        return
    core = private.core
    asked = Asked(
        y,
        core.classes,
        privacy_ids,
        core.max_contributions,
        core.block_size,
        core.n_jobs,
        type(private.fitted).__name__,
    )
    opened = open_rows(X, asked)
    core._check(
        core._given(opened.shape[1], opened.classes, opened.dtype), opened.shape[0]
    )


def _check_in_memory(X):
    """Refuse rows that are read block by block: they are dealt one by one."""
    if not source_of(X).in_memory and not isinstance(X, np.memmap):
        raise TypeError(
            "X must be in memory, an array, frame or list, as each record is dealt to "
            f"one of two parts; got {type(X).__name__}."
        )


def deal(X, privacy_ids, share, key: bytes) -> np.ndarray:
    """Return the mask of the records that score.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Rows: numbers, or texts.
    privacy_ids : array-like of shape (n_samples,) or None
        Unit of each record; then the rows are not looked at.
    share : float in (0, 1)
        Chance of a record, or of a person, to score.
    key : bytes
        Of the hash; it must not depend on the records.

    Returns
    -------
    scores : ndarray of bool of shape (n_samples,)
    """
    texts = _texts(X) if privacy_ids is None else _representations(privacy_ids)
    limit = int(share * 2**_BITS)

    def scores(text):
        digest = hashlib.blake2b(text, digest_size=_BITS // 8, key=key).digest()
        return int.from_bytes(digest, "little") < limit

    return np.fromiter(map(scores, texts), dtype=bool)


def _representations(privacy_ids) -> Iterator[bytes]:
    for one in exact_column(privacy_ids, "privacy_ids").tolist():
        yield repr(one).encode()


def _texts(X) -> Iterator[Any]:
    """Yield what is hashed of each record: its numbers as they are, in float64."""
    X = as_numpy(numbers(X))
    X = X if isinstance(X, np.ndarray) else np.asarray(X)
    if X.dtype.kind not in "fiubUSO" or X.ndim == 0:
        raise TypeError(
            f"X must have rows of numbers or texts, got {X.dtype} of {X.ndim} "
            "dimensions: give privacy_ids, by which records are dealt then."
        )
    for rows in row_slices(len(X), _ROWS_AT_A_TIME):
        block = X[rows].reshape(rows.stop - rows.start, -1)
        if X.dtype.kind in "fiub":
            # Zeros of both signs are one number.
            block = np.ascontiguousarray(block, dtype=np.float64) + 0.0
            yield from (row.data for row in block)
        else:
            yield from map(_text, block.tolist())


def _text(row) -> bytes:
    for value in row:
        if not isinstance(value, _PLAIN):
            raise TypeError(
                "X must have rows of numbers or texts, got "
                f"{type(value).__name__}: give privacy_ids, by which records are "
                "dealt then."
            )
    return repr(row).encode()
