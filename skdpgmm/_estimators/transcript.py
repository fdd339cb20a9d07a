"""What a fit was told: all that its result is a function of, beside its parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._rows.recorded import packed
from skdpgmm.privacy.bounded_sum import parts


class Told(NamedTuple):
    """One release: its name, and the numbers of each part, `recorded.packed`."""

    name: str
    numbers: tuple[np.ndarray, ...]


class Transcript(NamedTuple):
    """The releases of a fit, and what else of it is public.

    Attributes
    ----------
    n_features : int
    classes : ndarray or None
    dtype : dtype
        Float type of the rows.
    enforced : bool
        Whether ids of persons enforced `max_contributions`.
    public_key : int
        That of the generator of public randomness. It leads to nothing else: it is a
        hash of what `random_state` gives, or of the operating system.
    releases : tuple of Told
        In order.
    in_frame : bool
        Whether the rows came in a data frame, whose names and types are public.
    """

    n_features: int
    classes: np.ndarray | None
    dtype: Any
    enforced: bool
    public_key: int
    releases: tuple[Told, ...]
    in_frame: bool = False


def noting(records, told: list[Told]) -> Any:
    """Return records whose releases are noted in a list."""

    def release(name, query, mus):
        released = records.release(name, query, mus)
        both = zip(parts(query), released, strict=True)
        told.append(Told(name, tuple(packed(part, one.value) for part, one in both)))
        return released

    return SimpleNamespace(release=release, holding=records.holding)
