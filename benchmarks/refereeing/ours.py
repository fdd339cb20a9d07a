"""Our estimators, for referees."""

import math
from functools import partial

import numpy as np

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm._audit.attributes import attributes_of
from skdpgmm._audit.canaries import guesses
from skdpgmm._audit.neighbours import Dataset
from skdpgmm._audit.runs import Pair, Seeds, paths
from skdpgmm.privacy import records
from skdpgmm.privacy.noise import WORD_BITS

DELTA = 1e-5
CLASSES = 3


def distance(symmetric, one, other):
    """Return how far apart sums of high and low words are, in units of their noise.

    Off the diagonal of a symmetric matrix the noise is smaller by the square root of 2.
    """
    high, low = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    moved = high * 2.0**WORD_BITS + low
    if symmetric:
        d = moved.shape[-1]
        upper = np.triu(np.full((d, d), math.sqrt(2.0)), 1) + np.eye(d)
        moved = moved * upper
    return float(np.linalg.norm(moved.ravel()))


def quiet(factor):
    """Divide all noise."""
    for name in ("add_lattice_gaussian", "add_symmetric_gaussian"):
        original = getattr(records, name)

        def add(sums, sd, source, original=original):
            return original(sums, sd / factor, source)

        setattr(records, name, add)


def one_record_of_two():
    """State the sensitivity of one record where a person has two."""
    records.unit_factor = lambda *_, **__: 1


class Ours:
    """An estimator with neighbours that differ in a record that is far out.

    It is there or not, or one of two that are `instead`.
    """

    def __init__(
        self,
        estimator,
        epsilon,
        labelled=False,
        fault=None,
        persons=False,
        instead=None,
    ):
        self.claim = {"epsilon": epsilon, "delta": DELTA}
        self.estimator = estimator.set_params(epsilon=epsilon)
        if fault is not None:
            fault()
        rng = np.random.default_rng(0)
        X = rng.uniform(-0.5, 0.5, (60, 3))
        y = np.arange(60) % CLASSES if labelled else None
        n = 2 if persons else 1
        far = np.full((n, 3), 1e3)
        with_one = None if y is None else np.append(y, [0] * n)
        ids = np.arange(60) if persons else None
        others = np.append(ids, [60] * n) if persons else None
        self.pair = (X, y, ids), (np.vstack([X, far]), with_one, others)
        if instead is not None:
            self.estimator.set_params(adjacency="replace-one")
            rows = (np.vstack([X, 1e3 * np.array([row])]) for row in instead)
            self.pair = tuple((one, None, None) for one in rows)

    def fit(self, data, seed):
        """Return the fitted estimator; without a seed noise is the system's."""
        X, y, ids = data
        given = {} if ids is None else {"privacy_ids": ids}
        return self.estimator.set_params(random_state=seed).fit(X, y, **given)

    def sample(self, data, seed):
        """Return the numbers that a fit publishes."""
        found = attributes_of(self.fit(data, seed))
        return np.concatenate([found[name] for name in sorted(found)])

    def hook(self, watched, _):
        """Have each addition of noise watched."""
        original = records.add_noise

        def add_noise(part, exact, entry, source):
            def noisy(words):
                return tuple(original(part, words, entry, source))

            sensitivity, sd = entry.l2_sensitivity, entry.l2_sensitivity / entry.mu
            metric = partial(distance, part.symmetric)
            out = watched(entry.name, noisy, exact, metric, sensitivity, sd, "gaussian")
            return records.Release(*out)

        records.add_noise = add_noise

    def scores(self, n):
        """Return likelihood ratios by transcripts, without the record and with it."""
        out, there = (Dataset(X, y, None) for X, y, _ in self.pair)
        seeds = Seeds(np.random.default_rng(0), False)
        pair = Pair(out, there, None)
        found = paths(self.estimator, pair, seeds, 2 * n, 1, 0)
        scores = np.array([path.score for path in found])
        return scores[::2], scores[1::2]

    def canaries(self, n):
        """Return scores of canaries that are not in a fit, and of those that are."""
        X = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, 64))
        seeds = Seeds(np.random.default_rng(0), False)
        (found,) = guesses(self.estimator, Dataset(X, None, None), n, seeds, 1, 1, 0)
        return found.scores[~found.inside], found.scores[found.inside]


# Recorded, and sampled: few runs show only what a small epsilon forbids.
MECHANISMS = {
    "DPPCA": partial(Ours, DPPCA(2), 4.0),
    "DPKMeans": partial(Ours, DPKMeans(3), 4.0),
    "DPGaussianMixture": partial(Ours, DPGaussianMixture(3), 4.0),
    "DPLogisticRegression": partial(Ours, DPLogisticRegression(), 4.0, labelled=True),
    "DPEmbeddingSynthesizer": partial(
        Ours, DPEmbeddingSynthesizer(), 4.0, labelled=True
    ),
    "DPPCA, replace-one, orthogonal": partial(
        Ours, DPPCA(2), 4.0, instead=([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    ),
    "DPPCA, replace-one, opposite": partial(
        Ours, DPPCA(2), 4.0, instead=([1.0, 0.0, 0.0], [-1.0, 0.0, 0.0])
    ),
    "DPPCA, epsilon 1": partial(Ours, DPPCA(2), 1.0),
    "fault: noise of DPPCA divided by 8": partial(
        Ours, DPPCA(2), 1.0, fault=partial(quiet, 8)
    ),
    "fault: DPPCA of persons, stated for records": partial(
        Ours,
        DPPCA(2, max_contributions=2),
        4.0,
        fault=one_record_of_two,
        persons=True,
    ),
}
