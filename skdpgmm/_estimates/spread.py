"""Where records lie along single features, from noisy histograms of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skdpgmm._estimates.units import Units

# One in how many histograms may show a window that is noise.
_RARE = 300.0
# Share of a window that makes the rest of it noise. Not argued.
_MOST = 0.7
# Bins of absolute values that most records of a feature are in, at most, and where no
# window is clear. Not argued.
_LONGEST, _FALLBACK = 8, 2
# Share of the records that the narrowest window should hold, and half its width in
# standard deviations of a Gaussian. With fewer, a cluster that is small would hide how
# far apart clusters are; with more, so would errors widen it.
_CORE, CORE_SDS = 0.8, 1.2816
# Share of the records that are in a few bins where no others are but errors.
_NEARLY_ALL = 0.93
# Share of the records that are zero, beyond which the others tell the scale.
_MANY_ZEROS = 0.1
# Bins from which on the width of a window can be read off.
_RESOLVED = 4
# Standard deviations to which features are clipped at least, and beyond which records
# are taken for errors. Between, they are clipped where the farthest are seen.
_WIDE, _FARTHEST = 10.0, 1e3
# Share of the records that may be far from where most have one value, so that these are
# taken for all there are, and standard deviations of noise by which that must be clear.
# Not argued: one set, digits on grey, has called for both.
_FEW, _SURE = 0.002, 2.0
# A feature that spreads less beside its size is taken for a constant.
_CONSTANT = 2.0**-24


class Windows(NamedTuple):
    """Runs of bins, one for each histogram.

    Attributes
    ----------
    start, stop : ndarray of int of shape (p,)
        The first bin, and the one after the last.
    found : ndarray of bool of shape (p,)
        Whether there is one; otherwise the two are those of all bins.
    """

    start: np.ndarray
    stop: np.ndarray
    found: np.ndarray


@dataclass
class Features:
    """What is known of single features; arrays of shape (d,).

    Attributes
    ----------
    center, spread : ndarray
        Middle and half width of a window that holds most records.
    half : ndarray
        Half width of the interval to look at next.
    open : ndarray of bool
        Whether it can be known more closely.
    resolved : ndarray of bool
        Whether the window has several bins, so that it is no single value.
    beside : ndarray
        Distance of the farthest records that the first look has seen beside the window.
    largest, above : ndarray
        Absolute values that the largest ones that are seen lie between.
    outside, precision : ndarray
        Sums over looks, in inverse variances of their noise, of the numbers of records
        outside of what was looked at, and of 1.
    seen : list of tuple of ndarray
        Ends of what each histogram has seen.
    """

    center: np.ndarray
    spread: np.ndarray
    half: np.ndarray
    open: np.ndarray
    resolved: np.ndarray
    beside: np.ndarray
    largest: np.ndarray
    above: np.ndarray
    outside: np.ndarray
    precision: np.ndarray
    seen: list[tuple[np.ndarray, np.ndarray]]

    @classmethod
    def between(cls, low, high) -> Features:
        """Return features of which ends are known."""
        half = 0.5 * (high - low)
        beside, largest, above, outside, precision = np.zeros((5, len(low)))
        return cls(
            center=low + half,
            spread=half,
            half=half,
            open=np.ones(len(low), dtype=bool),
            resolved=np.zeros(len(low), dtype=bool),
            beside=beside,
            largest=largest,
            above=above,
            outside=outside,
            precision=precision,
            seen=[(low, high)],
        )


def shortest_windows(noisy_counts, sd, mass, longest=None) -> Windows:
    """Return the shortest runs of bins that seem to hold as many records.

    That of half of the records is Rousseeuw's shorth, which a minority of records
    cannot move, wherever they are.

    Parameters
    ----------
    noisy_counts : ndarray of shape (p, m)
    sd : float
        Noise of one count.
    mass : ndarray of shape (p,)
        Records.
    longest : int, optional
        Most bins of a window; None is all.

    Returns
    -------
    windows : Windows
        What could be noise alone is not one.
    """
    p, m = noisy_counts.shape
    total = _cumulated(noisy_counts)
    # A union bound over Gaussian tails.
    clear = sd * np.sqrt(2.0 * np.log(_RARE * m))
    start, stop = np.zeros(p, dtype=np.intp), np.full(p, m, dtype=np.intp)
    found = np.zeros(p, dtype=bool)
    for length in range(1, min(m, longest or m) + 1):
        sums = total[:, length:] - total[:, :-length]
        best = sums.argmax(axis=1)
        held = np.take_along_axis(sums, best[:, None], axis=1)[:, 0]
        enough = np.maximum(mass, clear * np.sqrt(length))
        new = ~found & (held >= enough) & (held > 0.0)
        start[new], stop[new] = best[new], best[new] + length
        found |= new
    start, stop = _trimmed(noisy_counts, sd, start, stop)
    return Windows(start, stop, found)


def _trimmed(noisy_counts, sd, start, stop):
    """Take bins off both ends that may be noise, where the others hold most of it."""
    place = np.arange(noisy_counts.shape[1])
    inside = (place >= start[:, None]) & (place < stop[:, None])
    seen = inside & seen_bins(noisy_counts, sd)
    held, all_of_it = (
        np.where(some, noisy_counts, 0.0).sum(axis=1) for some in (seen, inside)
    )
    most = seen.any(axis=1) & (held >= _MOST * all_of_it)
    first, last = seen.argmax(axis=1), len(place) - seen[:, ::-1].argmax(axis=1)
    return np.where(most, first, start), np.where(most, last, stop)


def _cumulated(counts):
    return np.concatenate([np.zeros((len(counts), 1)), np.cumsum(counts, axis=1)], 1)


def seen_bins(noisy_counts, sd):
    """Return whether bins have counts that cannot be noise."""
    # A union bound over Gaussian tails, for the bins of a hundred histograms.
    clear = sd * np.sqrt(2.0 * np.log(100.0 * noisy_counts.shape[1]))
    return noisy_counts > max(clear, 0.5)


def of_magnitudes(noisy_counts, sd, n, cuts) -> Features:
    """Return what a histogram of absolute values tells.

    Parameters
    ----------
    noisy_counts : ndarray of shape (d, m + 1)
        The first bin has what is zero, or nearly.
    sd : float
    n : float
        Noisy number of records.
    cuts : ndarray of shape (m,)
        A geometric progression.

    Returns
    -------
    features : Features
    """
    d, ratio = len(noisy_counts), cuts[1] / cuts[0]
    ends = np.append(cuts, cuts[-1] * ratio)
    zeros = np.clip(noisy_counts[:, 0], 0.0, n)
    many = seen_bins(noisy_counts, sd)[:, 0] & (zeros > _MANY_ZEROS * n)
    others = noisy_counts[:, 1:]
    mass = _CORE * np.where(many, n - zeros, n)
    window = shortest_windows(others, sd, mass, _LONGEST)
    nothing = many & ~window.found
    zero, outside, precision, center = np.zeros((4, d))
    stop = np.where(window.found, window.stop, _likeliest(others, window))
    top = np.where(nothing, 0.0, ends[stop])
    bins = np.where(seen_bins(others, sd), ends[1:], 0.0)
    near = np.where(bins <= _FARTHEST * top[:, None], bins, 0.0).max(axis=1)
    return Features(
        center=center,
        # Within the last bin, nobody knows where.
        spread=top / np.sqrt(ratio),
        half=2.0 * top,
        open=window.found & ~many,
        resolved=~window.found | many,
        beside=zero,
        # Beside no clear window they may be as many as those within.
        largest=np.where(window.found, bins.max(axis=1) / ratio, 0.0),
        above=bins.max(axis=1),
        outside=outside,
        precision=precision,
        seen=[(-near, near)],
    )


def _likeliest(noisy_counts, window):
    """Return the ends of the fullest windows, among those of what was found.

    Far from other features, it is noise as a rule: and a feature that is taken for much
    too small is clipped, and so wide beside them, where one that is taken for too large
    is lost and harms no other.
    """
    total = _cumulated(noisy_counts)
    sums = total[:, _FALLBACK:] - total[:, :-_FALLBACK]
    stop = np.arange(_FALLBACK, total.shape[1])
    if window.found.any():
        ends = window.stop[window.found]
        sums = np.where((stop >= ends.min()) & (stop <= ends.max()), sums, -np.inf)
    return stop[sums.argmax(axis=1)]


def look_closer(features, some, noisy_counts, sd, n, cuts):
    """Tell features more of what equal bins of some of them show.

    Parameters
    ----------
    features : Features
        Changed.
    some : ndarray of int of shape (p,)
    noisy_counts : ndarray of shape (p, m + 1)
        The first and the last are of what is outside.
    sd, n : float
    cuts : ndarray of shape (p, m)

    Returns
    -------
    found : ndarray of bool of shape (p,)
        Whether a window stands out of the noise; of others nothing is changed.
    """
    row = np.arange(len(some))
    inner, width = noisy_counts[:, 1:-1], cuts[:, 1] - cuts[:, 0]
    core = shortest_windows(inner, sd, np.full(len(some), _CORE * n))
    narrow = core.found & (core.stop - core.start < _RESOLVED)
    # Where others lie beside a few bins, these are no place to look more closely.
    total = _cumulated(inner)
    first, last = (
        np.maximum(core.start - 1, 0),
        np.minimum(core.stop + 1, inner.shape[1]),
    )
    near = total[row, last] - total[row, first]
    alone = near >= _NEARLY_ALL * n - sd * np.sqrt(last - first)
    wide = shortest_windows(inner, sd, np.full(len(some), _NEARLY_ALL * n))
    others = narrow & ~alone
    start = np.where(others, wide.start, core.start)
    stop = np.where(others, wide.stop, core.stop)
    found = np.where(others, wide.found, core.found)
    middle = 0.5 * (cuts[row, start] + cuts[row, stop])
    # Records lie somewhere in the outer bins, and not at their far ends.
    spread = 0.5 * np.maximum(stop - start - 0.5, 0.5) * width
    bins = seen_bins(inner, sd)
    low = np.where(bins, cuts[:, :-1], middle[:, None]).min(axis=1)
    high = np.where(bins, cuts[:, 1:], middle[:, None]).max(axis=1)
    farthest = np.maximum(high - middle, middle - low)
    features.open[some] = narrow & alone
    features.resolved[some] |= found & (stop - start >= _RESOLVED)
    weight = 0.5 / max(sd, 0.5) ** 2
    features.outside[some] += weight * (noisy_counts[:, 0] + noisy_counts[:, -1])
    features.precision[some] += weight
    some, half = some[found], 0.5 * (stop - start) * width
    first = (features.beside[some] == 0.0) & (farthest > half + 1.5 * width)[found]
    features.beside[some[first]] = farthest[found][first]
    features.center[some], features.spread[some] = middle[found], spread[found]
    features.half[some] = (half + width)[found]
    ends = np.zeros((2, len(features.center)))
    ends[:, some] = low[found], high[found]
    features.seen.append((ends[0], ends[1]))
    points = features.spread <= _CONSTANT * np.abs(features.center)
    features.open &= ~points
    return found


def units_of(features, n) -> Units:
    """Return units in which features spread alike, those of a Gaussian by about 1.

    Where most records have one value, the others tell the scale, if there are such,
    however far off they are.
    """
    center, scale = features.center.copy(), features.spread / CORE_SDS
    size = np.abs(center)
    point = features.open | (scale <= _CONSTANT * size)
    far = point & (features.beside == 0.0) & (features.largest > size)
    others = np.where(far, np.sqrt(features.largest * features.above), features.beside)
    scale = np.where(point, np.maximum(0.5 * others, scale), scale)
    # Where most records have one value, and nobody sees where others are, a few may
    # still differ, by no more than in other features as a rule.
    lone = ~features.resolved & (others == 0.0)
    known = scale[~lone & (scale > 0.0)]
    middle = np.median(known) if len(known) else 1.0
    most = features.outside + _SURE * np.sqrt(features.precision)
    is_near = (size > 0.0) & (most < _FEW * n * features.precision)
    unknown = np.where(is_near, np.minimum(size, middle), middle)
    scale = np.where(lone, np.maximum(scale, unknown), scale)
    scale = np.where(scale > _CONSTANT * size, scale, unknown)
    low, high = center - _WIDE * scale, center + _WIDE * scale
    ends = np.where(far, features.above, 0.0)
    for first, last in [*features.seen, (-ends, ends)]:
        near = np.maximum(last - center, center - first) <= _FARTHEST * scale
        low = np.where(near, np.minimum(low, first), low)
        high = np.where(near, np.maximum(high, last), high)
    limits = (low - center) / scale, (high - center) / scale
    return Units(center, scale, *limits, np.zeros_like(scale), 0.0 * scale + _FARTHEST)
