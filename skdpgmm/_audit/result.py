"""What an audit has found; it prints."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

from skdpgmm.privacy.report import as_html

NOT_PRIVATE = "read X exactly; for public or made-up records only, never for others"


class Tightness(NamedTuple):
    """How much of what was debited for a release one unit has moved it.

    Attributes
    ----------
    name : str
        Of the release.
    share : float
        Of the squared budget.
    attained : float
        Distance of the exact sums over the stated sensitivity: at most 1, if the
        sensitivity is right.
    noise : float
        Standard deviation of its noise over the stated one: about 1.
    too_quiet : bool
        Whether the noise is less than is stated, at the confidence of the audit.
    """

    name: str
    share: float
    attained: float
    noise: float
    too_quiet: bool


class Guesses(NamedTuple):
    """How often an attacker guessed right which canaries are in the fits.

    Attributes
    ----------
    n_right, n_guesses, n_canaries : int
        Guesses that are right, of those made where they were the surest, and canaries
        of all fits.
    p_value : float
        Largest chance of as many right guesses at fits that are (epsilon, delta)-DP, by
        Theorem 5.2 of Steinke, Nasr, Jagielski (2023).
    """

    n_right: int
    n_guesses: int
    n_canaries: int
    p_value: float


@dataclass(frozen=True, repr=False)
class AuditResult:
    """What `audit` has found of an estimator; it prints. It is not private.

    Attributes
    ----------
    estimator : str
        Name of the class.
    attack : {"transcript", "attributes", "canaries"}
    adjacency, unit : str
        What the two data sets differ in.
    n_runs : int
        Fits that were tested: with the unit and without, or of either unit; of
        canaries each is in or not.
    epsilon, delta, mu : float
        What the fits claim.
    bound : float
        Lower bound on the true mu, whatever the noise is like.
    confidence : float
        With which all bounds hold together.
    estimate : float
        Of the true mu: for Gaussian noise.
    gaussian_bound : float
        Lower bound on the true mu for Gaussian noise; of "transcript", else nan.
    distance : float
        Largest mu along the path of one fit, without noise: of its exact sums, and the
        noise that it states; nan for attributes.
    ceiling : float
        What `bound` would be about if an attacker attained the claim.
    smallest_shown : float
        Smallest true mu that as many runs would show to be above the claim.
    releases : tuple of Tightness
        Each part of a release, in order; of "transcript", else empty.
    guesses : Guesses or None
        Of "canaries".
    """

    estimator: str
    attack: str
    adjacency: str
    unit: str
    n_runs: int
    epsilon: float
    delta: float
    mu: float
    bound: float
    confidence: float
    estimate: float
    gaussian_bound: float
    distance: float
    ceiling: float
    smallest_shown: float
    releases: tuple[Tightness, ...] = ()
    guesses: Guesses | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing that was found is above the claim.

        A fit that keeps its claim fails with a probability of at most 1 - `confidence`.
        """
        # A path is compared without noise, but for the rounding of the claim.
        found = (self.bound, self.gaussian_bound, self.distance / (1.0 + 1e-6))
        quiet = any(one.too_quiet for one in self.releases)
        return not quiet and not any(value > self.mu for value in found)

    def to_dict(self) -> dict:
        """Return everything as a dictionary.

        Returns
        -------
        found : dict
            Of numbers, strings, and one dictionary for each release.
        """
        releases = [one._asdict() for one in self.releases]
        return {
            **asdict(self),
            "releases": releases,
            "guesses": self.guesses and self.guesses._asdict(),
            "passed": self.passed,
            "not_private": NOT_PRIVATE,
        }

    def _facts(self):
        percent = f"{100.0 * self.confidence:g} %"
        yield "audit", f"{self.estimator}, by its {self.attack}"
        yield "passed", "yes" if self.passed else "NO: more is lost than is claimed"
        yield "not private", NOT_PRIVATE
        yield "claim", f"mu={self.mu:.4g} (epsilon={self.epsilon:g}, {self.delta:g})"
        yield "bound", f"mu is at least {self.bound:.4g}, at a confidence of {percent}"
        yield "estimate", f"mu is about {self.estimate:.4g}"
        if self.attack == "transcript":
            found = f"at least {self.gaussian_bound:.4g}, if the noise is Gaussian"
            yield "", found
        if self.guesses is not None:
            n_right, n_guesses, n_canaries, p = self.guesses
            counts = f"{n_right} of {n_guesses} are right, at {n_canaries} canaries"
            yield "guesses", counts
            yield "p-value", f"of the claim at most {p:.3g}, by so many right guesses"
        if not math.isnan(self.distance):
            yield "path", f"{self.distance:.4g}, without noise, of sums of neighbours"
        yield "ceiling", f"a perfect attacker would show about {self.ceiling:.4g}"
        yield (
            "floor",
            f"nothing below {self.smallest_shown:.4g} would be above the claim",
        )
        yield "runs", f"{self.n_runs}, adjacency {self.adjacency}, unit: {self.unit}"

    def _rows(self):
        if not self.releases:
            return []
        first = ("release", "share", "attained", "noise")
        return [first, *(_row(one) for one in self.releases)]

    def __repr__(self) -> str:
        return (
            f"AuditResult({self.estimator}: mu >= {self.bound:.4g}, about "
            f"{self.estimate:.4g}, claimed {self.mu:.4g})"
        )

    def __str__(self) -> str:
        lines = [f"{name:12} {text}" for name, text in self._facts()]
        rows = self._rows()
        width = max((len(row[0]) for row in rows), default=0)
        lines += [f"{name:{width}}  {a:>8}  {b:>8}  {c:>8}" for name, a, b, c in rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return as_html(list(self._facts()), self._rows())


def _row(one):
    return one.name, f"{one.share:.4f}", f"{one.attained:.4f}", f"{one.noise:.4f}"
