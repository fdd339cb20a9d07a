"""Estimates from noisy moments: every input is released or public.

Each estimate is shrunk by its own, known, noise: `sd` is always the public
standard deviation of the noise in the entries of the first argument.
"""

from __future__ import annotations

import math

import numpy as np

# Numbers in a band of directions that share one factor, and growth of the bands: enough
# for an energy to be known, and neighbours that are alike. Not argued.
_FEWEST_IN_BAND, _GROWTH = 8, 1.25
# Smallest count in mean counts. Not argued.
_LEAST_COUNT = 1e-3


def kept_share(energy, noise):
    """Share of a deviation that is kept when noise has put so much energy into it."""
    return 1.0 - noise / max(energy, noise, 1e-300)


def james_stein(vectors, sd):
    """Shrink noisy vectors toward zero by positive-part James-Stein.

    Parameters
    ----------
    vectors : ndarray of shape (..., d)
        Noisy.
    sd : ndarray broadcastable to (..., 1) or float
        Noise of one coordinate.

    Returns
    -------
    shrunk : ndarray of shape (..., d)
    """
    d = vectors.shape[-1]
    energy = np.sum(vectors**2, axis=-1, keepdims=True)
    noise = d * np.square(sd)
    least = np.maximum(noise, np.finfo(float).tiny)
    return (1.0 - noise / np.maximum(energy, least)) * vectors


def cut_lengths(vectors, longest):
    """Shorten the rows that are longer than `longest`, a number or one for each."""
    length = np.linalg.norm(vectors, axis=1)
    cut = np.minimum(length, longest) / np.maximum(length, 1e-300)
    return vectors * cut[:, None]


def low_rank(means, weights, sd):
    """Return the differences of noisy means, without what is likely to be noise.

    Classes that differ mostly do in few directions, whatever these are. In units of the
    noise, singular values below its edge tell nothing, and those above are shrunk so
    that the mean squared error is least [1]_.

    Parameters
    ----------
    means : ndarray of shape (k, d)
        Noisy.
    weights : ndarray of shape (k,)
        Of sum 1.
    sd : ndarray of shape (k,)
        Noise of one coordinate of each, positive.

    Returns
    -------
    gaps : ndarray of shape (k, d)
        Of weighted sum 0.

    References
    ----------
    .. [1] M. Gavish, D. L. Donoho, "Optimal shrinkage of singular values", IEEE
       Transactions on Information Theory 63, 2017, equation 7.
    """
    gaps = (means - weights @ means) / sd[:, None]
    left, lengths, right = np.linalg.svd(gaps, full_matrices=False)
    short, long = sorted(gaps.shape)
    squares, ratio = lengths**2 / long, short / long
    kept = np.maximum((squares - ratio - 1.0) ** 2 - 4.0 * ratio, 0.0)
    kept[squares <= (1.0 + math.sqrt(ratio)) ** 2] = 0.0
    lengths = np.sqrt(long * kept / np.maximum(squares, 1.0))
    gaps = (left * lengths) @ right * sd[:, None]
    return gaps - weights @ gaps


def shrink_between(means, weights, noise, counts, covariance):
    """Shrink differences of means along each principal direction by its own noise.

    Noise is as large in every direction, but in directions of small variance it
    counts for more: left alone, it separates the components of a mixture by
    differences that are not there. Neighbouring directions share one prior energy; a
    band has enough of them for it to be known. The bulk, of which all directions are
    alike, is one band. The noise is that of the release plus that of a sample mean.
    Each component is shrunk by its own, and tells the less of the prior the more it
    has: some that are all noise leave the others where they are.

    Parameters
    ----------
    means : ndarray of shape (k, d)
        Noisy.
    weights : ndarray of shape (k,)
        Of sum 1.
    noise : ndarray of shape (k,)
        Noise variance of one coordinate of each mean.
    counts : ndarray of shape (k,)
        Estimated counts.
    covariance : Spikes
        Of the records about the means.

    Returns
    -------
    means : ndarray of shape (k, d)
    """
    k, d = means.shape
    if k == 1:
        return means
    mean = weights @ means
    gaps = means - mean
    variances, vectors = covariance.values, covariance.vectors
    r = len(variances)
    T = gaps @ vectors
    rest = gaps - T @ vectors.T

    def factor(part, width, variance):
        explained = (k - 1) / k * (width * noise + variance / counts)
        explained = np.maximum(explained, 1e-300)
        trust = (explained.min() / explained) ** 2
        energy = np.sum(trust * (np.sum(part**2, axis=1) - explained))
        prior = max(energy, 0.0) / trust.sum()
        return (prior / (prior + explained))[:, None]

    start, fewest = 0, math.ceil(_FEWEST_IN_BAND / (k - 1))
    while start < r:
        stop = min(r, max(start + fewest, math.ceil(_GROWTH * start)))
        band = T[:, start:stop]
        band *= factor(band, stop - start, variances[start:stop].sum())
        start = stop
    rest *= factor(rest, d - r, (d - r) * covariance.bulk)
    return mean + T @ vectors.T + rest


def shrink_counts(noisy_counts, sd):
    """Turn noisy counts into positive counts, shrunk toward their mean.

    Counts are shrunk toward uniform as far as their spread can be explained by
    noise, and floored at one standard deviation of it, so that no part ends
    with a weight that the noise alone decides.

    Parameters
    ----------
    noisy_counts : ndarray of shape (k,)
        Noisy.
    sd : float
        Noise of one count.

    Returns
    -------
    counts : ndarray of shape (k,)
        At least 1 in total, all positive.
    """
    k = len(noisy_counts)
    mean = max(float(noisy_counts.mean()), 1.0 / k)
    spread = noisy_counts - noisy_counts.mean()
    if k > 1:
        spread = james_stein(spread, sd * np.sqrt((k - 1) / k))
    floor = min(max(sd, _LEAST_COUNT * mean), mean)
    return np.maximum(mean + spread, floor)
