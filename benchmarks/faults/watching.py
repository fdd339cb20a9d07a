"""Fits as somebody sees them who stands beside the records: reads, debits, noise.

The exact sums and what is released of them are taken where noise is added. All that is
computed of them here is written anew, and nothing of the package has a part in it.
"""

import math
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm

from skdpgmm._rows.arrays import ArrayRows
from skdpgmm.privacy import records
from skdpgmm.privacy.accounting import Ledger

# Words of a sum, and how fine noise is at most: a standard deviation has 12 bits.
WORD, FINE = 2.0**31, 12


class Noise(NamedTuple):
    """Numbers that were released with noise of one size.

    Attributes
    ----------
    name : str
        Of the release.
    kind : str
        "vector", "diagonal" or "off-diagonal".
    sd : float
        By the ledger, in steps of the grid.
    exact, released : ndarray of shape (n,)
        In steps of the grid.
    """

    name: str
    kind: str
    sd: float
    exact: np.ndarray
    released: np.ndarray

    @property
    def lattice(self):
        """Steps of the grid between numbers that may be released."""
        return 2.0 ** max(0, math.ceil(math.log2(self.sd)) - FINE)

    @property
    def normals(self):
        """Noise in standard deviations."""
        return (self.released - self.exact) / self.sd

    def uniforms(self, rng):
        """Return numbers that are uniform if noise is Gaussian, rounded or not.

        What is released comes of an interval of the noise, of which one point is drawn.
        """
        lattice = self.lattice
        low = self.released - self.exact - lattice // 2 - 0.5
        ends = norm.cdf(low / self.sd), norm.cdf((low + lattice) / self.sd)
        return rng.uniform(*ends)


class Read(NamedTuple):
    """One sum over the records.

    Attributes
    ----------
    rows, query
        Of what.
    sums : list of ndarray
        High and low words of each part.
    paid : bool
        Whether a debit came just before.
    entries : list of LedgerEntry
        Of the parts that were released.
    """

    rows: Any
    query: Any
    sums: list
    paid: bool
    entries: list


class Seen(NamedTuple):
    """What a fit did.

    Attributes
    ----------
    reads : list of Read
    noise : list of Noise
    unpaid : list of str
        Releases that no ledger has.
    ledgers : list of Ledger
        For each debit, where it was made.
    """

    reads: list
    noise: list
    unpaid: list
    ledgers: list


def whole(words):
    """Return sums from high and low words, exact below 2**53."""
    high, low = np.asarray(words, dtype=np.float64)
    return high * WORD + low


def split(symmetric, exact, released, sd):
    """Yield the numbers of a release that have noise of one size, each once."""
    if not symmetric:
        yield "vector", sd, exact.ravel(), released.ravel()
        return
    d = exact.shape[-1]
    # A matrix is as long as its diagonal and sqrt(2) times what is above it.
    for kind, places, size in (
        ("diagonal", np.diag_indices(d), sd),
        ("off-diagonal", np.triu_indices(d, 1), sd / math.sqrt(2.0)),
    ):
        yield kind, size, exact[..., *places].ravel(), released[..., *places].ravel()


@contextmanager
def watched():
    """Note what the fits inside of this context do, and yield it."""
    seen, debited, events = Seen([], [], [], []), [], []
    add, debit, read = records.add_noise, Ledger.debit, ArrayRows.sum

    def noting_debit(self, entries):
        entries = list(entries)
        debit(self, entries)
        debited.extend(entries)
        seen.ledgers.append(self)
        events.append("debit")

    def noting_read(self, query):
        *sums, n, digest = read(self, query)
        paid = events[-1:] == ["debit"]
        seen.reads.append(Read(self, query, sums, paid, []))
        events.append("read")
        return *sums, n, digest

    def noting_noise(part, exact, entry, source):
        release = add(part, exact, entry, source)
        if not any(one is entry for one in debited):
            seen.unpaid.append(entry.name)
        if seen.reads:
            seen.reads[-1].entries.append(entry)
        sd = entry.l2_sensitivity / entry.mu
        released = np.rint(release.value / part.scale)
        for found in split(part.symmetric, whole(exact), released, sd):
            seen.noise.append(Noise(entry.name, *found))
        return release

    records.add_noise, Ledger.debit, ArrayRows.sum = (
        noting_noise,
        noting_debit,
        noting_read,
    )
    try:
        yield seen
    finally:
        records.add_noise, Ledger.debit, ArrayRows.sum = add, debit, read


def fitted(estimator, X, y=None, **given):
    """Return a fitted estimator, and what its fit did."""
    with watched() as seen:
        estimator.fit(X, y, **given)
    return estimator, seen
