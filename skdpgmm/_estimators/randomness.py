"""What `random_state` leads to: public randomness, draws of samples, and warnings.

Noise has its own key, of the operating system: only an int seed reaches it, and is
then no secret.
"""

from __future__ import annotations

import sys
import warnings
from numbers import Integral
from pathlib import Path
from types import FrameType

import numpy as np
import sklearn
from randomgen import AESCounter

from skdpgmm.exceptions import SeededNoiseWarning
from skdpgmm.privacy.noise import GaussianSource, derive_key, make_generator

_INSIDE = str(Path(sklearn.__file__).parent), str(Path(__file__).parents[1])


def entropy_of(random_state) -> int | None:
    """Return what a `random_state` gives; None stands for the operating system's.

    ``check_random_state(None)`` would return numpy's global generator, which
    anybody can seed, so None never gets there.
    """
    if random_state is None:
        return None
    if isinstance(random_state, Integral):
        return int(random_state)
    words = random_state.randint(2**32, size=4, dtype=np.uint64)
    return int.from_bytes(words.astype("<u4").tobytes(), "little")


def is_seed(random_state) -> bool:
    """Whether a `random_state` makes the noise reproducible, for tests."""
    return isinstance(random_state, Integral)


def make_keys(entropy: int | None, seeded: bool) -> tuple[GaussianSource, int]:
    """Return the source of the noise and the key of public randomness.

    Both are fresh, of the operating system, without `entropy`; with it, the noise
    follows from it only if `seeded`. The key is public too, and leads to nothing else.
    """
    source = GaussianSource(entropy if seeded else None)
    return source, derive_key(entropy, "public")


def generator_of(key: int) -> np.random.Generator:
    """Return the generator of public randomness that has this key."""
    return np.random.Generator(AESCounter(key=key))


def sampling_generator(random_state) -> np.random.Generator:
    """Return the generator of the draws from a fitted model.

    What it draws is published, and so must not lead back to `random_state`: its key is
    a hash of what that gives.
    """
    return make_generator(entropy_of(random_state), "sampling")


def warn_of_seed(random_state) -> None:
    """Say that a fit is not private when its noise follows from an int."""
    if is_seed(random_state):
        warn(
            f"random_state={random_state} is an int, so that this fit is reproducible "
            "and not private: whoever tries all seeds can take the noise away. Leave "
            "it at None, or give a RandomState, for anything but tests.",
            SeededNoiseWarning,
        )


def warn(message, category) -> None:
    """Warn at the line of the caller that is outside of this package."""
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_INSIDE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
