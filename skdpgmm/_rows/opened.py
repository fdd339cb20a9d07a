"""What a fit asks of its rows, and what is known of rows that were looked at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import _get_feature_names

from skdpgmm._rows.arrays import checked_block
from skdpgmm._rows.containers import frame_of
from skdpgmm._rows.digest import digest
from skdpgmm._rows.labels import encode_labels
from skdpgmm._rows.persons import first_contributions
from skdpgmm._rows.plain import numbers
from skdpgmm.privacy.records import Rows

FLOATS = [np.float64, np.float32]
# Each block costs some time of its own: shorter ones save no memory.
_FEWEST_ROWS = 64


class Asked(NamedTuple):
    """What goes with the rows of a fit.

    Attributes
    ----------
    y : array-like, or None without labels
    classes : array-like or None
        The public set of classes; None takes the labels that occur.
    privacy_ids : array-like or None
        Unit of each record.
    max_contributions : int or None
        Records of a unit that are kept.
    block_size, n_jobs : int
        How they are summed.
    who : str
        Name of the estimator, for messages.
    """

    y: Any
    classes: Any
    privacy_ids: Any
    max_contributions: int | None
    block_size: int
    n_jobs: int | None
    who: str

    @property
    def n_block(self) -> int:
        """Rows that are summed at a time."""
        return max(self.block_size, _FEWEST_ROWS)

    def codes(self, n_rows):
        """Return the classes and the code of each row; both None without labels."""
        if self.y is None:
            return None, None
        classes, codes = encode_labels(self.y, self.classes, n_rows)
        return classes, codes.astype(np.min_scalar_type(len(classes)))

    def kept(self, n_rows):
        """Return the mask of rows that take part, or None for all."""
        return first_contributions(self.privacy_ids, n_rows, self.max_contributions)


@dataclass(frozen=True)
class Opened:
    """Rows that were looked at, and what is known of them.

    Attributes
    ----------
    rows : Rows
    shape : tuple of int
        Number of rows and of features.
    dtype : dtype
        float32 or float64.
    classes : ndarray of shape (n_classes,), or None without labels
    names : ndarray of str of shape (n_features,), or None
        Names of the features.
    example : array without rows, or None
        On the device of an array-API array.
    frame : Frame or None
        The data frame that the rows came in, without any.
    """

    rows: Rows
    shape: tuple[int, int]
    dtype: Any
    classes: Any
    names: Any = None
    example: Any = None
    frame: Any = None


class Look(NamedTuple):
    """What a first pass over blocks of rows has found; `frame` has no rows."""

    shape: tuple[int, int]
    dtype: Any
    frame: Any
    digest: int


def look_at(blocks, n_features=None) -> Look:
    """Go through blocks of rows once, or say what is wrong with them."""
    n_rows = seen = 0
    dtype: Any = None
    frame = None
    for given in blocks:
        block = checked_block(numbers(given), n_features, n_rows)
        its_frame = frame_of(given)
        if n_rows == 0:
            frame = its_frame
        elif _columns(its_frame) != _columns(frame):
            raise ValueError(
                "X must have the same columns in all blocks, in one order; the block "
                f"that starts at row {n_rows} has others than those before it."
            )
        if dtype is not None and block.dtype != dtype:
            raise ValueError(
                f"X must be of one type; the block that starts at row {n_rows} is of "
                f"{block.dtype}, those before it are of {dtype}."
            )
        seen += digest(block, n_rows)
        n_rows, n_features, dtype = n_rows + len(block), block.shape[1], block.dtype
    if n_rows == 0:
        raise ValueError("X must have at least one row, got no blocks of rows.")
    # A file may spell out the order of bytes.
    return Look((n_rows, n_features), np.dtype(dtype.type), frame, seen)


def refuse_iterator(X):
    """Refuse what can be read once only."""
    if isinstance(X, Iterator):
        raise TypeError(
            f"X is an iterator ({type(X).__name__}), which can be read only once, and "
            "it is read more often: give a list, or an object of blocks whose __iter__ "
            "starts anew each time."
        )


def check_two_dimensions(X):
    """Refuse what has other than two dimensions."""
    if len(X.shape) != 2:
        raise ValueError(
            f"Expected 2D array, got {len(X.shape)}D array instead: X has shape "
            f"{X.shape}. Reshape your data."
        )


def names_of(frame):
    """Return the names of features of a frame without rows, as scikit-learn does."""
    if frame is None:
        return None
    return _get_feature_names(frame.filled(np.zeros((1, len(frame.columns)))))


def _columns(frame):
    return None if frame is None else list(frame.columns)
