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
from skdpgmm._algorithms.budget import SCALE
from skdpgmm._algorithms.doubts import doubt
from skdpgmm._algorithms.looks import number_and_norms
from skdpgmm._estimates.spread import Features, look_closer, of_magnitudes, units_of
from skdpgmm._queries.histograms import FeatureHistogram
from skdpgmm.privacy.report import Decision

# Absolute values from 2**-128 to 2**128 are told apart.
_LOG2_RANGE = 128
# Looks at equal bins, at most: an offset of a million standard deviations needs four.
MOST_LOOKS = 5
# Share of a part of the budget 's mu that is spent on it at least. Not argued.
_LEAST = 0.1
_NOT_SEEN = (
    "The scales of the features cannot be told from noise of standard deviation "
    "{sd:.3g} in each bin of their histograms, so that one radius is taken for all, in "
    "which small ones drown. Give bounds if they are public, scale=None if all "
    "features have one scale, a larger epsilon, or more records."
)


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
    features = look_at_features(view, budgets, np.sqrt(3.0) * counts.sd)
    if features is None:
        return FoundScale(view, on_sphere)
    units = units_of(features)
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


def look_at_features(view, budgets, noise_of_n) -> Features | None:
    """Return where features lie, or None where the noise hides most of them.

    Parameters
    ----------
    view : View
        Of the records as they are, of known number.
    budgets : dict of str to Budget
        For "magnitudes", a first "look", and all other "looks"; what is not needed is
        not spent.
    noise_of_n : float
        Standard deviation of the noise in that number.

    Returns
    -------
    features : Features or None
    """
    d, n = view.n_features, view.n
    budget = budgets["magnitudes"]
    sd = np.sqrt(d) / budget.mu
    # As many records as there are, or somewhat fewer.
    if not scale_plan.is_seen(n - noise_of_n, d, budget.mu):
        doubt(_NOT_SEEN.format(sd=sd))
        because = {"noisy_n": n, "n_features": d, "noise_of_a_bin": float(sd)}
        view.decide(scale_plan.of_one_scale("noise", because))
        return None
    budget = budget.no_more_than(
        max(scale_plan.budget_of_magnitudes(n, d), _LEAST * budget.mu)
    )
    octaves = scale_plan.octaves_of_a_bin(d)
    cuts = 2.0 ** np.arange(-_LOG2_RANGE, _LOG2_RANGE + 1, octaves)
    query = FeatureHistogram(np.arange(d), np.tile(cuts, (d, 1)), True)
    counts, sd = _histograms(view, "scale magnitudes", query, budget)
    features = of_magnitudes(counts, sd, n, cuts)
    later = budgets["looks"].each(MOST_LOOKS - 1)
    for look in range(MOST_LOOKS):
        if not features.open.any():
            break
        _look(view, features, later if look else budgets["look"], look)
    return features


def _look(view, features, budget, look):
    """Look once more at the features that are open, in equal bins."""
    (some,) = np.nonzero(features.open)
    p = len(some)
    n_bins = scale_plan.bins_of_a_look(view.n, p, budget.mu)
    if n_bins is None:
        features.open[:] = False
        return
    enough = scale_plan.budget_of_a_look(view.n, p, n_bins)
    budget = budget.no_more_than(max(enough, _LEAST * budget.mu))
    steps = np.linspace(-1.0, 1.0, n_bins + 1)
    cuts = features.center[some, None] + features.half[some, None] * steps
    query = FeatureHistogram(some, cuts)
    counts, sd = _histograms(view, f"scale look {look + 1}", query, budget)
    look_closer(features, some, counts, sd, view.n, cuts)


def _histograms(view, name, query, budget):
    """Release a histogram of each feature, and the noise of a bin."""
    (release,) = view.release(name, query, [budget])
    return release.value.reshape(len(query.columns), -1), float(release.sd)
