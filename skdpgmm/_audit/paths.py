"""What the releases of a fit tell of two neighbouring data sets.

The fit is made once more from its own releases. At each of them the exact sums of both
data sets are taken, in integers: so the distance of the neighbours along the path is
known without noise, and what is left of the release is its noise.
"""

from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._audit.searches import Score, WatchedSearch, rules_of, steps_before
from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.pipeline import PrivatePipeline
from skdpgmm._estimators.pipeline_steps import is_there
from skdpgmm._estimators.search_candidates import private_of
from skdpgmm._estimators.transcript import Transcript
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.recorded import Recorded, integers
from skdpgmm.privacy.bounded_sum import parts
from skdpgmm.privacy.noise import WORD_BITS

# Standard deviations in grid steps. Rounding adds a twelfth of a squared step to the
# variance of so much noise, and takes from that of much less.
_SMOOTH = 2.0


class Path(NamedTuple):
    """The releases of one fit, against two data sets.

    Attributes
    ----------
    names : list of str
        Of the parts of releases.
    shifts : ndarray of shape (n_parts,)
        Distance of the exact sums, in standard deviations of the noise.
    noise : ndarray of shape (n_parts,)
        Released less exact sums, along that distance, in the same units; of the first
        data set.
    mus : ndarray of shape (n_parts,)
        What was debited for each part.
    smooth : ndarray of bool of shape (n_parts,)
        Whether the noise has a few grid steps at least: less is no Gaussian when it is
        rounded.
    """

    names: list[str]
    shifts: np.ndarray
    noise: np.ndarray
    mus: np.ndarray
    smooth: np.ndarray

    @property
    def distance(self):
        """Mu of telling the two apart, if the noise is what is said."""
        return float(np.sqrt(np.sum(self.shifts**2)))

    @property
    def score(self):
        """Logarithm of the likelihood of the second data set over that of the first."""
        return float(self.shifts @ self.noise - 0.5 * np.sum(self.shifts**2))


class Teller(NamedTuple):
    """A fit that is a function of its own releases.

    Attributes
    ----------
    estimator : PrivateEstimator
    transcript : Transcript
    before : tuple of estimator
        Fitted steps that its rows go through first.
    """

    estimator: Any
    transcript: Transcript
    before: tuple[Any, ...]

    def tell(self, entries, sets, note):
        """Make the fit once more from its releases, and compare sets on the way.

        Parameters
        ----------
        entries, note
            As of `Compared`.
        sets : list of (Dataset, ndarray of bool or None)
            With the records of each that take part; None is all.
        """
        classes = self.transcript.classes
        rows = [
            ArrayRows(
                _through(self.before, data.X), data.codes(classes), kept, n_jobs=1
            )
            for data, kept in sets
        ]
        copied: Any = object.__new__(type(self.estimator))
        copied.__dict__ = dict(vars(self.estimator))
        copied._replay(self.transcript, partial(Compared, entries, rows, note))


class Transcripts(NamedTuple):
    """What has all releases of a fit.

    Attributes
    ----------
    tellers : tuple of Teller
        One, or those of a pipeline, or of a search, which has scores among them.
    ledger : tuple of LedgerEntry
        Of all of them, in order.
    dealt : sequence of callable, or None
        Of a search, whose releases are about parts of the records: what maps a data set
        to the mask of those that each teller is about.
    """

    tellers: tuple[Any, ...]
    ledger: Any
    dealt: Any = None

    def masks(self, data, max_contributions):
        """Yield which records of a data set take part, for each teller in turn."""
        kept = data.kept(max_contributions)
        if self.dealt is None:
            yield from repeat(kept, len(self.tellers))
            return
        for deal in self.dealt:
            part = deal(data)
            yield part if kept is None else kept & part


class Compared(Recorded):
    """Recorded releases that sets of rows are compared with, in the order of a fit.

    Parameters
    ----------
    entries : iterator of LedgerEntry
        One for each part of a release.
    sets : sequence of Rows
        Each is summed in the place of the records.
    note : callable
        ``note(entry, released, sums)`` gets each part of a release, in coordinates in
        which its noise is isotropic: its entry in the ledger, what was released, and
        the sums of each set.
    releases : sequence of sequence of ndarray
        As of `Recorded`.
    """

    def __init__(self, entries, sets, note, releases):
        super().__init__(releases)
        self._entries, self._sets, self._note = entries, sets, note

    def sum(self, query):
        """Return the noisy sums of the next release, when all sets were summed."""
        asked = parts(query)
        given = self._left[0] if self._left else ()
        # Without the number of records and the digest.
        sums = [rows.sum(query)[:-2] for rows in self._sets]
        for part, numbers, *words in zip(asked, given, *sums, strict=False):
            released = coordinates(part, integers(part, numbers))
            exact = [coordinates(part, _floats(pair)) for pair in words]
            self._note(next(self._entries), released, exact)
        return super().sum(query)


