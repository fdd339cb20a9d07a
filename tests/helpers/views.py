"""Records behind a view, for tests of what algorithms do with releases."""

import math

import numpy as np

from skdpgmm._algorithms.view import View
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm.privacy.accounting import Ledger
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.noise import GaussianSource
from skdpgmm.privacy.records import PrivateRecords

# The unit of privacy, for `PrivateRecords`.
ONE_RECORD = {"adjacency": "add-remove", "max_contributions": 1}


def view_of(X, codes=None, *, radius=100.0, center=None, mu=math.inf):
    """Return a view of rows through a ball, and the ledger of its releases.

    The number of records is known; with a budget of inf nothing has noise.
    """
    ledger = Ledger(mu)
    records = PrivateRecords(
        ArrayRows(X, codes), ledger=ledger, source=GaussianSource(0), **ONE_RECORD
    )
    d = X.shape[1]
    center = np.zeros(d) if center is None else np.array(center, dtype=float)
    view = View(records, Ball(center, radius), np.random.default_rng(0), len(X))
    return view, ledger


def names_of(ledger):
    """Return the names of releases, without those of their parts."""
    names = [entry.name.split(":")[0] for entry in ledger.entries]
    return list(dict.fromkeys(names))
