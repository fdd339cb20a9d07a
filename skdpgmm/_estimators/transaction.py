"""A fit that happens as a whole or not at all, and says what it spent.

A fit works on a copy of the estimator, whose attributes the estimator gets at once when
all has gone well. Until then nobody sees a half-made one, whether another thread fits,
pickles or clones it meanwhile, or the fit fails.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from sklearn.base import _fit_context
from sklearn.callback import with_callbacks

from skdpgmm._algorithms.doubts import collected_doubts
from skdpgmm.exceptions import NoiseDominatedWarning

_NOTHING = object()
# What a fit keeps on the copy for itself.
_PASSING = ("_account", "_warnings")


F = TypeVar("F", bound=Callable[..., Any])


def private_fit(skip_nested_validation: bool = True) -> Callable[[F], F]:
    """Decorate a method `fit` that releases something.

    The method sets the attributes of the copy that it gets as ``self``. What it
    releases is known to whoever saw it, so that an exception that leaves it after a
    release has the report as ``privacy_``, and tells it in a note.

    Parameters
    ----------
    skip_nested_validation : bool
        As in scikit-learn's own context of a fit.

    Returns
    -------
    decorate : callable
    """

    def decorate(method: F) -> F:
        @with_callbacks
        @_fit_context(prefer_skip_nested_validation=skip_nested_validation)
        @wraps(method)
        def fit(copy, *args, **kwargs):
            task = copy._init_callback_context(max_subtasks=None)
            task.call_on_fit_task_begin(estimator=copy)
            method(copy, *args, **kwargs)
            task.call_on_fit_task_end(estimator=copy)

        @wraps(method)
        def fit_a_copy(self, *args, **kwargs):
            copy = object.__new__(type(self))
            before = dict(vars(self))
            copy.__dict__ = {**before, "_warnings": []}
            try:
                with collected_doubts() as doubts:
                    fit(copy, *args, **kwargs)
            except BaseException as error:
                tell(error, _spent(copy, before), _new("synthesizer_", copy, before))
                raise
            report, to_say = _spent(copy, before), copy._warnings
            to_say += [(text, NoiseDominatedWarning) for text in doubts]
            _hand_over(self, copy, before)
            try:
                for message, category in to_say:
                    warnings.warn(message, category, stacklevel=2)
            except Warning as error:
                tell(error, report)
                raise
            return self

        return cast(F, fit_a_copy)

    return decorate


def warn_at_the_end(copy, message, category):
    """Have `private_fit` warn when the estimator is fitted.

    Where warnings are errors, one on the way would throw away what was paid for.
    """
    copy._warnings.append((message, category))


def _hand_over(estimator, copy, before):
    """Give the estimator what the fit has set, and take what it has deleted."""
    made = {
        name: value
        for name, value in vars(copy).items()
        if before.get(name, _NOTHING) is not value and name not in _PASSING
    }
    gone = before.keys() - vars(copy).keys()
    kept = {name: value for name, value in vars(estimator).items() if name not in gone}
    # In one step: whoever goes through the attributes just now goes on with the old.
    estimator.__dict__ = {**kept, **made}


def _spent(copy, before):
    """Return the report of what the fit has released, or None."""
    if (report := _new("privacy_", copy, before)) is not None:
        return report
    account = vars(copy).get("_account")
    return account.report() if account is not None and account.ledger.entries else None


def _new(name, copy, before):
    """Return an attribute that the fit has set, or None."""
    value = vars(copy).get(name)
    return None if value is before.get(name) else value


def tell(error: Any, report, synthesizer=None):
    """Have an exception say what was spent before it, and keep what that gave."""
    if report is not None:
        error.add_note(f"The fit failed after some releases:\n{report}")
        error.privacy_ = report
    if synthesizer is not None:
        error.add_note("The synthesizer is not lost: `synthesizer_` of this error.")
        error.synthesizer_ = synthesizer
