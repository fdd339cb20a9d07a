"""Shares of right answers from noisy counts, and how sure they are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

# Shares at which an interval is tried; its ends are that exact.
_TRIED = np.linspace(0.0, 1.0, 2001)


class NoisySizes(NamedTuple):
    """Numbers of records of groups, that all who were scored have in common.

    Attributes
    ----------
    sizes : ndarray of shape (n_groups,)
        Noisy, at least 1.
    sd : float
        Their noise.
    """

    sizes: np.ndarray
    sd: float


class Proportion(NamedTuple):
    """A mean share of right answers: its value, its noise, and an interval."""

    value: float
    noise_sd: float
    low: float
    high: float


def pooled_sizes(counts, sds) -> NoisySizes:
    """Return the numbers of records in groups, from noisy counts that all split them.

    Parameters
    ----------
    counts : ndarray of shape (n_scored, n_groups, 2)
        Noisy counts of wrong and of right answers about the same records.
    sds : ndarray of shape (n_scored,)
        Noise of each of these counts.

    Returns
    -------
    sizes : NoisySizes
        Sums of wrong and right, weighted by the inverse of their variances.
    """
    sums = counts.sum(axis=2)  # (n_scored, n_groups)
    if not np.all(sds):
        exact = sums[np.flatnonzero(sds == 0.0)[0]]
        return NoisySizes(np.maximum(exact, 1.0), 0.0)
    precisions = 1.0 / (2.0 * sds**2)
    mean = precisions @ sums / precisions.sum()
    return NoisySizes(np.maximum(mean, 1.0), 1.0 / math.sqrt(precisions.sum()))


def mean_proportion(counts, sd, known: NoisySizes, confidence) -> Proportion:
    """Return the mean over groups of the share of right answers.

    With n records in a group, right minus wrong is ``(2 a - 1) n`` for a share a of
    right ones: their difference has all that the counts say of a when n is known, and
    its noise is independent of that of their sum. The interval of a group has those a
    for which ``right - wrong - (2 a - 1) n`` is not too far from zero (Fieller 1954),
    noise and the chance in which records came to be tested included: where all is
    noise, it is [0, 1]. Intervals of groups are put together by the distances of their
    ends (Zou and Donner 2008).

    Parameters
    ----------
    counts : ndarray of shape (n_groups, 2)
        Noisy counts of wrong and right answers.
    sd : float
        Their noise.
    known : NoisySizes
        Numbers of records.
    confidence : float in (0, 1)
        Chance that an interval of one group holds the share.

    Returns
    -------
    proportion : Proportion
    """
    z = float(ndtri(0.5 + 0.5 * confidence))
    sizes = known.sizes
    difference = counts[:, 1] - counts[:, 0]
    shares = np.clip(0.5 + 0.5 * difference / sizes, 0.0, 1.0)
    variances = 2.0 * sd**2 + ((2.0 * shares - 1.0) * known.sd) ** 2
    noise = np.sqrt(variances) / (2.0 * sizes)
    tried = _TRIED[:, None]
    off = difference - (2.0 * tried - 1.0) * sizes  # (n_tried, n_groups)
    spread = 2.0 * sd**2 + ((2.0 * tried - 1.0) * known.sd) ** 2
    spread = spread + 4.0 * sizes * tried * (1.0 - tried)
    # The share itself, that noise may have brought beyond what is tried.
    inside = (np.abs(off) <= z * np.sqrt(spread)) | (tried == _nearest(shares))
    low = _TRIED[inside.argmax(axis=0)]
    high = _TRIED[len(_TRIED) - 1 - inside[::-1].argmax(axis=0)]
    value, k = float(shares.mean()), len(shares)
    return Proportion(
        value,
        float(np.sqrt(np.sum(noise**2))) / k,
        max(value - float(np.linalg.norm(np.minimum(low - shares, 0.0))) / k, 0.0),
        min(value + float(np.linalg.norm(np.maximum(high - shares, 0.0))) / k, 1.0),
    )


def _nearest(shares):
    return _TRIED[np.rint(shares * (len(_TRIED) - 1)).astype(int)]
