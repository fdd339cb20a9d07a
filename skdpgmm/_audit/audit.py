"""How private a fit is, measured by attacks on it."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
)
from sklearn.utils.validation import check_array, check_consistent_length

from skdpgmm._audit.bounds import claimed_mu, ideal_bound, smallest_shown
from skdpgmm._audit.canaries import guesses
from skdpgmm._audit.neighbours import Dataset, candidates, farthest
from skdpgmm._audit.one_run import limits_of_guesses
from skdpgmm._audit.paths import with_transcript
from skdpgmm._audit.result import NOT_PRIVATE, AuditResult
from skdpgmm._audit.runs import (
    Pair,
    Seeds,
    attributes,
    fitted,
    paths,
)
from skdpgmm._audit.verdicts import by_attributes, by_canaries, by_transcript
from skdpgmm._estimators.randomness import entropy_of, is_seed, warn
from skdpgmm._rows.labels import label_column
from skdpgmm._rows.plain import plain
from skdpgmm._typed import validate_params
from skdpgmm.exceptions import PrivacyLeakWarning
from skdpgmm.privacy.noise import make_generator

# Fits that the claim is read from, and on which the unit is looked for.
_N_PILOTS = {"transcript": 2, "attributes": 2, "canaries": 1}
_FEWEST_RUNS = 20


@validate_params(
    {
        "estimator": [HasMethods(["fit", "get_params"])],
        "X": ["array-like"],
        "y": ["array-like", None],
        "n_runs": [Interval(Integral, 1, None, closed="left"), None],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "attack": [StrOptions({"transcript", "attributes", "canaries"})],
        "n_canaries": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def audit(
    estimator,
    X,
    y=None,
    *,
    n_runs=None,
    confidence=0.95,
    attack="transcript",
    n_canaries=400,
    n_jobs=None,
    verbose=0,
    random_state=None,
) -> AuditResult:
    """Measure how much a fit tells of one unit, by attacking it.

    The estimator is fitted `n_runs` times, every other time with one unit more, or with
    another one in its place, as its adjacency says. The unit is looked for that moves
    the releases farthest. An attacker, who knows all records and both units, then has
    to tell from a fit which of the data sets it was. How often he is right bounds the
    true mu from below.

    Parameters
    ----------
    estimator : estimator
        A private one, with a finite epsilon. It is cloned.
    X : array-like of shape (n_samples, n_features)
        Records that are public or made up, at least 2: they are read exactly.
    y : array-like of shape (n_samples,), default=None
        Their labels.
    n_runs : int, default=None
        Number of fits that are attacked, at least 20; None is 200. Of "canaries" at
        least 1, and None is 1.
    confidence : float, default=0.95
        Of all bounds together, in (0, 1): a fit that keeps its claim passes with at
        least this probability.
    attack : {"transcript", "attributes", "canaries"}, default="transcript"
        What the attacker sees. "transcript" is every release, as `privacy_` lists
        them, which is all that a fit is a function of. The ratio of likelihoods is
        computed from the exact sums of both data sets, so that no attack is stronger.
        "attributes" are the fitted attributes: a linear rule is learned on the first
        half of the runs, and counted on the second. It is weaker, works for every
        estimator that has `privacy_`, and knows nothing of how a fit works. "canaries"
        puts many made-up records into one fit, each by a fair coin, and guesses from
        its transcript which of them are there: one fit tells as much as many. For
        "add-remove" without `max_contributions`.
    n_canaries : int, default=400
        Made-up records for each fit, of which about half are in it, of "canaries".
    n_jobs : int, default=None
        Processes that fit; None is one.
    verbose : int, default=0
        How much is told of the progress, as in `joblib.Parallel`.
    random_state : int, RandomState instance or None, default=None
        Of the units that are tried, and of the fits. With an int the noise follows from
        it too, and the audit is reproducible; otherwise each fit has noise from the
        operating system, as in use.

    Returns
    -------
    result : AuditResult
        Claim, bounds and estimate, and what as many runs can show at best. It prints,
        and has everything in `to_dict`.

    Raises
    ------
    ValueError
        When an argument is not legal, epsilon is infinite, or an estimator has other
        than its own releases in its fits and `attack` is "transcript".

    Warns
    -----
    PrivacyLeakWarning
        Always: what an audit finds is not private.

    See Also
    --------
    verify : Check a file of a fitted model.

    Notes
    -----
    Privacy: none. An audit computes exact sums of `X`. Never give it private records,
    and never publish what it has found of such.

    The bound is that of Clopper and Pearson on both errors of the attacker, of a test
    that was fixed before. Of canaries it is that of [3]_, for any dependence among the
    guesses, and `guesses` has the p-value of [4]_. A bound of no more than the claim
    shows that no fault was found, not that there is none.

    References
    ----------
    .. [1] J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of
       the Royal Statistical Society B 84(1), 2022.

    .. [2] M. Jagielski, J. Ullman, A. Oprea, "Auditing Differentially Private Machine
       Learning: How Private is Private SGD?", NeurIPS 2020.

    .. [3] S. Mahloujifar, L. Melis, K. Chaudhuri, "Auditing f-Differential Privacy in
       One Run", ICML 2025.

    .. [4] T. Steinke, M. Nasr, M. Jagielski, "Privacy Auditing with One (1) Training
       Run", NeurIPS 2023.

    Examples
    --------
    >>> import warnings
    >>> from sklearn.datasets import load_iris
    >>> from skdpgmm import DPPCA, audit
    >>> X, _ = load_iris(return_X_y=True)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     result = audit(DPPCA(2, epsilon=4.0), X, n_runs=40, random_state=0)
    >>> result.passed
    True
    >>> result.distance / result.mu > 0.95
    True
    """
    X, y = _checked(X, y)
    n_runs = _number_of_runs(n_runs, attack)
    bound = _bound_of(estimator)
    warn(f"An audit has {NOT_PRIVATE}.", PrivacyLeakWarning)
    seeds = Seeds(
        make_generator(entropy_of(random_state), "audit"), is_seed(random_state)
    )
    data = Dataset(X, y, None if bound is None else np.arange(len(X)))
    pilots = [fitted(estimator, data, seeds.next()) for _ in range(_N_PILOTS[attack])]
    report = _claim(estimator, pilots[0])
    # Not that of the report, which the package has computed.
    mu = claimed_mu(report.epsilon, report.delta)
    runs = seeds, n_runs, n_jobs, verbose
    if attack == "canaries":
        _check_canaries(pilots[0], report, bound)
        limits = limits_of_guesses(mu, n_runs * n_canaries, confidence)
        n_guesses, ceiling, smallest = limits
        found = guesses(estimator, data, n_canaries, *runs)
        told = by_canaries(found, n_guesses, report.epsilon, report.delta, confidence)
    else:
        pair = _neighbours(data, pilots, report.adjacency, bound, attack, seeds)
        # Two bounds and the noise of releases are looked at by transcript.
        each = 1.0 - (1.0 - confidence) / (3.0 if attack == "transcript" else 1.0)
        ceiling, smallest = _limits(mu, n_runs, attack, each)
        run, verdict = {
            "transcript": (paths, by_transcript),
            "attributes": (attributes, by_attributes),
        }[attack]
        told = verdict(run(estimator, pair, *runs), each)
    return AuditResult(
        estimator=type(estimator).__name__,
        attack=attack,
        adjacency=report.adjacency,
        unit=report.unit,
        n_runs=n_runs,
        epsilon=report.epsilon,
        delta=report.delta,
        mu=mu,
        confidence=confidence,
        ceiling=ceiling,
        smallest_shown=smallest,
        **told,
    )


def _neighbours(data, pilots, adjacency, bound, attack, seeds):
    """Return the data sets that differ in the unit that moves the pilots farthest."""
    tellers = [with_transcript(pilot) for pilot in pilots]
    if None not in tellers:
        units = farthest(data, tellers, adjacency, seeds.rng)
    elif attack == "transcript":
        raise ValueError(_no_transcript(pilots[0], attack))
    else:
        units = tuple(candidates(data, seeds.rng)[-2:])
    sets = [data.with_unit(unit, bound) for unit in units]
    if adjacency == "add-remove":
        sets = [data, sets[0]]
    return Pair(sets[0], sets[1], bound)


def _limits(mu, n_runs, attack, confidence):
    n_tested = n_runs if attack == "transcript" else n_runs - n_runs // 2
    numbers = mu, n_tested - n_tested // 2, n_tested // 2, confidence
    return ideal_bound(*numbers), smallest_shown(*numbers)


def _number_of_runs(n_runs, attack):
    if attack == "canaries":
        return 1 if n_runs is None else n_runs
    if n_runs is not None and n_runs < _FEWEST_RUNS:
        raise ValueError(
            f"n_runs must be at least {_FEWEST_RUNS}, but for canaries, got {n_runs}."
        )
    return 200 if n_runs is None else n_runs


def _check_canaries(pilot, report, bound):
    if with_transcript(pilot) is None:
        raise ValueError(_no_transcript(pilot, "canaries"))
    if report.adjacency != "add-remove" or bound is not None:
        raise ValueError(
            "attack can be 'canaries' where one record is there or not: adjacency must "
            f"be 'add-remove' and max_contributions None, got {report.adjacency!r} and "
            f"{bound}."
        )


def _no_transcript(pilot, attack):
    return (
        f"attack must be 'attributes' for this {type(pilot).__name__}, as its own "
        f"releases are not all that makes its fits, got {attack!r}."
    )


def _checked(X, y):
    X = check_array(plain(X), dtype=[np.float64, np.float32], ensure_min_samples=2)
    if y is not None:
        y = label_column(y)
        check_consistent_length(X, y)
    return X, y


def _bound_of(estimator):
    """Return how many records of a unit take part, or None."""
    params = estimator.get_params(deep=True)
    own = [name for name in params if name.split("__")[-1] == "max_contributions"]
    return next((params[name] for name in own if params[name] is not None), None)


def _claim(estimator, pilot):
    report = getattr(pilot, "privacy_", None)
    if report is None:
        raise ValueError(
            f"estimator must be a private one, with a report as privacy_, got a "
            f"{type(estimator).__name__}."
        )
    if math.isinf(report.mu):
        raise ValueError("epsilon must be finite for an audit, got inf.")
    return report
