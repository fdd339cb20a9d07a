"""Where single features lie, and how wide they spread: found privately, if it pays.

One histogram of absolute values over powers of two tells how large each feature is;
a few more of equal bins, each where the last one has found most records, tell where it
lies and how wide it is. A record is in one bin of each feature, so that the noise grows
with the root of their number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skdpgmm._algorithms import choices, scale_plan
from skdpgmm._algorithms.budget import NEXT_LOOK, SCALE, SCALER
from skdpgmm._algorithms.doubts import doubt
from skdpgmm._algorithms.looks import number_and_norms
from skdpgmm._estimates.spread import Features, look_closer, of_magnitudes, units_of
from skdpgmm._queries.histograms import FeatureHistogram
from skdpgmm.privacy.quality import Quality
from skdpgmm.privacy.report import Decision

# Absolute values from 2**-128 to 2**128 are told apart.
_LOG2_RANGE = 128
# Looks at equal bins, at most: an offset of a million standard deviations needs four of
# 128 bins, and ten of 8.
MOST_LOOKS = 10
# Share of a part of the budget 's mu that is spent on it at least. Not argued.
_LEAST = 0.1
# Scales about the centre that the last look of a scaler covers. Not argued.
_LAST = 5.0
_NOT_SEEN = (
    "The scales of the features cannot be told from noise of standard deviation "
    "{sd:.3g} in each bin of their histograms, so that {then}. Give bounds if they are "
    "public, a larger epsilon, or more records."
)
_LOST = (
    "The scales of {n} of {d} features cannot be told from noise, and are what a first "
    "look has shown. Give bounds if they are public, a larger epsilon, or more records."
)
_AS_THEY_ARE = "features are left as they are: beside large ones, small ones drown"


class FoundScale(NamedTuple):
    """What a search for scales has come to.

    Attributes
    ----------
    view : View
        In units where these pay; of known number, if anything was looked at.
    on_sphere : Decision or None
        Whether all records have norm 1; None where it was not looked at.
    """

    view: Any
    on_sphere: Decision | None


def find_scale(view, budget, columns=True) -> FoundScale:
    """Find units of the features, and use them where that pays.

    Parameters
    ----------
    view : View
        Of the records as they are.
    budget : Budget
        The whole, of which a small part is spent.
    columns : bool
        Whether each feature may get a scale of its own; otherwise it gets limits.

    Returns
    -------
    found : FoundScale
    """
    d = view.n_features
    if d > scale_plan.MOST_FEATURES:
        because = {"n_features": d}
        view.decide(scale_plan.of_one_scale("many features", because))
        return FoundScale(view, None)
    budgets = budget.split(SCALE)
    view, counts = number_and_norms(view, budgets["number"])
    on_sphere = choices.normalize(counts.value[1], counts.sd, view.n)
    if on_sphere.value:
        because = {"noisy_n": view.n, "n_features": d}
        view.decide(scale_plan.of_one_scale("unit norms", because))
        return FoundScale(view, on_sphere)
    features = _magnitudes(view, budgets["magnitudes"], np.sqrt(3.0) * counts.sd)
    if features is None:
        return FoundScale(view, on_sphere)
    _look_closer(view, features, budgets)
    if not features.spread.any():
        because = {"noisy_n": view.n, "n_features": d}
        view.decide(scale_plan.of_one_scale("no spread", because))
        return FoundScale(view, on_sphere)
    units = units_of(features, view.n)
    errors = features.largest > np.abs(units.limits).max(axis=0)
    pays = scale_plan.pays(
        view.n,
        units.scale[features.spread > 0.0],
        units.center[features.spread > 0.0],
        int(np.count_nonzero(errors)),
        columns,
    )
    if view.decide(pays) != "one radius":
        view = view.measured_in(units if columns else units.clipped_only())
    return FoundScale(view, on_sphere)


def find_center_and_scale(view, budget, left, known):
    """Return the centre and the scale of each feature, for the whole budget.

    Parameters
    ----------
    view : View
        Of the records as they are.
    budget : Budget
        The whole.
    left : callable
        Returns what is left of it.
    known : pair of ndarray of shape (d,), or None
        Public ends of the features.

    Returns
    -------
    center, scale : ndarray of shape (d,)
        0 and 1 where noise hides them.
    """
    d, budgets = view.n_features, budget.split(SCALER)
    view, counts = number_and_norms(view, budgets["number"])
    view.decide(scale_plan.of_each_feature(view.n, d))
    if known is None:
        noise_of_n = np.sqrt(3.0) * counts.sd
        features = _magnitudes(view, budgets["magnitudes"], noise_of_n)
    else:
        features = Features.between(*known)
    found = features is not None
    if features is None:
        features = Features.between(-np.ones(d), np.ones(d))
    else:
        _look_closer(view, features, budgets)
    units = units_of(features, view.n)
    features.center, features.half = units.center, _LAST * units.scale
    everything, budget = np.arange(d), left()
    n_bins = scale_plan.bins_of_a_look(view.n, d, budget.mu)
    shown = n_bins or scale_plan.FEWEST_BINS
    seen = _look(view, features, everything, shown, budget, MOST_LOOKS + 1)
    hidden = features.open
    if not found or n_bins is None:
        if found:
            doubt(_NOT_SEEN.format(sd=np.sqrt(d) / budget.mu, then=_AS_THEY_ARE))
        view.note(Quality("feature", words={"scale": ("noise",) * d}))
        return np.zeros(d), np.ones(d)
    if n_lost := int(np.count_nonzero(~seen)):
        doubt(_LOST.format(n=n_lost, d=d))
    words = np.where(seen, np.where(hidden, "weak", "clear"), "noise")
    view.note(Quality("feature", words={"scale": tuple(words.tolist())}))
    closer = units_of(features, view.n)
    center = np.where(hidden, units.center, closer.center)
    return center, np.where(hidden, units.scale, closer.scale)


def _magnitudes(view, budget, noise_of_n) -> Features | None:
    """Look at absolute values of all features; None where the noise hides them."""
    d, n = view.n_features, view.n
    sd = np.sqrt(d) / budget.mu
    # As many records as there are, or somewhat fewer.
    if not scale_plan.is_seen(n - noise_of_n, d, budget.mu):
        doubt(_NOT_SEEN.format(sd=sd, then=_AS_THEY_ARE))
        because = {"noisy_n": n, "n_features": d, "noise_of_a_bin": float(sd)}
        view.decide(scale_plan.of_one_scale("noise", because))
        return None
    budget = _enough(budget, scale_plan.budget_of_magnitudes(n, d))
    octaves = scale_plan.octaves_of_a_bin(d)
    cuts = 2.0 ** np.arange(-_LOG2_RANGE, _LOG2_RANGE + 1, octaves)
    query = FeatureHistogram(np.arange(d), np.tile(cuts, (d, 1)), True)
    counts, sd = _histograms(view, "scale magnitudes", query, budget)
    return of_magnitudes(counts, sd, n, cuts)


def _look_closer(view, features, budgets):
    """Look at equal bins of the features that are not resolved yet, again and again."""
    left = budgets["looks"]
    for look in range(MOST_LOOKS):
        (some,) = np.nonzero(features.open)
        budget = left.split(NEXT_LOOK)["next"] if look else budgets["look"]
        n_bins = len(some) and scale_plan.bins_of_a_look(view.n, len(some), budget.mu)
        if not n_bins:
            break
        enough = scale_plan.budget_of_a_look(view.n, len(some), n_bins)
        budget = _enough(budget, enough)
        _look(view, features, some, n_bins, budget, look + 1)
        if look:
            left = left.less(budget)


def _look(view, features, some, n_bins, budget, name):
    """Look at equal bins of some features; return for which the noise hides nothing."""
    steps = np.linspace(-1.0, 1.0, n_bins + 1)
    cuts = features.center[some, None] + features.half[some, None] * steps
    query = FeatureHistogram(some, cuts)
    counts, sd = _histograms(view, f"scale look {name}", query, budget)
    return look_closer(features, some, counts, sd, view.n, cuts)


def _enough(budget, mu):
    """Return what a release needs of a budget."""
    return budget.no_more_than(max(mu, _LEAST * budget.mu))


def _histograms(view, name, query, budget):
    """Release a histogram of each feature, and the noise of a bin."""
    (release,) = view.release(name, query, [budget])
    return release.value.reshape(len(query.columns), -1), float(release.sd)
