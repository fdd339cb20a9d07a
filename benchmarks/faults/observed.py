"""Fits that are watched: their noise, their accounts, and what a record adds to a sum.

Each look returns what is wrong, or None. None of them knows a fault: what the package
says of itself is compared with what was seen, by a few lines that share none with it.
"""

import dataclasses
import math
import random
from functools import cache
from itertools import count

import numpy as np
from randomgen import AESCounter
from scipy.optimize import brentq
from scipy.spatial import KDTree
from scipy.stats import chi2, kstest, norm

from benchmarks.faults.watching import fitted, whole
from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    PrivacyBudget,
)
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm.privacy.accounting import BudgetExceededError, LedgerEntry
from skdpgmm.privacy.noise import GaussianSource

# Chance at which a look is wrong about a package without a fault, of one test in it.
CHANCE = 1e-8
DELTA = 1e-5
# First numbers of this many sources: keys of less than 20 bits have some twice.
N_SOURCES = 5000


def made(n=100, d=12):
    """Return records and labels: some far out, at the middle, and twice the same."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    X[::10] *= 1e3
    X[5], X[6] = 0.0, X[7]
    return X, np.arange(n) % 3


def estimators(epsilon, **given):
    """Return estimators whose releases are of all kinds."""
    params = {"epsilon": epsilon, "delta": DELTA, **given}
    return [
        DPPCA(2, clip_norm=1.0, **params),
        DPPCA(2, **params),
        DPKMeans(2, **params),
        DPLogisticRegression(**params),
        DPGaussianMixture(2, **params),
        DPEmbeddingSynthesizer(2, **params),
    ]


@cache
def watched_fits():
    """Return what fits did, of estimators with much noise and with little."""
    X, y = made()
    return [
        fitted(estimator, X, y)
        for epsilon in (4.0, 100.0)
        for estimator in estimators(epsilon, block_size=64)
    ]


def noise():
    """Whether noise is Gaussian, of the size in the ledger, and hides what is finer."""
    rng = np.random.default_rng(0)
    groups = {}
    for _, seen in watched_fits():
        for one in seen.noise:
            if np.any(one.released % one.lattice):
                return f"{one.name} is finer than its noise"
            size = "little" if one.sd < 4.0 else "some" if one.sd < 2e3 else "much"
            for group in ("all", one.kind, size):
                groups.setdefault(group, []).append(one.uniforms(rng))
    for group, found in groups.items():
        u = np.concatenate(found)
        squares = float(np.sum(norm.ppf(np.clip(u, 1e-300, 1.0 - 1e-16)) ** 2))
        chances = {
            "shape": kstest(u, "uniform").pvalue,
            "variance": 2.0 * min(chi2.cdf(squares, len(u)), chi2.sf(squares, len(u))),
        }
        for what, chance in chances.items():
            if chance < CHANCE:
                return f"{what} of noise ({group}): chance of {chance:.1g}"
    return None


def repeated():
    """Whether noise is met twice: in a fit, or in two that are as alike as can be.

    What is drawn by a key that a fit publishes counts as met.
    """
    X, y = made()
    found = []
    for state in ("none", "none", "instance", "instance", "int"):
        for i, estimator in enumerate(estimators(4.0)):
            np.random.seed(0)  # noqa: NPY002
            random.seed(0)
            given = {"none": None, "instance": np.random.RandomState(0), "int": i}
            estimator.set_params(random_state=given[state])
            fit, seen = fitted(estimator, X, y)
            found += [one.normals for one in seen.noise if one.sd > 100.0]
            if state == "int":
                found += _drawn(fit._transcript.public_key, seen.noise)
    # Eight numbers, each within a few hundredths: by chance nowhere.
    first = np.array([numbers[:8] for numbers in found if len(numbers) >= 8])
    pairs = len(KDTree(first).query_pairs(0.04, p=np.inf))
    return f"{pairs} pairs of releases have the same noise" if pairs else None


def _drawn(key, noise):
    """Return the noise of a fit if its key were this one; a normal is of two draws."""
    rng = np.random.Generator(AESCounter(key=key))
    found = []
    for one in noise:
        drawn = rng.standard_normal(one.exact.shape)
        rng.standard_normal(one.exact.shape)
        found.append(drawn)
    return found


def keys():
    """Whether two sources of noise are the same."""
    first = [float(GaussianSource().standard_normal(1)[0]) for _ in range(N_SOURCES)]
    n_twice = N_SOURCES - len(set(first))
    return f"{n_twice} of {N_SOURCES} sources were there before" if n_twice else None


def mu_of(epsilon, delta):
    """Return the mu of epsilon and delta, by the formula of Balle and Wang."""

    def log_delta(mu):
        a = epsilon / mu
        first = norm.logcdf(mu / 2.0 - a)
        other = epsilon + norm.logcdf(-mu / 2.0 - a)
        return first + np.log1p(-np.exp(other - first)) - math.log(delta)

    return brentq(log_delta, 1e-3 * min(epsilon, 1.0), 10.0 * (1.0 + epsilon))


def total(mus):
    """Return the mu of all."""
    return math.sqrt(math.fsum(mu * mu for mu in mus))


def accounts():
    """Whether all is paid, before it is read, of a budget that lets no more through."""
    for estimator, seen in watched_fits():
        name = type(estimator).__name__
        if seen.unpaid:
            return f"{name}: {seen.unpaid[0]} is not in the ledger"
        if not all(read.paid for read in seen.reads):
            return f"{name}: records are read before that is paid"
        budget = mu_of(estimator.epsilon, DELTA)
        spent = total(one.mu for read in seen.reads for one in read.entries)
        if spent > budget * (1.0 + 1e-9):
            return f"{name}: mu={spent:.6g} was spent, of {budget:.6g}"
        for over in (1e-6, 1e-4, 1e-3, 3e-3, 1e-2, 0.1, 1.0):
            more = math.sqrt((budget * (1.0 + over)) ** 2 - spent**2)
            try:
                seen.ledgers[-1].debit([LedgerEntry("more", (), 1.0, more)])
            except BudgetExceededError:
                continue
            return f"{name}: {over:.2g} of the budget more is let through"
    return None


def projects():
    """Whether fits that a budget of a project lets through keep to it together."""
    X, _y = made()
    budget = PrivacyBudget(epsilon=2.0, delta=DELTA)
    mus = []
    for epsilon in (1.0, 0.7, *[0.5] * 20):
        try:
            DPPCA(2, epsilon=epsilon, delta=DELTA).fit(X, budget=budget)
        except BudgetExceededError:
            continue
        mus.append(mu_of(epsilon, DELTA))
    spent, most = total(mus), mu_of(2.0, DELTA)
    if spent > most * (1.0 + 1e-9):
        return f"{len(mus)} fits cost mu={spent:.4g} together, of {most:.4g}"
    return None


def plans():
    """Whether a plan has the releases of a fit, in order."""
    X, y = made()
    for estimator in (DPPCA(2, clip_norm=1.0), DPPCA(2), DPKMeans(2, clip_norm=1.0)):
        _, seen = fitted(estimator, X, y)
        names = [one.name for read in seen.reads for one in read.entries]
        planned = [one.name for one in estimator.plan(*X.shape).ledger]
        if names != planned:
            return (
                f"{type(estimator).__name__} releases {len(names)}, as planned "
                f"{len(planned)}"
            )
    return None


def alone():
    """Whether a sum is that of its records, each alone, and none is longer than stated.

    Queries are asked again with public numbers that are far larger, which clips and
    exponentials have to stand.
    """
    # The last of a kind: what is public at first is often zero.
    last = {
        (type(read.query), read.query.moments): read
        for _, seen in watched_fits()
        for read in seen.reads
        if read.entries
    }
    for read in last.values():
        for factor in (1.0, 1e3):
            query = larger(read.query, factor)
            if wrong := _not_additive(read, query):
                return f"{read.entries[0].name}, times {factor:g}: {wrong}"
    return None


def larger(query, factor):
    """Return a query whose public numbers are about so many times larger."""
    if factor == 1.0:
        return query
    rng = np.random.default_rng(0)

    def changed(value):
        # Each by another factor: coefficients of classes that add up to zero hide much.
        found = factor * value * rng.uniform(0.5, 2.0, size=value.shape)
        return np.sort(found) if np.all(np.diff(value) >= 0.0) else found

    numbers = {
        one.name: changed(value)
        for one in dataclasses.fields(query)
        if isinstance(value := getattr(query, one.name), np.ndarray)
        and value.dtype == np.float64
    }
    return dataclasses.replace(query, **numbers)


def _not_additive(read, query):
    X, codes = read.rows._X, read.rows._codes
    codes = np.zeros(len(X), dtype=np.intp) if codes is None else codes
    together = read.sums
    if query is not read.query:
        *together, _, _ = ArrayRows(X, codes).sum(query)
    sums = [np.zeros_like(whole(words)) for words in together]
    for i in range(len(X)):
        *single, _, _ = ArrayRows(X[[i]], codes[[i]]).sum(query)
        for part, words, entry in zip(sums, single, read.entries, strict=True):
            own = whole(words)
            part += own
            if math.sqrt(math.fsum((own * own).ravel())) > entry.l2_sensitivity:
                return f"record {i} is longer than stated"
    both = zip(sums, together, strict=True)
    if not all(np.array_equal(part, whole(words)) for part, words in both):
        return "the sum is not that of the records alone"
    return None


# Ids that are easily taken for each other.
IDS = {
    "large integers": lambda i: np.array(i) + 2**60,
    "digits": lambda i: np.array([f"{2**60 + k}" for k in i]),
    "decimals": lambda i: np.array([f"1.{'0' * k}" for k in i]),
    "words": lambda i: np.array([f"{'A' if k % 2 else 'a'}{k // 2}" for k in i]),
    "objects": lambda i: np.array([k if k % 2 else str(k - 1) for k in i], object),
}


def persons():
    """Whether as many records are counted as persons may have, whatever their ids."""
    X, _y = made(90)
    numbers = [k % 25 for k in range(90)]
    for name, ids_of in IDS.items():
        ids = ids_of(numbers)
        for most in (1, 2):
            taken, left = 0, {}
            for one in ids.tolist():
                left.setdefault(one, count())
                taken += next(left[one]) < most
            estimator = DPPCA(2, max_contributions=most)
            _, seen = fitted(estimator, X, privacy_ids=ids)
            # All records are somewhere in the histogram of norms.
            counted = seen.noise[0].exact.sum()
            if counted != taken:
                return f"{name}: {counted:g} records are counted, of {taken}"
    return None


LOOKS = (noise, repeated, keys, accounts, projects, plans, alone, persons)
