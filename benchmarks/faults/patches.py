"""Realistic faults of privacy, each a small change of one file, and where to look.

Tests are those of one that should notice; audits are those of `checks.AUDITS`.
"""

from typing import NamedTuple

PCA = ("pca",)


class Fault(NamedTuple):
    """One change of the package that takes its privacy away, or a part of it.

    Attributes
    ----------
    name : str
    path : str
        Of the file, in the package.
    old, new : str
        The text that is changed; it occurs once.
    tests : tuple of str
        Arguments of pytest, in the folder `tests`.
    audits : tuple of str
        Audits that may see it; none where it changes nothing of a fit in use.
    """

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]
    audits: tuple[str, ...] = PCA
