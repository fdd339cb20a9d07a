"""Whether scales of features are looked for, how closely, and whether they pay.

All are functions of releases and public numbers.
"""

from __future__ import annotations

import math

import numpy as np

from skdpgmm.privacy.report import Decision

# With more features, histograms of all would take longer than the fit; such records are
# embeddings or pixels as a rule, whose features have one scale. Not argued.
MOST_FEATURES = 512
# Numbers in the histograms of one record: they take time in proportion.
_MOST_NUMBERS = 2**11
# Records over the noise of a bin, below which a histogram of magnitudes shows nothing,
# and at which it shows all that it can. A window of one bin has to stand out by 3
# standard deviations, and one of two hold .8 of the records by as much.
_LEAST_SIGNAL, _ENOUGH_SIGNAL = 4.5, 12.0
# A look of m bins is clear when all records stand out of the noise of half of its bins
# by 5 standard deviations, and clear enough at some times that. The latter is not
# argued.
_CLEAR, _CLEAR_ENOUGH = 5.0, 1.2
FEWEST_BINS, _MOST_BINS = 8, 128
# Ratio of scales that a ball can bear. Measured by benchmarks/scale.py: mixtures lost
# nothing at 10, and .2 nats at 100.
_BEARABLE = 8.0


def octaves_of_a_bin(d):
    """Return how many doublings a bin of magnitudes spans: few, in little time."""
    return int(2 ** np.clip(np.ceil(np.log2(d / 16.0)), 1, 4))


def is_seen(n, d, mu):
    """Return whether a histogram of all magnitudes would show anything."""
    return n * mu >= _LEAST_SIGNAL * math.sqrt(d)


def budget_of_magnitudes(n, p):
    """Return the mu with which magnitudes of `p` features are as clear as need be."""
    return _ENOUGH_SIGNAL * math.sqrt(p) / n


def bins_of_a_look(n, p, mu):
    """Return the number of equal bins of `p` features, or None where none is clear."""
    signal = n * mu / math.sqrt(p)
    most = min(_MOST_NUMBERS / p, 2.0 * (signal / _CLEAR) ** 2, _MOST_BINS)
    # A look is worth while with few bins only where the noise allows no more.
    if 2.0 * (signal / _CLEAR) ** 2 < FEWEST_BINS:
        return None
    return int(2 ** math.floor(math.log2(max(most, FEWEST_BINS))))


def budget_of_a_look(n, p, n_bins):
    """Return the mu with which a look is as clear as need be."""
    return _CLEAR_ENOUGH * _CLEAR * math.sqrt(n_bins / 2.0) * math.sqrt(p) / n


def of_one_scale(why, because):
    """Return the decision that nothing is looked for."""
    return Decision("scale", f"one radius: {why}", because)


def of_each_feature(n, d):
    """Return the decision that a scaler has taken beforehand."""
    return Decision("scale", "each feature", {"noisy_n": n, "n_features": d})


def pays(n, scale, center, errors, columns):
    """Return the decision whether features get units of their own.

    They do where a ball would drown the small ones, but for a tenth, which may be
    nearly constant, and where records are seen that are taken for errors: those would
    make the ball wide. Features that get limits only always do.

    Parameters
    ----------
    n : float
        Noisy number of records.
    scale, center : ndarray of shape (p,)
        Of the features whose spread was found.
    errors : int
        Features with errors.
    columns : bool
        Whether features get units, and not limits only.
    """
    least = np.quantile(scale, 0.1, method="lower")
    ratio = float(np.quantile(scale, 0.9, method="higher") / least)
    offset = float(np.max(np.abs(center) / scale))
    because = {"noisy_n": n, "ratio": ratio, "offset": offset, "errors": errors}
    if not columns:
        return Decision("scale", "limits", because)
    needed = ratio > _BEARABLE or errors > 0
    return Decision("scale", "each feature" if needed else "one radius", because)
