"""Compare two files of results: what is slower, or less accurate, than before.

One command, of a kept file and a new one, or of any two of one benchmark::

    python -m benchmarks.compare benchmarks/results/scaling.json benchmarks/scaling.json

Compared are ratios of two times that one run has taken in turn, as times alone are
those of a machine; accuracies and other scores; and losses and distances. Over the
seeds it is their mean. A change counts beyond a tolerance: ``--times`` and ``--losses``
are factors, ``--scores`` a difference. The command prints what has changed beyond it
in either direction, and fails where something is worse, or nothing can be compared.
"""

import argparse
import math
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.keep import read

# What a number is, by the name it stands under: a kind, and whether more is better.
MEASURES = {
    "ratio": ("times", False),
    "time ratio": ("times", False),
    "accuracy": ("scores", True),
    "precision": ("scores", True),
    "recall": ("scores", True),
    "coverage": ("scores", True),
    "gap": ("scores", True),
    "log loss": ("losses", False),
    "frechet": ("losses", False),
    "area": ("losses", False),
}


# A distance of zero has no factor to it.
TINY = 1e-12


class Change(NamedTuple):
    """One number, before and now."""

    place: tuple
    old: float
    new: float

    @property
    def kind(self):
        return MEASURES[self.place[-1]][0]

    @property
    def loss(self):
        """How much worse it is, below zero if better: a score, or log of a factor."""
        rises = self.new - self.old
        if self.kind != "scores":
            rises = math.log(max(self.new, TINY) / max(self.old, TINY))
        return -rises if MEASURES[self.place[-1]][1] else rises


def numbers(entry, place=()):
    """Yield the place and value of all that can be compared, over seeds the mean."""
    seeds = [inner for key, inner in entry.items() if key.startswith("seed ")]
    if seeds:
        found = {}
        for seed in seeds:
            for inner, value in numbers(seed):
                found.setdefault(inner, []).append(value)
        for inner, values in found.items():
            yield (*place, *inner), float(np.mean(values))
        return
    for key, inner in entry.items():
        if isinstance(inner, dict):
            yield from numbers(inner, (*place, key))
        elif key in MEASURES and isinstance(inner, int | float):
            yield (*place, key), inner


def changes(old, new):
    """Return what two documents have in common, and what only the old one has."""
    old, new = dict(numbers(old["results"])), dict(numbers(new["results"]))
    common = [Change(p, old[p], new[p]) for p in old if p in new]
    return common, [place for place in old if place not in new]


def judged(common, tolerances):
    """Return the changes beyond the tolerance: those for the worse, and the others.

    Parameters
    ----------
    common : list of Change
        All that can be compared.
    tolerances : dict
        By kind: the difference of a score, the factor of a time or a loss.
    """
    limits = {
        kind: value if kind == "scores" else math.log(value)
        for kind, value in tolerances.items()
    }
    worse = [one for one in common if one.loss > limits[one.kind]]
    better = [one for one in common if -one.loss > limits[one.kind]]
    return worse, better


def print_changes(title, found):
    if found:
        print(f"\n{title}")
    for one in sorted(found, key=lambda one: -abs(one.loss)):
        print(f"  {', '.join(one.place)}: {one.old:.4g} -> {one.new:.4g}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description=__doc__.splitlines()[0]
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--times", type=float, default=1.25, help="a factor")
    parser.add_argument("--losses", type=float, default=1.1, help="a factor")
    parser.add_argument("--scores", type=float, default=0.01, help="a difference")
    return parser.parse_args()


def main():
    args = parse_arguments()
    old, new = read(args.old), read(args.new)
    if old["benchmark"] != new["benchmark"]:
        sys.exit(f"{old['benchmark']} and {new['benchmark']} are two benchmarks")
    common, missing = changes(old, new)
    if not common:
        sys.exit("nothing is in both files")
    if old["machine"] != new["machine"]:
        print("The machines differ, and so may ratios of times.")
    tolerances = {kind: getattr(args, kind) for kind in ("times", "losses", "scores")}
    worse, better = judged(common, tolerances)
    print_changes("Worse", worse)
    print_changes("Better", better)
    counts = Counter(one.kind for one in common)
    said = ", ".join(f"{n} {kind}" for kind, n in counts.items())
    print(
        f"\n{said}: {len(worse)} worse and {len(better)} better beyond the tolerance; "
        f"{len(missing)} are not in the new file"
    )
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
