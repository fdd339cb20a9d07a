"""Estimates from noisy moments: every input is released or public.

Each estimate is shrunk by its own, known, noise: `sd` is always the public
standard deviation of the noise in the entries of the first argument.
"""

from __future__ import annotations

import math

import numpy as np

# Bins that are looked at together, and standard deviations that make a tail.
_WIDTHS = (1, 2, 4, 8)
_TAIL = 2.0


def noisy_quantile(noisy_counts, sd, edges, q, few=math.inf):
    """Return an edge under which at least a fraction `q` of the records seems to lie.

    Bins that cannot be told from noise are left out, but for a margin next to
    those that can. A thin tail that no bin shows may show in several together, and
    next to what is clear less evidence will do: a bound that is too wide costs a
    little noise, one that is too narrow costs the tail. For the same reason the edge
    is as small as the noise in the count above it allows.

    Parameters
    ----------
    noisy_counts : ndarray of shape (len(edges) + 1,)
        The last bin holds everything above the last edge.
    sd : float
        Noise of one count.
    edges : ndarray
        Increasing.
    q : float in (0, 1]
        Fraction.
    few : float
        Records that may be above the edge, where that is less than the fraction says.

    Returns
    -------
    edge : float or None
        None when nothing stands out of the noise.
    """
    n_bins = len(noisy_counts)
    # A histogram of pure noise passes with probability below 1e-4 (union bound over
    # Gaussian tails).
    threshold = np.sqrt(2.0 * np.log(1e4 * len(_WIDTHS) * n_bins))
    clear = np.zeros(n_bins, dtype=bool)
    total = np.concatenate([[0.0], np.cumsum(noisy_counts)])
    for width in _WIDTHS:
        if width > n_bins:
            break
        windows = np.lib.stride_tricks.sliding_window_view(clear, width)
        sums = total[width:] - total[:-width]
        high = max(sd * np.sqrt(width) * threshold, 0.5)
        for start in np.flatnonzero((sums > high) & ~windows.any(axis=1)):
            clear[start : start + width] = True
    if not clear.any():
        return None
    margin = 0 if sd == 0.0 else 2
    shown = np.flatnonzero(clear)
    first = max(shown[0] - margin, 0)
    last = min(_end_of_tail(total, sd, int(shown[-1])) + margin, n_bins - 1)
    counts = noisy_counts[first : last + 1]
    # Summed from the top: the last bin has nothing above, whatever the rounding.
    above = np.append(np.cumsum(counts[:0:-1])[::-1], 0.0)
    doubt = sd * np.sqrt(np.arange(len(counts))[::-1])
    allowed = min((1.0 - q) * max(float(counts.sum()), 0.0), few)
    position = first + int(np.argmax(above + doubt <= allowed))
    return float(edges[min(position, len(edges) - 1)])


def _end_of_tail(total, sd, last):
    """Return the last bin of a tail that starts above the bin `last`."""
    n_bins = len(total) - 1
    found = True
    while found:
        found = False
        for width in (*_WIDTHS, 2 * _WIDTHS[-1]):
            end = min(last + width, n_bins - 1)
            # Noise alone must not lead far: a false step of 16 bins is a factor of 256.
            evidence = _TAIL * sd * max(math.sqrt(width), width / 2.0)
            if total[end + 1] - total[last + 1] > evidence:
                last, found = end, True
                break
    return last


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


def shrink_between(means, weights, noise, counts, covariance):
    """Shrink differences of means along each principal direction by its own noise.

    Noise is as large in every direction, but in directions of small variance it
    counts for more: left alone, it separates the components of a mixture by
    differences that are not there. Neighbouring directions share one empirical
    Bayes factor ``1 - noise / energy``; a band has enough of them for its energy
    to be known. The bulk, of which all directions are alike, is one band. The noise
    is that of the release plus that of a sample mean.

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
    middle = weights @ means
    gaps = means - middle
    variances, vectors = covariance.values, covariance.vectors
    r = len(variances)
    T = gaps @ vectors
    rest = gaps - T @ vectors.T

    def factor(part, width, variance):
        explained = (k - 1) / k * np.sum(width * noise + variance / counts)
        return 1.0 - explained / max(np.sum(part**2), explained, 1e-300)

    start = 0
    while start < r:
        stop = min(r, max(start + math.ceil(8 / (k - 1)), math.ceil(1.25 * start)))
        band = T[:, start:stop]
        band *= factor(band, stop - start, variances[start:stop].sum())
        start = stop
    rest *= factor(rest, d - r, (d - r) * covariance.bulk)
    return middle + T @ vectors.T + rest


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
    floor = min(max(sd, 1e-3 * mean), mean)
    return np.maximum(mean + spread, floor)
