"""Recording the releases of a fit, and playing them to another one.

What is played back are the noisy integers, in place of those that the noise makes of
the exact sums. All else of a release happens as ever: it is debited, the rows are
summed, and whatever it does with the exact sums is done with those of the other data.
"""

import dataclasses
from functools import cached_property
from types import SimpleNamespace

import numpy as np

import skdpgmm._estimators.session
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.blocks import WORD_BITS
from skdpgmm.privacy import records as core


def differences(a, b, path="", seen=()):
    """Yield the paths at which two nested values are not the same to the bit."""
    if a is b or id(a) in seen:
        return
    seen = (*seen, id(a))
    if type(a) is not type(b):
        yield f"{path}: {type(a)} != {type(b)}"
    elif isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            yield f"{path}: {a.dtype}{a.shape} != {b.dtype}{b.shape}"
        elif a.dtype.hasobject:
            yield from differences(a.tolist(), b.tolist(), path, seen)
        elif a.tobytes() != b.tobytes():
            yield f"{path}: {a} != {b}"
    elif isinstance(a, dict):
        if a.keys() != b.keys():
            yield f"{path}: keys {sorted(a)} != {sorted(b)}"
        for key in a.keys() & b.keys():
            yield from differences(a[key], b[key], f"{path}.{key}", seen)
    elif isinstance(a, tuple | list):
        if len(a) != len(b):
            yield f"{path}: length {len(a)} != {len(b)}"
        for i, (x, y) in enumerate(zip(a, b, strict=False)):
            yield from differences(x, y, f"{path}[{i}]", seen)
    elif isinstance(a, np.random.RandomState):
        yield from differences(a.get_state(), b.get_state(), path, seen)
    elif dataclasses.is_dataclass(a) or (hasattr(a, "__dict__") and not callable(a)):
        yield from differences(held(a, b), held(b, a), path, seen)
    elif repr(a) != repr(b):  # tells nan from numbers and 0.0 from -0.0
        yield f"{path}: {a!r} != {b!r}"


def held(obj, other):
    """What an object holds, but for what only it has computed of itself and kept."""
    return {
        name: value
        for name, value in vars(obj).items()
        if name in vars(other)
        or not isinstance(getattr(type(obj), name, None), cached_property)
    }


def assert_same(a, b):
    found = list(differences(a, b))
    assert not found, "\n".join(found)


@dataclasses.dataclass
class Call:
    """One release of the recorded fit, and what came of it when it was played.

    Attributes
    ----------
    sums : list of ndarray of int64 of shape (2, ...)
        Exact sums of the recorded data, in high and low words.
    noisy : list of (float, ndarray)
        Scale of the noise in grid units and the noisy integers, of each part.
    entries : list of LedgerEntry
    played : list of ndarray
        Exact sums of the data to which the record was played.
    """

    name: str
    query: object
    mus: list
    unit: tuple
    sums: list = dataclasses.field(default_factory=list)
    noisy: list = dataclasses.field(default_factory=list)
    entries: list = dataclasses.field(default_factory=list)
    releases: tuple = ()
    played: list = dataclasses.field(default_factory=list)


class Tape:
    """Records every release of the fits that follow, or plays a record back."""

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch
        self.calls = []
        self.current = None

    def record(self):
        """Let the fits that follow release as ever, and keep it all."""

        def exact_sums(original, rows, query):
            sums = original(rows, query)
            self.current.sums = [np.array(total) for total in sums]
            return sums

        def add(original, exact, sigma, source):
            noisy = original(exact, sigma, source)
            self.current.noisy.append((sigma, noisy.copy()))
            return noisy

        def release(original, ledger, call):
            self.calls.append(call)
            self.current = call
            before = len(ledger.entries)
            call.releases = original(call.name, call.query, call.mus)
            call.entries = ledger.entries[before:]
            return call.releases

        self._install(exact_sums, add, release)

    def play(self):
        """Let the fits that follow release what was recorded, whatever their data.

        Their queries must be those of the recorded fit to the bit, and what `release`
        returns must be what it returned then. To read rows of the data for anything
        but a release is an error. Returns the calls that are still to be made.
        """
        left = list(self.calls)
        reading = []

        def exact_sums(original, rows, query):
            reading.append(query)
            sums = original(rows, query)
            reading.pop()
            self.current.played = [np.array(total) for total in sums]
            return sums

        def add(original, exact, sigma, source):
            its_sigma, noisy = noises.pop(0)
            assert sigma == its_sigma
            assert exact.shape[1:] == noisy.shape
            return noisy.copy()

        noises = []

        def release(original, ledger, call):
            recorded = left.pop(0)
            for what in ("name", "query", "mus", "unit"):
                assert_same(getattr(call, what), getattr(recorded, what))
            self.current = recorded
            noises[:] = recorded.noisy
            before = len(ledger.entries)
            releases = original(call.name, call.query, call.mus)
            assert_same(releases, recorded.releases)
            assert_same(ledger.entries[before:], recorded.entries)
            assert not noises
            return releases

        read = ArrayRows.sum

        def guarded(rows, query):
            assert reading, "a replayed fit read the data beside its releases"
            return read(rows, query)

        self._install(exact_sums, add, release)
        self.monkeypatch.setattr(ArrayRows, "sum", guarded)
        return left

    def _install(self, exact_sums, add, release):
        patch = self.monkeypatch.setattr
        for name, function in (
            ("exact_sums", exact_sums),
            ("add_lattice_gaussian", add),
            ("add_symmetric_gaussian", add),
        ):
            patch(core, name, _around(function, getattr(core, name)))

        def make(original, ledger, unit):
            def made(name, query, mus):
                mus = [float(mu) for mu in mus]
                return release(original, ledger, Call(name, query, mus, unit))

            return made

        stand_before_releases(self.monkeypatch, make)


def _around(function, original):
    return lambda *args: function(original, *args)


def stand_before_releases(monkeypatch, make_release):
    """Let ``make_release(release, ledger, unit)`` stand before releases."""
    original = core.PrivateRecords

    def records_behind(rows, *, ledger, adjacency, max_contributions, **kwargs):
        unit = adjacency, max_contributions
        records = original(
            rows,
            ledger=ledger,
            adjacency=adjacency,
            max_contributions=max_contributions,
            **kwargs,
        )
        made = make_release(records.release, ledger, unit)
        return SimpleNamespace(release=made, holding=records.holding)

    monkeypatch.setattr(skdpgmm._estimators.session, "PrivateRecords", records_behind)


def integers(part, words):
    """Return an exact sum as Python integers; a symmetric one in full."""
    total = words[0].astype(object) * 2**WORD_BITS + words[1].astype(object)
    if part.symmetric:
        upper = np.triu(total)
        total = upper + np.triu(total, k=1).swapaxes(-1, -2)
    return total
