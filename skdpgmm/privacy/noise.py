"""The generator and the Gaussian noise on the integer lattice.

**Mechanism.** For an integer-valued sum s and a real Gaussian
``g ~ N(0, sigma**2)`` the release is ``step * round((s + round(g)) / step)``
with ``step`` the power of two that makes ``sigma / step <= 2**20``. Rounding is
applied to the output of the Gaussian mechanism (for an integer s,
``s + round(g) = round(s + g)``), so it is post-processing: the guarantee is
that of the Gaussian mechanism with standard deviation sigma.

**Resolution.** numpy's ziggurat has an absolute resolution of about 2**-50
standard deviations in its body, and gaps that grow in its tail: below 2**-12 of a
lattice cell at 8 standard deviations for ``sigma / step <= 2**20``. So up to there
each cell is hit with the probability of a Gaussian but for a relative error below
2**-12, and beyond lies a probability of 2**-49. No low-order bit of a release
depends on s except through s + g, which answers the attack of Mironov (2012). That
the sampler is a Gaussian is otherwise assumed.

References
----------
.. [1] I. Mironov, "On significance of the least significant bits for
   differential privacy", CCS 2012.
.. [2] S. Casacuberta et al., "Widespread underestimation of sensitivity in
   differentially private libraries and how to fix it", CCS 2022.
"""

from __future__ import annotations

import math
import secrets

import numpy as np
from randomgen import AESCounter

RESOLUTION_BITS = 20


def make_generators(entropy: int | None):
    """Return the noise generator and the generator of public randomness.

    Parameters
    ----------
    entropy : int or None
        None takes fresh entropy from the operating system. An int makes both
        streams reproducible: whoever knows it can subtract the noise.

    Returns
    -------
    noise, public : tuple of numpy.random.Generator
        AES in counter mode under a key each: 128 bits of the operating system, or
        derived from `entropy`.
    """
    if entropy is None:
        counters = [AESCounter(key=secrets.randbits(128)) for _ in range(2)]
    else:
        counters = [AESCounter(s) for s in np.random.SeedSequence(entropy).spawn(2)]
    noise, public = map(np.random.Generator, counters)
    return noise, public


def add_lattice_gaussian(exact, sigma, generator):
    """Release an exact integer sum with Gaussian noise of standard deviation sigma.

    Parameters
    ----------
    exact : ndarray of int64
        The exact sum in grid units.
    sigma : float
        Standard deviation in grid units, below 2**56; 0 adds no noise.
    generator : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    noisy : ndarray of int64
    """
    if sigma == 0.0:
        return exact.copy()
    if not sigma < 2.0**56:
        raise OverflowError(f"sigma must be below 2**56 grid steps, got {sigma}.")
    noisy = exact + np.rint(sigma * generator.standard_normal(exact.shape)).astype(
        np.int64
    )
    shift = max(0, math.ceil(math.log2(sigma)) - RESOLUTION_BITS)
    if shift:
        half = np.int64(1) << (shift - 1)
        noisy = ((noisy + half) >> shift) << shift
    return noisy


def add_symmetric_gaussian(exact, sigma, generator):
    """Release exact symmetric integer matrices with isometric Gaussian noise.

    The map from a symmetric matrix to its diagonal and sqrt(2) times its upper
    triangle is an isometry from the Frobenius norm, so the Gaussian mechanism
    adds N(0, sigma**2) to those coordinates: off-diagonal entries get standard
    deviation ``sigma / sqrt(2)``.

    Parameters
    ----------
    exact : ndarray of int64, shape (..., d, d)
        Symmetric in the last two axes; only the upper triangle is read.
    sigma : float
        Noise in the isometric coordinates, in grid units.
    generator : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    noisy : ndarray of int64, shape (..., d, d)
    """
    d = exact.shape[-1]
    noisy = np.empty_like(exact)
    diagonal = np.arange(d)
    noisy[..., diagonal, diagonal] = add_lattice_gaussian(
        exact[..., diagonal, diagonal], sigma, generator
    )
    rows, cols = np.triu_indices(d, k=1)
    upper = add_lattice_gaussian(
        exact[..., rows, cols], sigma / math.sqrt(2.0), generator
    )
    noisy[..., rows, cols] = upper
    noisy[..., cols, rows] = upper
    return noisy
