"""What the runs of an audit add up to."""

from __future__ import annotations

import math

import numpy as np

from skdpgmm._audit.attributes import as_table, learned_scores
from skdpgmm._audit.bounds import (
    gaussian_bound,
    inverse_variance,
    is_quiet,
    lower_bound,
    separation,
)
from skdpgmm._audit.one_run import bound_of_guesses, p_value
from skdpgmm._audit.result import Guesses, Tightness


def by_transcript(found, confidence):
    """Return what paths tell, by the ratio of likelihoods, whose threshold is 0.

    Parameters
    ----------
    found : list of Path
        Of runs, of which every other one has the unit.
    confidence : float
        Of each bound.

    Returns
    -------
    told : dict
        Of attributes of `AuditResult`.
    """
    scores = np.array([path.score for path in found])
    releases, estimate = _releases(found, confidence)
    lengths, noise = _along(found)
    return {
        "bound": _counted(scores, inside(len(found)), confidence),
        "estimate": estimate,
        "gaussian_bound": gaussian_bound(lengths, noise, confidence),
        "distance": float(max(path.distance for path in found)),
        "releases": releases,
    }


def by_attributes(found, confidence):
    """Return what attributes tell, by a rule that is learned on half of the runs.

    Parameters
    ----------
    found : list of dict
        Attributes of runs, of which every other one has the unit.
    confidence : float
        Of the bound.

    Returns
    -------
    told : dict
        Of attributes of `AuditResult`.
    """
    there = inside(len(found))
    scores = learned_scores(as_table(found), there)
    there = there[-len(scores) :]
    return {
        "bound": _counted(scores, there, confidence),
        "estimate": separation(scores[~there], scores[there]),
        "gaussian_bound": math.nan,
        "distance": math.nan,
    }


def by_canaries(found, n_guesses, epsilon, delta, confidence):
    """Return what guesses at canaries tell, where they are the surest.

    Parameters
    ----------
    found : list of Guessed
        Of independent runs: coins of all of them are guessed at together.
    n_guesses : int
        Fixed before.
    epsilon, delta : float
        What is claimed.
    confidence : float
        Of the bound.

    Returns
    -------
    told : dict
        Of attributes of `AuditResult`.
    """
    there, scores, distances, noise = map(np.concatenate, zip(*found, strict=True))
    surest = np.argsort(-np.abs(scores), kind="stable")[:n_guesses]
    n_right = int(np.sum((scores[surest] > 0.0) == there[surest]))
    counts = n_right, n_guesses, len(scores)
    length = float(np.sqrt(np.mean(distances**2)))
    return {
        "bound": bound_of_guesses(*counts, confidence),
        "estimate": length * float(np.sqrt(inverse_variance(noise))),
        "gaussian_bound": math.nan,
        "distance": float(distances.max()),
        "guesses": Guesses(*counts, p_value(*counts, epsilon, delta)),
    }


def inside(n_runs):
    """Return which runs have the unit."""
    return np.arange(n_runs) % 2 == 1


def _counted(scores, there, confidence):
    alarms, missed = np.sum(scores[~there] > 0.0), np.sum(scores[there] <= 0.0)
    n_in = int(np.sum(there))
    return lower_bound(alarms, len(scores) - n_in, missed, n_in, confidence)


def _along(found):
    """Return how far apart sums are, and the noise along, of smooth parts of runs."""
    distances, noise = [], []
    for i, path in enumerate(found):
        shifts = path.shifts * path.smooth
        if length := float(np.sqrt(np.sum(shifts**2))):
            distances.append(length)
            own = float(shifts @ path.noise) / length
            # Standard normal, if sums move and noise is as it is claimed.
            noise.append(own - length if i % 2 else own)
    return np.array(distances), np.array(noise)


def _releases(found, confidence):
    """Return what is found of each part of a release, and an estimate of mu.

    The estimate has the distances of sums, and the measured noise of each part: so it
    takes that of different releases to be independent.
    """
    of_parts: dict[str, list[list[float]]] = {}
    for i, path in enumerate(found):
        noise = path.noise - (path.shifts if i % 2 else 0.0)
        total = float(np.sum(path.mus**2))
        for name, *numbers in zip(
            path.names,
            path.mus**2 / total,
            path.shifts,
            path.mus,
            noise,
            path.smooth,
            strict=True,
        ):
            of_parts.setdefault(name, []).append(numbers)
    each = 1.0 - (1.0 - confidence) / len(of_parts)
    n, squared = len(found), 0.0
    releases = []
    for name, rows in of_parts.items():
        share, shifts, mus, noise, smooth = np.array(rows).T
        moved = noise[(shifts > 0.0) & (smooth > 0.0)]
        attained = float(np.sqrt(np.mean((shifts / mus) ** 2)))
        measured = float(np.sqrt(np.mean(moved**2))) if len(moved) else np.nan
        quiet = len(moved) > 0 and is_quiet(moved, each)
        releases.append(
            Tightness(name, float(share.sum()) / n, attained, measured, quiet)
        )
        variance = inverse_variance(moved) if len(moved) else 1.0
        squared += float(np.sum(shifts**2)) * variance
    return tuple(releases), float(np.sqrt(squared / n))
