"""From (epsilon, delta), adjacency and unit of privacy to mu, and back.

Every release is a Gaussian mechanism, so all accounting is in Gaussian differential
privacy (Dong, Roth, Su 2022): noise of ``l2_sensitivity / mu`` is mu-GDP, mechanisms
that are chosen adaptively compose exactly by ``mu_total**2 = sum(mu_i**2)``, and mu-GDP
is (epsilon, delta)-DP for exactly the pairs of the analytic Gaussian mechanism (Balle,
Wang 2018). What the guarantee rests on is checked here, whoever calls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from scipy.optimize import brentq
from scipy.special import erfcx, ndtr, ndtri

ADJACENCIES = ("add-remove", "replace-one")
# Squares of how far one record may move a sum, over its bound. When one is replaced,
# |a - b|**2 = |a|**2 + |b|**2 - 2 <a, b>, which is at most 4, and at most 2 where no
# two summands have a negative product <a, b>.
_SQUARED = {"add-remove": 1, "replace-one": 4}
_SQUARED_ACUTE = {"add-remove": 1, "replace-one": 2}

# Here `_log_delta` is right to 1e-12, as tests/privacy/test_accounting_range.py finds
# in exact arithmetic. `_SAFE` makes one-sided what follows from it.
MIN_EPSILON = 1e-6
MIN_DELTA = 1e-18
_SAFE = 1.0 - 1e-6
# Squares of smaller numbers would leave the range of float64.
_MIN_MU = 1e-100
# Points and weights of Gauss and Legendre on [0, 1].
_POINTS, _WEIGHTS = (np.polynomial.legendre.leggauss(5) + np.array([[1.0], [0.0]])) / 2
# Below, delta is 1 in float64.
_LOWEST = -10.0
# A person's records, and all sums, are counted in integers of 31 bits.
_MAX_CONTRIBUTIONS = 2**31

# Relative amount by which every share of a budget is rounded down: far above
# the error of the few float64 operations behind it and far below any effect.
_ROUND_DOWN = 1.0 - 1e-12


def _checked(value, name, interval, inside):
    """Return a number as a float, or say why no guarantee can be given for it."""
    real = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not (real and inside(value)):  # a nan is inside of nothing
        raise ValueError(f"{name} must be a number in {interval}, got {value!r}.")
    return float(value)


def check_epsilon(epsilon) -> float:
    """Return epsilon as a float, or say why no guarantee can be given for it."""
    return _checked(epsilon, "epsilon", "[1e-06, inf]", lambda x: x >= MIN_EPSILON)


def _check_delta(delta) -> float:
    return _checked(delta, "delta", "[1e-18, 1)", lambda x: MIN_DELTA <= x < 1.0)


def _check_mu(mu, name="mu") -> float:
    return _checked(mu, name, "[1e-100, inf]", lambda x: x >= _MIN_MU)


def mu_from_epsilon(epsilon: float, delta: float) -> float:
    """Return the largest mu, rounded down, that is (epsilon, delta)-DP.

    Parameters
    ----------
    epsilon : float in [1e-6, inf]
        Privacy loss; ``inf`` asks for no noise, and gives ``inf``.
    delta : float in [1e-18, 1)
        Additive slack: ``P(M(D) in S) <= exp(epsilon) P(M(D') in S) + delta``.
    """
    epsilon, delta = check_epsilon(epsilon), _check_delta(delta)
    if math.isinf(epsilon):
        return math.inf
    root = math.sqrt(2.0) * math.sqrt(epsilon)

    def mu_of(a):
        """Return the mu of epsilon: ``a * mu + mu**2 / 2`` is epsilon."""
        b = math.hypot(a, root)
        return root * (root / (a + b)) if a > 0.0 else b - a

    a = _solved(lambda a: _log_delta(a, mu_of(a)), _LOWEST, delta)
    mu = mu_of(a) * _ROUND_DOWN
    # Both are rounded: no budget is ever larger than what was asked for.
    slack = 1e-12
    while epsilon_from_mu(mu, delta) > epsilon:
        mu *= 1.0 - slack
        slack *= 2.0
    return mu


def epsilon_from_mu(mu: float, delta: float) -> float:
    """Return the smallest epsilon, rounded up, for which mu-GDP is (epsilon, delta)-DP.

    `mu` is in [0, inf], and delta in [1e-18, 1).
    """
    delta = _check_delta(delta)
    allowed = "[1e-100, inf], or 0"
    mu = _checked(mu, "mu", allowed, lambda x: x == 0.0 or x >= _MIN_MU)
    if mu == 0.0:
        return 0.0
    low = max(-0.5 * mu, _LOWEST)  # where epsilon is 0
    if _log_delta(low, mu) <= math.log(delta * _SAFE):
        return 0.0
    a = _solved(lambda a: _log_delta(a, mu), low, delta)
    return mu * (0.5 * mu + a) / _ROUND_DOWN


def epsilon_within_mu(mu: float, delta: float) -> float:
    """Return the largest epsilon, rounded down, that costs no more than this mu.

    Whoever gets it as a budget has ``mu_from_epsilon(epsilon, delta) <= mu``. `mu` is
    in [1e-100, inf], and delta in [1e-18, 1).
    """
    epsilon = epsilon_from_mu(_check_mu(mu), delta)
    slack = 1e-12
    while epsilon >= MIN_EPSILON and mu_from_epsilon(epsilon, delta) > mu:
        epsilon *= 1.0 - slack
        slack *= 2.0
    if epsilon < MIN_EPSILON:
        raise ValueError(
            f"mu={mu:.3g} is less than any epsilon from {MIN_EPSILON:g} costs at "
            f"delta={delta:g}."
        )
    return epsilon


def attack_power(mu: float, false_alarms: float = 0.05) -> float:
    """Return how often whoever attacks a mu-GDP outcome can be right, rounded up.

    No test that tells two neighbouring data sets apart, and is wrong with probability
    `false_alarms` about the one, is right about the other with a probability above
    ``Phi(Phi^-1(false_alarms) + mu)`` [1]_: one minus the trade-off function of GDP.

    Parameters
    ----------
    mu : float
        Gaussian differential privacy, in [1e-100, inf], or 0.
    false_alarms : float, default=0.05
        Probability, in (0, 1), of saying that somebody is there who is not.

    Returns
    -------
    power : float
        Largest probability of finding somebody who is there, in (0, 1].

    References
    ----------
    .. [1] J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of the
       Royal Statistical Society B 84(1), 2022, Section 2.
    """
    allowed = "[1e-100, inf], or 0"
    mu = _checked(mu, "mu", allowed, lambda x: x == 0.0 or x >= _MIN_MU)
    _checked(false_alarms, "false_alarms", "(0, 1)", lambda x: 0.0 < x < 1.0)
    return min(float(ndtr(ndtri(false_alarms) + mu)) / _ROUND_DOWN, 1.0)


def _log_delta(a, mu):
    """Return log delta of mu-GDP at ``epsilon = a * mu + mu**2 / 2``.

    With the ratio of Mills, ``R(t) = Phi(-t) / phi(t)``, the formula of Balle and Wang
    is ``phi(a) (R(a) - R(a + mu))``. Where these are nearly the same, their difference
    is taken as the integral of ``-R'(t) = 1 - t R(t)``.
    """
    if mu < 0.5:
        t = a + mu * _POINTS
        gap = mu * float(_WEIGHTS @ (1.0 - t * _mills(t)))
    else:
        gap = float(_mills(a) - _mills(a + mu))
    return math.log(gap) - 0.5 * (a * a + math.log(2.0 * math.pi))


def _mills(t):
    return math.sqrt(0.5 * math.pi) * erfcx(t * math.sqrt(0.5))


def _solved(log_delta, low, delta):
    """Return the a at which delta, which falls with it, is a little below this."""
    delta *= _SAFE
    # Delta is below Phi(-a), the first of the two terms of the formula.
    high = 1.0 - float(ndtri(delta))
    return brentq(
        lambda a: log_delta(a) - math.log(delta), low, high, xtol=1e-15, maxiter=500
    )


def compose_mu(mus) -> float:
    """Return the mu of the (adaptive) composition of mu_i-GDP mechanisms."""
    return math.hypot(*mus)


def split_mu(mu: float, shares: Mapping[str, float]) -> dict[str, float]:
    """Split a budget by named shares of ``mu**2``, each rounded down.

    Shares are non-negative and add up to at most 1, but for rounding. The parts are
    ``mu_i`` with ``sum(mu_i**2) <= mu**2``, and 0 for a share of zero: that release
    must not be made.
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


def unit_factor(
    adjacency: str, max_contributions: int = 1, *, acute: bool = False
) -> float:
    """Return how far one unit moves a sum, over the bound of one record, at most.

    Adding or removing one record changes a sum of vectors of norm at most Delta
    by at most Delta; replacing one removes a record and adds another, hence 2 Delta, or
    sqrt(2) Delta where the vectors are `acute`: no two of them have a negative inner
    product. A person with at most m records multiplies either by m. Rounded up.
    """
    if adjacency not in ADJACENCIES:
        raise ValueError(f"adjacency must be one of {ADJACENCIES}, got {adjacency!r}.")
    whole = isinstance(max_contributions, Integral)
    if isinstance(max_contributions, bool) or not (
        whole and 1 <= max_contributions <= _MAX_CONTRIBUTIONS
    ):
        raise ValueError(
            f"max_contributions must be an integer in [1, {_MAX_CONTRIBUTIONS}], got "
            f"{max_contributions!r}."
        )
    squared = (_SQUARED_ACUTE if acute else _SQUARED)[adjacency]
    factor = math.sqrt(squared) * int(max_contributions)
    return factor if squared != 2 else math.nextafter(factor, math.inf)


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
    mu : float
        Cost in Gaussian differential privacy.
    """

    name: str
    shape: tuple[int, ...]
    l2_sensitivity: float
    mu: float

    def __post_init__(self):
        of = f"of the release {self.name!r}"
        object.__setattr__(self, "mu", _check_mu(self.mu, f"mu {of}"))
        _checked(
            self.l2_sensitivity,
            f"l2_sensitivity {of}",
            "(0, inf)",
            lambda x: 0.0 < x < math.inf,
        )

    @property
    def noise_multiplier(self) -> float:
        """Standard deviation of the noise over `l2_sensitivity`."""
        return 1.0 / self.mu


class BudgetExceededError(RuntimeError):
    """A release, or a fit, was refused as it would overspend; it released nothing."""


class Ledger:
    """The releases of one fit, debited before their noise is drawn.

    A privacy filter for Gaussian mechanisms: with mu_i chosen adaptively, the
    whole is mu-GDP as long as the sum of squares never exceeds the budget ``mu**2``.
    """

    def __init__(self, mu: float):
        self.mu = _check_mu(mu)
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
