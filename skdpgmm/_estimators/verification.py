"""What a file of a model proves to somebody who has only the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dp_accounting import GaussianDpEvent
from dp_accounting.pld import PLDAccountant

from skdpgmm._estimators.differences import Difference
from skdpgmm._estimators.loading import unsigned
from skdpgmm._estimators.model_file import read
from skdpgmm._estimators.rebuilding import rebuild
from skdpgmm._estimators.saved import versions
from skdpgmm._estimators.saved_search import is_among
from skdpgmm._estimators.signature import bytes_of, is_there
from skdpgmm.privacy.parts import ALL, PartsReport
from skdpgmm.privacy.report import PrivacyReport, as_html

# The other accountant cuts privacy losses into steps, here of 1e-4 of epsilon, and
# rounds up. With 1 to 200 Gaussians at epsilon .001 to 100 it was at most 2.2e-4 of it
# above the exact formula, and at 1e-5 by less than 1e-6. At 1000 it is off by more.
_STEP, _SMALLEST_STEP, _LARGEST = 1e-4, 3e-6, 100.0
_ROUNDED_UP, _ROUNDED_ANYWAY = 5e-4, 1e-6
# Of the largest entry of an attribute: how far two machines may be apart, which add up
# in another order.
TOLERANCE = 1e-9


class Check(NamedTuple):
    """One thing that was checked.

    Attributes
    ----------
    what : str
    passed : bool or None
        None where it was not done.
    found : str
        What was found, in words.
    """

    what: str
    passed: bool | None
    found: str


@dataclass(frozen=True, repr=False)
class Verification:
    """What `verify` has found; it prints.

    Attributes
    ----------
    name : str
        Of the file.
    digest : str
        SHA-256 of all that the file says: its fingerprint.
    estimator : str
        Name of the class.
    checks : tuple of Check
        In order; those after one that failed may be missing.
    believed : tuple of (str, str)
        What no file can show, and remains to be believed: name and text.
    privacy : PrivacyReport
        The guarantee, computed anew.
    largest_difference : float
        Between what follows from the releases here and what was saved, of the largest
        entry of an attribute: 0 where all is the same to the bit.
    """

    name: str
    digest: str
    estimator: str
    checks: tuple[Check, ...]
    believed: tuple[tuple[str, str], ...]
    privacy: PrivacyReport
    largest_difference: float = 0.0

    @property
    def to_the_bit(self) -> bool:
        """Whether all that was saved was computed again, and found to be the same."""
        return self.largest_difference == 0.0

    @property
    def consistent(self) -> bool:
        """Whether no check failed: the file is one of such a fit."""
        return all(check.passed is not False for check in self.checks)

    @property
    def passed(self) -> bool:
        """Whether no check failed, and the fit was private."""
        return self.consistent and self.privacy.not_private is None

    @property
    def answer(self) -> str:
        """Whether it passed, in words."""
        if self.passed:
            off = self.largest_difference
            return "yes" if self.to_the_bit else f"yes, but for {off:.1g} of an entry"
        return f"NO: {self.privacy.not_private}" if self.consistent else "NO"

    def _facts(self):
        return [
            ("file", f"{self.name}, a fitted {self.estimator}"),
            ("digest", self.digest),
            ("verified", self.answer),
        ]

    def _rows(self):
        words = {True: "passed", False: "FAILED", None: "not done"}
        return [
            ("what", "", "found, or to be believed"),
            *((c.what, words[c.passed], c.found) for c in self.checks),
            *((what, "believed", text) for what, text in self.believed),
        ]

    def __repr__(self) -> str:
        n_passed = sum(check.passed is True for check in self.checks)
        return (
            f"Verification({self.name}: {n_passed} of {len(self.checks)} checks passed)"
        )

    def __str__(self) -> str:
        facts = [f"{name:10} {text}" for name, text in self._facts()]
        rows = self._rows()
        widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
        lines = [f"{a:{widths[0]}}  {b:{widths[1]}}  {c}" for a, b, c in rows]
        return "\n".join([*facts, *lines])

    def _repr_html_(self) -> str:
        return as_html(self._facts(), self._rows())


def verify(path, *, signed_by=None) -> Verification:
    """Check the file of a fitted model, as somebody who has nothing else.

    The fit is made once more from its releases: the algorithm must ask for them in
    this order, by these names and shapes, and must come to the same attributes. So
    these are a function of the releases and of what is public, and nothing of a
    record went another way. Epsilon is computed from the noise of the releases by two
    accountants that share no code.

    Parameters
    ----------
    path : str or path-like
        Of a file that the method `save` of a fitted estimator has written.
    signed_by : Ed25519PublicKey of `cryptography`, default=None
        Key by which the file is to be signed. With None a signature is checked where
        there is one, by the key that the file names.

    Returns
    -------
    verification : Verification
        What was checked, and what remains to be believed. It prints.

    Raises
    ------
    ValueError
        When the file is damaged, or not one of a fit.
    TypeError
        When `signed_by` is of another kind.

    See Also
    --------
    load : Return the estimator.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skdpgmm import DPKMeans, verify
    >>> X, _ = load_iris(return_X_y=True)
    >>> kmeans = DPKMeans(3, epsilon=8.0).fit(X)
    >>> with TemporaryDirectory() as folder:
    ...     kmeans.save(Path(folder) / "kmeans.safetensors")
    ...     verification = verify(Path(folder) / "kmeans.safetensors")
    >>> verification
    Verification(kmeans.safetensors: 5 of 5 checks passed)
    """
    return examined(path, signed_by).verification


class Examined(NamedTuple):
    """What `verify` has found, and the estimator that it has rebuilt for that.

    Attributes
    ----------
    verification : Verification
    estimator : estimator
        Fitted.
    made_by : dict of str to str
        Versions of what made the file, as it says.
    """

    verification: Verification
    estimator: Any
    made_by: dict[str, str]


def examined(path, signed_by=None) -> Examined:
    """Check a file, and keep what was rebuilt."""
    file = read(path)
    key = None if signed_by is None else bytes_of(signed_by)
    rebuilt = rebuild(file)
    report = rebuilt.estimator.privacy_
    elsewhere = _made_elsewhere(rebuilt.made_by)
    checks = [
        _check_replay(rebuilt),
        _check_attributes(rebuilt, elsewhere),
        _check_ledger(rebuilt, report),
        _check_epsilon(report),
        _check_by_other_accountant(report),
    ]
    if rebuilt.retrained is not None:
        checks.insert(2, _check_classifier(rebuilt.retrained, elsewhere))
    if key is not None or file.signature is not None:
        checks.append(_check_signature(file, key))
    verification = Verification(
        Path(path).name,
        file.digest,
        type(rebuilt.estimator).__name__,
        tuple(checks),
        tuple(believed(report, rebuilt.made_by.get("skdpgmm"))),
        report,
        _largest([*rebuilt.different, *(rebuilt.retrained or ())]),
    )
    return Examined(verification, rebuilt.estimator, rebuilt.made_by)


def _check_replay(rebuilt):
    n = rebuilt.n_releases
    found = f"the fit asks for these {n} releases in this order, and for no other"
    return Check("replay", True, found)


def _made_elsewhere(there) -> str:
    """Return what made the file, where it is not what computes here."""
    here = versions()
    other = [f"{k} {there.get(k)}" for k in here if here[k] != there.get(k)]
    return f"; the file was made by {', '.join(other)}" if other else ""


def _largest(different: list[Difference]) -> float:
    return max((one.size for one in different), default=0.0)


def _check_attributes(rebuilt, elsewhere):
    different, n = rebuilt.different, rebuilt.n_attributes
    if not different:
        return Check("attributes", True, f"all {n} follow from the releases to the bit")
    worst = max(different, key=lambda one: one.size)
    # What computes as it did where the file was made has to find the same.
    if elsewhere and worst.size <= TOLERANCE:
        found = (
            f"all {n} follow from the releases: {n - len(different)} to the bit, the "
            f"others to {TOLERANCE:g} of their largest entry, of which {worst.text}"
        )
        return Check("attributes", True, f"{found}{elsewhere}")
    return Check(
        "attributes", False, f"{len(different)} of {n} differ: {worst.text}{elsewhere}"
    )


def _check_classifier(different, elsewhere):
    what = "classifier"
    if not different:
        return Check(what, True, "trained again on the same rows, it is the same")
    worst = max(different, key=lambda one: one.size)
    found = f"trained again, it is another: {worst.text}{elsewhere}"
    # A training goes another way where a last bit differs: no fault of the file.
    return Check(what, None if elsewhere else False, found)


def _check_ledger(rebuilt, report):
    if isinstance(report, PartsReport):
        same = is_among(rebuilt.own_ledger, rebuilt.ledger)
        found = "of a search, and those of this fit are {}among them"
    else:
        same = rebuilt.ledger == report.ledger
        found = "it is {}that of the releases"
    text = found.format("" if same else "not ")
    return Check("ledger", same, f"{len(rebuilt.ledger)} rows; {text}")


def _check_epsilon(report):
    spent, asked = report.spent_epsilon, report.epsilon
    found = f"epsilon={spent:.6g} at delta={report.delta:g}, of {asked:g} that may be"
    return Check("Gaussian accounting", spent <= asked, found)


def _check_by_other_accountant(report):
    what, spent = "dp_accounting's PLD", report.spent_epsilon
    if spent > _LARGEST:
        found = f"not computed: epsilon is above {_LARGEST:g}, which protects nobody"
        return Check(what, None, found)
    step = max(_STEP * spent, _SMALLEST_STEP)
    found = max(_by_pld(rows, report.delta, step) for rows in _composed(report))
    passed = found <= spent * (1.0 + _ROUNDED_UP) + _ROUNDED_ANYWAY
    return Check(what, passed, f"epsilon={found:.6g} for the same noise")


def _composed(report):
    """Yield the rows that add up: of each part of the records with those of all."""
    if not isinstance(report, PartsReport):
        yield report.ledger
        return
    both = list(zip(report.ledger, report.parts, strict=True))
    for part in set(report.parts):
        yield [entry for entry, of in both if of in (part, ALL)]


def _by_pld(rows, delta, step):
    accountant = PLDAccountant(value_discretization_interval=step)
    for multiplier, times in Counter(entry.noise_multiplier for entry in rows).items():
        accountant.compose(GaussianDpEvent(multiplier), times)
    return accountant.get_epsilon(delta)


def _check_signature(file, key):
    what = "signature"
    if not is_there():
        return Check(what, None, "not checked, as cryptography is not installed")
    if reason := unsigned(file, key):
        return Check(what, False, reason)
    of = "the key that was asked for" if key is not None else "whoever has the key"
    return Check(what, True, f"of {of}, {file.signature.public_key.hex()}")


def believed(report: PrivacyReport, version) -> Iterator[tuple[str, str]]:
    """Yield what remains to be believed of a fit by a version of this package."""
    yield "the records", f"those summed were the ones meant; unit: {report.unit}"
    yield "the noise", f"{report.noise}: drawn as the code says, its key seen by nobody"
    yield "the code", f"skdpgmm/privacy of version {version}"
    public = "; ".join(f"{name} ({text})" for name, text in report.declared_public)
    yield "what was declared public", public
    yield "before the fit", "no step, such as an encoder, has learned from the records"
    if isinstance(report, PartsReport):
        fits = "its other releases, and what it chose by them: they are not in the file"
        yield "the search", fits
