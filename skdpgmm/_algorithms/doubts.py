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
# Share of the mean count below which a class is rare. Not argued.
_RARE = 0.5
_AT_RANDOM = (
    "labels may be as good as drawn at random, and what is trained on synthetic rows "
    "then agrees with them only, not with the records. A larger epsilon, more records "
    "or fewer classes are needed."
)
# Squared length of what is clear, over that of its noise.
_CLEAR_OF_NOISE = CLEAR**2
_NOTED: ContextVar[list[str] | None] = ContextVar("doubts", default=None)
_IMAGINED: ContextVar[bool] = ContextVar("imagined", default=False)


@contextmanager
def collected_doubts(imagined=False):
    """Collect the doubts of a fit in a list, which is yielded.

    Records that are `imagined` are all alike, so that nothing is said then of what they
    differ in.
    """
    noted: list[str] = []
    tokens = _NOTED.set(noted), _IMAGINED.set(imagined)
    try:
        yield noted
    finally:
        _NOTED.reset(tokens[0])
        _IMAGINED.reset(tokens[1])


def doubt(message):
    """Note, once, what a release cannot tell from noise."""
    noted = _NOTED.get()
    if noted is not None and message not in noted:
        noted.append(message)


def words_of(signal, noise, spread):
    """Return whether squared lengths stand out of their noise: a word for each.

    "noise" is what noise alone may have made, "clear" what is `CLEAR` times as long as
    its noise at least, and "weak" what is between.

    Parameters
    ----------
    signal : ndarray of shape (n,)
        Released squared lengths, less those that the noise has on average.
    noise : ndarray of shape (n,)
        Squared lengths that the noise has on average; of 0 all is clear.
    spread : ndarray of shape (n,)
        Standard deviations of the squared lengths of noise alone.

    Returns
    -------
    words : list of str
    """
    numbers = np.broadcast_arrays(signal, noise, spread)
    return [_word(*of_one) for of_one in zip(*map(np.ravel, numbers), strict=True)]


def _word(signal, noise, spread):
    if noise == 0.0 or signal >= max(_CLEAR_OF_NOISE * noise, CLEAR * spread):
        return "clear"
    return "weak" if signal >= CLEAR * spread else "noise"


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
    if np.all(sd):
        squares = float(np.sum((numbers / sd) ** 2))
        doubt_signal(squares - n_free, n_free, math.sqrt(2.0 * n_free), what)


def doubt_signal(signal, noise, spread, what):
    """Note when squared lengths, all together, are no more than noise has made.

    Parameters
    ----------
    signal, noise, spread : ndarray or float
        As for `words_of`.
    what : str
        What they are of, for the message.
    """
    both = np.sum(signal), np.sum(noise), np.sqrt(np.sum(np.square(spread)))
    if not _IMAGINED.get() and words_of(*both) == ["noise"]:
        doubt(f"{what} cannot be told from noise: {_AT_RANDOM}")


def doubt_clusters(n_lost, n_classes, sd):
    """Note how many classes have clusters that are mostly noise."""
    doubt(
        f"Of {n_lost} of {n_classes} classes most clusters have counts that cannot be "
        f"told from noise of standard deviation {sd:.3g}: where the rows of these "
        "classes lie is partly noise. Ask for n_components=1, for a larger epsilon, or "
        "give more records of these classes."
    )


def doubt_rare(lost, counts):
    """Note how many classes are rare, and lost in the noise.

    Of classes that are as frequent as others, it is asked for all together: what tells
    one of them from noise may be too little for this, and enough to be of use.

    Parameters
    ----------
    lost : ndarray of bool of shape (n_classes,)
        Whether a class cannot be told from noise.
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records.
    """
    n_lost = int(np.count_nonzero(lost & (counts < _RARE * counts.mean())))
    if n_lost:
        doubt(
            f"{n_lost} of {len(counts)} classes have so few records that they cannot "
            "be told from noise: nor can rows and predictions of them. A larger "
            "epsilon or more records of these classes are needed."
        )


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