def coordinates(part, total):
    """Return sums as a vector whose norm is that of the sensitivity.

    Of a symmetric matrix these are the diagonal, and the upper triangle times the
    square root of 2.
    """
    if not part.symmetric:
        return np.ravel(total)
    d = part.shape[-1]
    rows, columns = np.triu_indices(d)
    return np.ravel(total[..., rows, columns] * np.where(rows == columns, 1.0, 2**0.5))


def with_transcript(fitted) -> Transcripts | None:
    """Return what of a fitted estimator has all releases, or None."""
    if isinstance(fitted, PrivatePipeline):
        return _told_of_steps(fitted)
    if isinstance(fitted, WatchedSearch):
        return _told_of_search(fitted)
    for one in (fitted, getattr(fitted, "synthesizer_", None)):
        if isinstance(one, PrivateEstimator) and one._transcript is not None:
            return Transcripts((Teller(one, one._transcript, ()),), one.privacy_.ledger)
    return None


def _told_of_steps(pipeline) -> Transcripts | None:
    there = [(name, step) for name, step in pipeline.steps if is_there(step)]
    tellers = []
    for i, (name, step) in enumerate(there):
        if name in pipeline._told:
            transcript = pipeline._told[name].transcript
            if transcript is None:
                return None
            before = tuple(one for _, one in there[:i])
            tellers.append(Teller(step, transcript, before))
    return Transcripts(tuple(tellers), pipeline.privacy_.ledger)


def _told_of_search(search) -> Transcripts | None:
    tellers: list[Any] = []
    for made in search.watched.made:
        if made.counts is not None:
            tellers.append(Score(made.estimator, made.counts, search.classes_))
            continue
        told = with_transcript(private_of(made.estimator).fitted)
        if told is None:
            return None
        (teller,) = told.tellers
        tellers.append(teller._replace(before=steps_before(made.estimator)))
    ledger = search.privacy_.ledger
    return Transcripts(tuple(tellers), ledger, rules_of(search))


def path_of(told, out, there, max_contributions=None) -> Path:
    """Return the path of a fit against data sets without and with a record."""
    shifts: list[float] = []
    noise: list[float] = []

    def note(entry, released, exact):
        without, with_it = exact
        sd = entry.l2_sensitivity / entry.mu
        moved = with_it - without
        length = float(np.sqrt(moved @ moved))
        shifts.append(length / sd)
        along = float((released - without) @ moved) / length if length else 0.0
        noise.append(along / sd)

    _replayed(told, [out, there], note, max_contributions)
    ledger = told.ledger
    mus = np.array([entry.mu for entry in ledger])
    names = [entry.name for entry in ledger]
    sds = np.array([entry.l2_sensitivity / entry.mu for entry in ledger])
    return Path(names, np.array(shifts), np.array(noise), mus, sds >= _SMOOTH)


def products_of(told, candidates) -> np.ndarray:
    """Return the inner products of what candidates add to the path of a fit.

    In units of the noise: the distance of neighbours that differ in candidate i is the
    root of entry (i, i), and of those where j stands in the place of i that of
    ``(i, i) + (j, j) - 2 (i, j)``.
    """
    products = np.zeros((len(candidates), len(candidates)))

    def note(entry, released, exact):
        nonlocal products
        moved = np.array(exact) * (entry.mu / entry.l2_sensitivity)
        products += moved @ moved.T

    # In whatever part of the records a search puts them, by another key each time.
    _replayed(told._replace(dealt=None), candidates, note)
    return products


def regression_of(told, known, candidates):
    """Return the path of a fit as a regression on the candidates that may be in it.

    Parameters
    ----------
    told : Transcripts
    known : Dataset
        Of which is known that it is there.
    candidates : list of Dataset

    Returns
    -------
    products : ndarray of shape (n_candidates, n_candidates)
        As of `products_of`.
    along : ndarray of shape (n_candidates,)
        Inner products of what candidates add with what was released, less the sums of
        `known`, in units of the noise.
    """
    products = np.zeros((len(candidates), len(candidates)))
    along = np.zeros(len(candidates))

    def note(entry, released, exact):
        nonlocal products, along
        out, *added = exact
        moved = np.array(added) * (entry.mu / entry.l2_sensitivity)
        products += moved @ moved.T
        along += moved @ (released - out) * (entry.mu / entry.l2_sensitivity)

    _replayed(told, [known, *candidates], note)
    return products, along


def _replayed(told, sets, note, max_contributions=None):
    """Make a fit once more from its releases, and compare data sets on the way."""
    entries = iter(told.ledger)
    masks = [told.masks(data, max_contributions) for data in sets]
    for one, *kept in zip(told.tellers, *masks, strict=True):
        one.tell(entries, list(zip(sets, kept, strict=True)), note)


def _through(steps, X):
    for step in steps:
        X = step.transform(X)
    return X


def _floats(words):
    """Return sums of high and low words, whose differences are exact below 2**53."""
    high, low = words.astype(np.float64)
    return high * 2.0**WORD_BITS + low
