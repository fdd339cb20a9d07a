"""Scores of rows and labels of any kind, from what `map_rows` gave for them."""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from skdpgmm._rows.sources import source_of


def collected(values):
    """Return numbers or labels in memory, those of blocks, files or Dask too.

    Parameters
    ----------
    values : array-like, blocks of such, an array in a file or a Dask collection
        One entry a row.

    Returns
    -------
    values : array-like
        What is in memory is returned as it is.
    """
    return source_of(values).collect(values)


def picked(values, codes):
    """Return the entry of each row that its code says.

    Parameters
    ----------
    values : ndarray or dask.array.Array of shape (n, k), or blocks of such
        What `map_rows` gave.
    codes : ndarray of int of shape (n,)
        Codes.

    Returns
    -------
    picked : ndarray of shape (n,)
    """
    found, start = [], 0
    for block in source_of(values).blocks(values):
        some = codes[start : start + len(block)]
        if len(some) == len(block):
            found.append(block[np.arange(len(block)), some])
        start += len(block)
    if start != len(codes):
        raise ValueError(f"y must have {start} labels, one a row, got {len(codes)}.")
    return np.concatenate(found)


class MappedClassifierMixin(ClassifierMixin):
    """A classifier whose accuracy can be asked for rows of any kind."""

    def score(self, X, y, sample_weight=None) -> float:
        """Return the accuracy on rows and labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Share of right predictions; as private as `X` and `y`.
        """
        found = collected(self.predict(X))
        return accuracy_score(
            collected(y), found, sample_weight=collected(sample_weight)
        )
