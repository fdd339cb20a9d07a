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


def noisy_quantile(noisy_counts, sd, edges, q):
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
    allowed = (1.0 - q) * max(float(counts.sum()), 0.0)
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


def shrink_between(means, weights, noise, counts, variances, vectors):
    """Shrink differences of means along each principal direction by its own noise.

    Noise is as large in every direction, but in directions of small variance it
    counts for more: left alone, it separates the components of a mixture by
    differences that are not there. Neighbouring directions share one empirical
    Bayes factor ``1 - noise / energy``; a band has enough of them for its energy
    to be known. The noise is that of the release plus that of a sample mean.

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
    variances : ndarray of shape (d,)
        Variances along the principal directions, descending.
    vectors : ndarray of shape (d, d)
        Principal directions, as columns.

    Returns
    -------
    means : ndarray of shape (k, d)
    """
    k, d = means.shape
    if k == 1:
        return means
    middle = weights @ means
    T = (means - middle) @ vectors
    expected = noise[:, None] + variances[None, :] / counts[:, None]
    start = 0
    while start < d:
        stop = min(d, max(start + math.ceil(8 / (k - 1)), math.ceil(1.25 * start)))
        energy = np.sum(T[:, start:stop] ** 2)
        explained = (k - 1) / k * np.sum(expected[:, start:stop])
        T[:, start:stop] *= 1.0 - explained / max(energy, explained, 1e-300)
        start = stop
    return middle + T @ vectors.T


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


def floor_spectrum(values, floor):
    """Raise eigenvalues to `floor`, keeping their sum where that is possible."""
    raised = np.maximum(values, floor)
    target = max(float(values.sum()), floor * len(values))
    free = raised - floor
    total = free.sum()
    return floor + (free * ((target - floor * len(values)) / total) if total else free)


def spiked_covariance(scatter, sd, floor):
    """Estimate a covariance from a symmetric matrix under isometric noise.

    The noise alone has the spectral edge ``2 tau sqrt(d)``, tau its standard
    deviation off the diagonal. Eigenvalues that do not clear it carry nothing
    and share the rest of the trace, the bulk; those that do are shrunk to
    ``bulk + sqrt((lambda - bulk)**2 - edge**2)``, which in the spiked Wigner
    model is the least squares estimate in the Frobenius norm: it allows for the
    tilt of the noisy eigenvectors as well as for the inflated eigenvalues.

    Parameters
    ----------
    scatter : ndarray of shape (d, d)
        Second moment plus noise.
    sd : float
        Noise on the diagonal; off it, smaller by sqrt(2).
    floor : float
        Smallest eigenvalue allowed, positive.

    Returns
    -------
    values : ndarray of shape (d,)
        At least `floor`, descending.
    vectors : ndarray of shape (d, d)
        Orthonormal columns.
    """
    d = len(scatter)
    values, vectors = np.linalg.eigh(scatter)
    values, vectors = values[::-1], vectors[:, ::-1]
    edge = 2.0 * sd * np.sqrt(d / 2.0)
    trace = max(float(values.sum()), d * floor)
    bulk, n_top, top = 0.0, 0, values[:0]
    for _ in range(30):
        above = values - bulk
        n_top = int(np.count_nonzero(above > max(edge, 0.0)))
        theta = above[:n_top]
        top = bulk + np.sqrt(np.maximum(theta**2 - edge**2, 0.0))
        rest = (trace - top.sum()) / max(d - n_top, 1)
        new_bulk = max(rest, floor)
        if abs(new_bulk - bulk) <= 1e-9 * trace:
            break
        bulk = new_bulk
    shrunk = np.full(d, max(bulk, floor))
    shrunk[:n_top] = np.maximum(top, floor)
    return shrunk, vectors


def spiked_deviation(scatter, sd):
    """Estimate a symmetric matrix of any sign under isometric noise.

    As `spiked_covariance`, about the mean of all eigenvalues, on both sides of it.

    Parameters
    ----------
    scatter : ndarray of shape (d, d)
        Symmetric, with noise.
    sd : float
        Noise on the diagonal; off it, smaller by sqrt(2).

    Returns
    -------
    middle : float
        The mean of the eigenvalues.
    gaps : ndarray of shape (d,)
        Differences from it; zero where the noise hides them.
    vectors : ndarray of shape (d, d)
        Orthonormal columns.
    """
    values, vectors = np.linalg.eigh(scatter)
    middle = float(values.mean())
    gaps = values - middle
    edge = 2.0 * sd * np.sqrt(len(values) / 2.0)
    shrunk = np.sign(gaps) * np.sqrt(np.maximum(gaps**2 - edge**2, 0.0))
    return middle, shrunk, vectors
