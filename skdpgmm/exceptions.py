"""Warnings of the package, each a class of its own so that it can be filtered."""

__all__ = [
    "NoiseDominatedWarning",
    "PrivacyLeakWarning",
    "SeededNoiseWarning",
    "UnenforcedContributionsWarning",
]


class NoiseDominatedWarning(UserWarning):
    """What was released, or a part of it, cannot be told from noise.

    It is decided from releases and public inputs only, so that the warning itself
    costs nothing.
    """


class PrivacyLeakWarning(UserWarning):
    """A step of a pipeline learns from private rows, or may, and does not pay."""


class SeededNoiseWarning(UserWarning):
    """A fit with an int as `random_state` is reproducible, and so not private.

    An int seed has 32 bits: whoever tries all seeds can take the noise away.
    """


class UnenforcedContributionsWarning(UserWarning):
    """`max_contributions` was set, but no privacy ids came to enforce it."""
