"""A test of noise that accepts its scale, and rejects two thirds of it."""

import math

import numpy as np
from scipy import stats

# Probability that a right scale or distribution is rejected. Seeds are fixed, so
# it matters for the oracle only, which cannot be seeded.
FALSE_ALARM = 1e-9
WRONG_FACTORS = [2.0 / 3.0, 3.0 / 2.0]


def accepts_scale(noise, sigma):
    """Whether a chi-square test accepts `noise` as centred with scale `sigma`."""
    noise = np.ravel(noise) / sigma
    energy = np.sum(noise**2)
    low, high = stats.chi2.ppf([FALSE_ALARM, 1.0 - FALSE_ALARM], len(noise))
    centred = abs(noise.sum()) < 6.5 * math.sqrt(len(noise))
    return bool(low < energy < high and centred)
