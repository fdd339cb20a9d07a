"""From (epsilon, delta), adjacency and unit of privacy to mu, and back.

Every release of this package is a Gaussian mechanism, so all accounting is in
Gaussian differential privacy (Dong, Roth, Su 2022): a Gaussian mechanism whose
noise is ``l2_sensitivity / mu`` is mu-GDP, mechanisms that are chosen
adaptively compose exactly by ``mu_total**2 = sum(mu_i**2)``, and mu-GDP is
(epsilon, delta)-DP for exactly the pairs of the analytic Gaussian mechanism
(Balle, Wang 2018).

What the guarantee rests on is checked here, whoever calls: validation of parameters
in the estimators can be switched off.

References
----------
.. [1] J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of
   the Royal Statistical Society B 84(1), 2022.
.. [2] B. Balle, Y.-X. Wang, "Improving the Gaussian Mechanism for Differential
   Privacy", ICML 2018.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from dp_accounting import gaussian_mechanism
from scipy.special import ndtri

ADJACENCIES = ("add-remove", "replace-one")

# Where float64 is right: there the formula is within 3e-7 of the true delta, as
# tests/privacy/test_accounting.py finds in exact arithmetic. `_SAFE` makes it
# one-sided.
MIN_EPSILON = 1e-6
MIN_DELTA = 1e-18
_SAFE = 1.0 - 1e-6
# Beyond, the formula loses digits, and its second term is next to nothing.
_MAX_EPSILON = 1e5
_MAX_MU = math.sqrt(2.0 * _MAX_EPSILON)
# Squares of smaller numbers would leave the range of float64.
_MIN_MU = 1e-100
# A person's records, and all sums, are counted in integers of 31 bits.
_MAX_CONTRIBUTIONS = 2**31

# Relative amount by which every share of a budget is rounded down: far above
# the error of the few float64 operations behind it and far below any effect.
_ROUND_DOWN = 1.0 - 1e-12


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _is_count(value: Any) -> bool:
    whole = isinstance(value, Integral) and _is_real(value)
    return whole and 1 <= value <= _MAX_CONTRIBUTIONS


def _checked(value, name, low, below="inf]"):
    """Return a number as a float, or say why no guarantee can be given for it."""
    if not _is_real(value) or not low <= value or (below == "1)" and value >= 1.0):
        raise ValueError(
            f"{name} must be a number in [{low:g}, {below}, got {value!r}."
        )
    return float(value)


def check_epsilon(epsilon) -> float:
    """Return epsilon as a float, or say why no guarantee can be given for it."""
    return _checked(epsilon, "epsilon", MIN_EPSILON)


def check_delta(delta) -> float:
    """Return delta as a float, or say why no guarantee can be given for it."""
    return _checked(delta, "delta", MIN_DELTA, "1)")


def check_mu(mu, name="mu") -> float:
    """Return a positive mu as a float, or say why it is none."""
    return _checked(mu, name, _MIN_MU)


def mu_from_epsilon(epsilon: float, delta: float) -> float:
    """Return the largest mu, rounded down, that is (epsilon, delta)-DP.

    Parameters
    ----------
    epsilon : float in [1e-6, inf]
        Privacy loss; ``inf`` asks for no noise.
    delta : float in [1e-18, 1)
        Additive slack: ``P(M(D) in S) <= exp(epsilon) P(M(D') in S) + delta``.

    Returns
    -------
    mu : float
        ``inf`` when epsilon is ``inf``.

    Raises
    ------
    ValueError
        Outside of the range in which float64 is right.
    """
    epsilon, delta = check_epsilon(epsilon), check_delta(delta)
    if math.isinf(epsilon):
        return math.inf
    if epsilon > _MAX_EPSILON:
        # The first term of the formula alone, Phi(mu / 2 - epsilon / mu) = delta.
        q = -float(ndtri(delta * _SAFE))
        root = math.hypot(q, math.sqrt(2.0 * epsilon))
        return 2.0 * epsilon / (root + q) * _ROUND_DOWN
    with np.errstate(divide="ignore"):
        sigma = gaussian_mechanism.get_sigma_gaussian(epsilon, delta * _SAFE)
    mu = _ROUND_DOWN / sigma
    # The calibration above is a root search with a tolerance; the loop makes it
    # one-sided, so that no budget is ever larger than what was asked for.
    slack = 1e-12
    while epsilon_from_mu(mu, delta) > epsilon:
        mu *= 1.0 - slack
        slack *= 2.0
    return mu


def epsilon_from_mu(mu: float, delta: float) -> float:
    """Return the smallest epsilon, rounded up, for which mu-GDP is (epsilon, delta)-DP.

    Parameters
    ----------
    mu : float in [0, inf]
        Gaussian differential privacy.
    delta : float in [1e-18, 1)
        Additive slack.

    Returns
    -------
    epsilon : float

    Raises
    ------
    ValueError
        When mu or delta is not a number in that range.
    """
    delta = check_delta(delta)
    if _is_real(mu) and mu == 0.0:
        return 0.0
    mu = check_mu(mu)
    if math.isinf(mu):
        return math.inf
    if mu > _MAX_MU:
        q = -float(ndtri(delta * _SAFE))
        return mu * (0.5 * mu + q) / _ROUND_DOWN
    with np.errstate(divide="ignore"):
        epsilon = gaussian_mechanism.get_epsilon_gaussian(1.0 / mu, delta * _SAFE)
    return float(epsilon)


def compose_mu(mus) -> float:
    """Return the mu of the (adaptive) composition of mu_i-GDP mechanisms."""
    return math.hypot(*mus)


def split_mu(mu: float, shares: Mapping[str, float]) -> dict[str, float]:
    """Split a budget by named shares of ``mu**2``, each rounded down.

    Parameters
    ----------
    mu : float
        The budget.
    shares : mapping of str to float
        Non-negative shares whose sum is at most 1 up to rounding. A share of
        zero gives mu 0: that release must not be made.

    Returns
    -------
    parts : dict of str to float
        ``mu_i`` with ``sum(mu_i**2) <= mu**2``.
    """
    total = math.fsum(shares.values())
    # Negated, so that a nan is refused too.
    if not (total <= 1.0 + 1e-9 and all(s >= 0.0 for s in shares.values())):
        raise ValueError(
            f"shares must be non-negative and sum to at most 1, got {dict(shares)}."
        )
    norm = max(total, 1.0)
    return {
        name: mu * math.sqrt(share / norm) * _ROUND_DOWN if share > 0.0 else 0.0
        for name, share in shares.items()
    }


def unit_factor(adjacency: str, max_contributions: int = 1) -> int:
    """Return how many bounded records two neighbouring data sets may differ by.

    Adding or removing one record changes a sum of vectors of norm at most Delta
    by at most Delta; replacing one removes a record and adds another, hence
    2 Delta; a person with at most m records multiplies either by m.
    """
    if adjacency not in ADJACENCIES:
        raise ValueError(f"adjacency must be one of {ADJACENCIES}, got {adjacency!r}.")
    if not _is_count(max_contributions):
        raise ValueError(
            f"max_contributions must be an integer in [1, {_MAX_CONTRIBUTIONS}], got "
            f"{max_contributions!r}."
        )
    return {"add-remove": 1, "replace-one": 2}[adjacency] * int(max_contributions)


@dataclass(frozen=True)
class LedgerEntry:
    """One release: what it was, how far one unit can move it, what it cost.

    Attributes
    ----------
    name : str
        What was released.
    shape : tuple of int
        Shape of the released array.
    l2_sensitivity : float
        Largest l2 distance of the exact sums of two neighbouring data sets, in
        units of the integer grid on which the sum is taken.
    noise_multiplier : float
        Standard deviation of the noise over `l2_sensitivity`: ``1 / mu``.
    mu : float
        Cost in Gaussian differential privacy.
    """

    name: str
    shape: tuple[int, ...]
    l2_sensitivity: float
    noise_multiplier: float
    mu: float

    def __post_init__(self):
        of = f"of the release {self.name!r} must be"
        check_mu(self.mu, f"mu of the release {self.name!r}")
        if not (_is_real(self.l2_sensitivity) and 0.0 < self.l2_sensitivity < math.inf):
            raise ValueError(
                f"l2_sensitivity {of} a positive number, got {self.l2_sensitivity!r}."
            )
        if self.noise_multiplier != 1.0 / self.mu:
            raise ValueError(
                f"noise_multiplier {of} 1 / mu = {1.0 / self.mu!r}, got "
                f"{self.noise_multiplier!r}."
            )


class BudgetExceededError(RuntimeError):
    """A release was refused because it would overspend; nothing was released."""


class Ledger:
    """The releases of one fit, debited before their noise is drawn.

    A privacy filter for Gaussian mechanisms: with mu_i chosen adaptively, the
    whole is mu-GDP as long as the sum of squares never exceeds ``mu**2``.

    Parameters
    ----------
    mu : float
        The budget.
    """

    def __init__(self, mu: float):
        self.mu = check_mu(mu)
        self.entries: list[LedgerEntry] = []

    @property
    def spent_mu(self) -> float:
        """Mu of everything debited so far."""
        return compose_mu(entry.mu for entry in self.entries)

    def debit(self, entries) -> None:
        """Debit all of `entries`, or raise and debit none."""
        entries = list(entries)
        # Negated, so that a nan is refused too.
        if not compose_mu(e.mu for e in [*self.entries, *entries]) <= self.mu:
            raise BudgetExceededError(
                f"releasing {[e.name for e in entries]} would exceed the budget "
                f"mu={self.mu:.6g}; mu={self.spent_mu:.6g} is spent."
            )
        self.entries.extend(entries)
