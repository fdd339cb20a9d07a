"""What could not be told from noise, said when the fit is over.

Algorithms note it where they see it, from releases and public quantities, and
`private_fit` warns of it when the estimator is fitted: a warning on the way would throw
away what was paid for where warnings are errors.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

# Standard deviations by which what is not noise stands out of it.
CLEAR = 3.0
# Records of a class over noise: heads of fewer were little better than chance, and of
# twice as many nearly as good as without noise.
_ENOUGH = 8.0
_AT_RANDOM = (
    "labels may be as good as drawn at random, and what is trained on synthetic rows "
    "then agrees with them only, not with the records. A larger epsilon, more records "
    "or fewer classes are needed."
)
_NOTED: ContextVar[list[str] | None] = ContextVar("doubts", default=None)


@contextmanager
def collected_doubts():
    """Collect the doubts of a fit in a list, which is yielded."""
    noted: list[str] = []
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def doubt(message):
    """Note, once, what a release cannot tell from noise."""
    noted = _NOTED.get()
    if noted is not None and message not in noted:
        noted.append(message)


def doubt_counts(noisy_counts, sd, what, share=0.0):
    """Note how many parts have counts that may be noise, if more than a share."""
    n_weak = int(np.count_nonzero(noisy_counts < CLEAR * sd))
    if n_weak > share * len(noisy_counts):
        doubt(
            f"{n_weak} of {len(noisy_counts)} {what} have counts that cannot be told "
            f"from noise of standard deviation {sd:.3g}: where they lie is mostly "
            "noise. Ask for fewer, for a larger epsilon, or give more records."
        )


def doubt_differences(numbers, sd, n_free, what):
    """Note when numbers are no larger than their noise.

    Parameters
    ----------
    numbers : ndarray
        Noisy.
    sd : ndarray broadcastable to `numbers`, or float
        Their noise; of 0 there is no doubt.
    n_free : int
        How many of them are free.
    what : str
        What they are, for the message.
    """
    if not np.all(sd):
        return
    if np.sum((numbers / sd) ** 2) < n_free + CLEAR * math.sqrt(2.0 * n_free):
        doubt(f"{what} cannot be told from noise: {_AT_RANDOM}")


def doubt_classes(n_each, mu):
    """Note when the records of a class are too few for a softmax head.

    All steps together have noise as large as `1 / mu` records, which are at their best
    when they all say the same; what tells classes apart is a small part of them.
    """
    if n_each * mu < _ENOUGH:
        doubt(
            f"What classes of about {n_each:.3g} records differ in is drowned by noise "
            f"as large as {1.0 / mu:.3g} records: {_AT_RANDOM}"
        )
