"""Points of the two curves that say what mu means: exact, and rounded up."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal, localcontext

import numpy as np

from skdpgmm.privacy import attack_power, epsilon_from_mu

# False alarms and deltas of the tables.
FALSE_ALARMS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5)
DELTAS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
_N_POINTS = 101


def power_curve(mu: float) -> list[tuple[float, float]]:
    """Return the best attack: false alarms, and the share of those that it finds.

    Points of ``Phi(Phi^-1(a) + mu)`` (Dong, Roth, Su 2022, Section 2), dense where it
    is steep.
    """
    alarms = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, _N_POINTS)[1:-1])
    inner = [(float(a), attack_power(mu, float(a))) for a in alarms]
    return [(0.0, 0.0), *inner, (1.0, 1.0)]


def epsilon_curve(mu: float) -> list[tuple[float, float]]:
    """Return deltas, each with the smallest epsilon that mu allows for it.

    By the analytic Gaussian formula (Balle, Wang 2018).
    """
    deltas = np.geomspace(DELTAS[0], DELTAS[-1], 50)
    return [(float(d), epsilon_from_mu(mu, float(d))) for d in deltas]


def largest_gain(mu: float) -> float:
    """Return the most by which any attack beats guessing, ``2 Phi(mu / 2) - 1``.

    The distance in total variation (Dong, Roth, Su 2022, Section 2): of the curve of
    power, from the diagonal.
    """
    return math.erf(mu / math.sqrt(8.0))


def percent_up(share: float) -> str:
    """Return a share in percent with one decimal, rounded up."""
    return f"{min(math.ceil(1000.0 * share) / 10.0, 100.0):g} %"


def digits_up(value: float, n_digits: int = 5) -> str:
    """Return a positive number with so many digits, rounded up."""
    with localcontext(prec=n_digits, rounding=ROUND_CEILING):
        return f"{float(+Decimal(value)):.{n_digits}g}"
