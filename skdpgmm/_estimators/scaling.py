"""Records in units of their features: of public bounds, or found privately."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_array

from skdpgmm._algorithms.scale import find_scale
from skdpgmm._estimates.units import Units
from skdpgmm._estimators.limits import check_size
from skdpgmm._rows.array_api import as_numpy
from skdpgmm._rows.plain import plain


class InUnits(NamedTuple):
    """What an algorithm starts from.

    Attributes
    ----------
    view : View
    given : Given
        In the units of the view.
    clip_norm : float or "auto"
        Radius in these units; a public one where bounds imply it.
    budget : Budget
        What is left.
    on_sphere : Decision or None
        Whether all records have norm 1; None where it was not looked at.
    """

    view: Any
    given: Any
    clip_norm: float | str
    budget: Any
    on_sphere: Any = None


def in_units(estimator, session, given, columns=True) -> InUnits:
    """Return the records in the units that the parameters of an estimator ask for.

    A public radius is one for all features: with it, bounds are limits only.

    Parameters
    ----------
    estimator : estimator
        With `clip_norm` and `bounds`, and with `scale` where that is a parameter.
    session : Session
    given : Given
    columns : bool
        Whether each feature may get a scale of its own; otherwise it gets limits.

    Returns
    -------
    start : InUnits
    """
    view, clip_norm = session.view(given.n_features), estimator.clip_norm
    budget = session.budget
    columns, on_sphere = columns and clip_norm == "auto", None
    if given.bounds is not None:
        units = (Units.between if columns else Units.clipping)(*given.bounds)
        if columns:
            clip_norm = math.sqrt(given.n_features)
        view = view.measured_in(units)
    elif _looks_for_scales(estimator):
        view, on_sphere = find_scale(view, budget, columns)
        budget = session.left()
    return InUnits(view, given.in_units(view.units), clip_norm, budget, on_sphere)


def _looks_for_scales(estimator):
    # On the unit sphere, which the caller vouches for, there is one.
    on_sphere = getattr(estimator, "normalize", None) is True
    asked = getattr(estimator, "scale", None) is not None
    return asked and estimator.clip_norm == "auto" and not on_sphere


def checked_bounds(bounds, n_features):
    """Return public bounds as two arrays, None without, or say what is wrong."""
    if bounds is None:
        return None
    pair = as_numpy(plain(bounds, "bounds"))
    if len(pair) != 2:
        raise ValueError(
            "bounds must be a pair (low, high), of numbers or of arrays of shape "
            f"({n_features},), got {len(pair)} of them."
        )
    ends = []
    for name, end in zip(("low", "high"), pair, strict=True):
        try:
            end = check_array(
                np.atleast_1d(as_numpy(end)), ensure_2d=False, dtype=np.float64
            )
        except (TypeError, ValueError) as error:
            raise ValueError(f"The {name} end of bounds is wrong: {error}") from error
        if end.shape not in ((1,), (n_features,)):
            raise ValueError(
                f"The {name} end of bounds must be a number or have shape "
                f"({n_features},), one entry for each feature, got {end.shape}."
            )
        check_size("bounds", end)
        ends.append(np.broadcast_to(end, (n_features,)).copy())
    low, high = ends
    if not (low < high).all():
        j = int(np.argmin(low < high))
        raise ValueError(
            "bounds must have low ends below the high ones, got "
            f"{low[j]:g} and {high[j]:g} for feature {j}."
        )
    return low, high
