"""Synthetic rows in data frames: like that of the records, or as is asked for."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sklearn.utils._set_output import _get_output_config

from skdpgmm._rows.array_api import like
from skdpgmm._rows.containers import plain_frame

LIBRARIES = ("pandas", "polars")
_ARRAYS: ContextVar[bool] = ContextVar("arrays", default=False)


@contextmanager
def arrays_only():
    """Have `sample` give arrays, whatever the records came in.

    In columns of integers the numbers of a frame are rounded.
    """
    token = _ARRAYS.set(True)
    try:
        yield
    finally:
        _ARRAYS.reset(token)


def frame_for(estimator, frame, dtype, n_columns):
    """Return the frame that rows of an estimator are to come in, or None for arrays.

    Parameters
    ----------
    estimator : estimator
        `set_output`, or the configuration of scikit-learn, may ask for a library.
    frame : Frame or None
        That of the records.
    dtype : dtype
        Type of the rows, where the records came in no frame.
    n_columns : int
    """
    library = _get_output_config("transform", estimator)["dense"]
    if library not in LIBRARIES:
        return frame
    if frame is not None:
        return frame.of_library(library)
    names = getattr(estimator, "feature_names_in_", None)
    return plain_frame(library, names, dtype, n_columns)


class FramedSamples:
    """An estimator whose samples come in the container of the records."""

    _frame: Any = None
    _column: Any = None
    _like: Any

    def _keep_containers(self, frame, column):
        """Keep names and types, of columns and of labels, and nothing of a record."""
        self._frame, self._column = frame, column

    def _contained(self, rows, labels):
        """Return rows, and their labels, in a frame, or where the records were."""
        frame = None
        if not _ARRAYS.get():
            frame = frame_for(self, self._frame, rows.dtype, rows.shape[1])
        if frame is None:
            return like(rows, self._like), like(labels, self._like)
        if self._column is not None:
            labels = self._column.filled(labels)
        return frame.filled(rows), labels


class SetOutput:
    """`set_output` of scikit-learn, for what draws rows and transforms none."""

    def set_output(self: Any, *, transform=None):
        """Set the container of synthetic rows.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            A data frame of this library; "default" is one like that of the records,
            if they came in one, and an array otherwise. None changes nothing.

        Returns
        -------
        self : estimator instance
            The estimator.

        Raises
        ------
        ValueError
            When the argument is not legal.
        """
        legal = ("default", *LIBRARIES)
        if transform is None:
            return self
        if transform not in legal:
            raise ValueError(f"transform must be one of {legal}, got {transform!r}.")
        # Where scikit-learn keeps it, so that its clones have it too.
        earlier = getattr(self, "_sklearn_output_config", {})
        self._sklearn_output_config = {**earlier, "transform": transform}
        return self
