"""A radius from a noisy histogram."""

from __future__ import annotations

import math

import numpy as np

# Bins that are looked at together. Not argued.
_WIDTHS = (1, 2, 4, 8)
# One in how many histograms of pure noise may show a bin that is clear.
_RARE = 1e4
# Standard deviations that make a tail, next to what is clear. Not argued.
_TAIL = 2.0
# Bins next to what is clear that are kept for a margin. Not argued.
_MARGIN = 2


def noisy_quantile(noisy_counts, sd, edges, q, few=math.inf):
    """Return an edge under which at least a fraction `q` of the records seems to lie.

    1. Bins are clear that cannot be noise, alone or several together.
    2. A tail is added above them while the next bins hold more than is likely as noise:
       a bound that is too wide costs a little noise, one that is too narrow the tail.
    3. A margin is added on both sides. All other bins count as empty.
    4. The edge is the smallest above which too many seem to be no more, noise included.

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
    # A union bound over Gaussian tails.
    threshold = np.sqrt(2.0 * np.log(_RARE * len(_WIDTHS) * n_bins))
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
    margin = 0 if sd == 0.0 else _MARGIN
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
