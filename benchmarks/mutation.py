"""Mutation testing of the privacy core: which small faults do its tests find?

For each module, or some of them::

    python -m benchmarks.mutation
    python -m benchmarks.mutation noise grid --every 5
    python -m benchmarks.mutation --survivors    # again, those that survived

A mutant is a module with one fault: another operator, comparison or constant, a
statement left out, arguments swapped. It is run against the tests of its module, and
with ``--near``, when these pass, against those of what uses it. A mutant that no test
finds is either explained in ``mutation_explained.json``, or a guarantee that is not
tested: the exit status says whether there is one. Of a module with hundreds of mutants
a sample is quicker: ``--every`` takes each n-th. An interrupted run goes on where it
was, until ``--fresh``. Results are written as JSON beside this file, or to
``--output``.
"""

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("SCIPY_ARRAY_API", "1")

from benchmarks.common.command import RESULTS, Results, parser_of
from benchmarks.mutating.mutants import mutants
from benchmarks.mutating.trials import ROOT, Copy

MODULES = (
    "bounded_sum",
    "products",
    "noise",
    "accounting",
    "grid",
    "records",
    "composition",
    "parts",
    "steps",
    "plan",
)
# Run where the tests of the module pass: what uses it most.
NEIGHBOURS = (
    "tests/privacy",
    "tests/queries/test_cells.py",
    "tests/queries/test_privacy_neighbours.py",
    "tests/rows/test_blocks.py",
)
EXPLAINED = RESULTS / "mutation_explained.json"


def tests_of(module):
    """Return the files of tests of a module of the core."""
    folder = ROOT / "tests" / "privacy"
    names = [
        path.name
        for pattern in (f"test_{module}.py", f"test_{module}_*.py")
        for path in sorted(folder.glob(pattern))
    ]
    return [f"tests/privacy/{name}" for name in names]


def tried(copy, path, mutant, tests, seconds):
    """Return how a mutant was found, if it was, and in what time."""
    start = time.perf_counter()
    found = copy.first_failure(path, mutant.source, tests, seconds)
    return {"found_by": found, "seconds": round(time.perf_counter() - start, 1)}


def measured(copy, module, args, results):
    """Try the mutants of a module, and say so as they come."""
    path = f"skdpgmm/privacy/{module}.py"
    source, tests = (ROOT / path).read_text(), tests_of(module)
    start = time.perf_counter()
    if failed := copy.first_failure(path, source, tests, 600):
        sys.exit(f"{module} fails without any fault: {failed}")
    seconds = 10 + 4 * (time.perf_counter() - start)
    every, known = mutants(source), results.entry(module)
    for name in known.keys() - {mutant.name for mutant in every}:
        del known[name]  # the text is another by now
    asked = [mutant for mutant in every if args.only in mutant.name]
    for mutant in asked[:: args.every]:
        if args.survivors and known.get(mutant.name, {"found_by": ""})["found_by"]:
            continue
        if args.survivors:
            known.pop(mutant.name, None)
        if mutant.name not in known:
            known[mutant.name] = tried(copy, path, mutant, tests, seconds)
        if known[mutant.name]["found_by"] is None and args.near:
            known[mutant.name] = tried(copy, path, mutant, NEIGHBOURS, 600)
        if known[mutant.name]["found_by"] is None:
            print(f"{module}.{mutant.name}", flush=True)
        results.save()


def print_table(results, explained):
    """Print how many mutants of each module were found; return what is open."""
    still_open = []
    print(
        f"\n{'':14}{'mutants':>9}{'found':>7}{'explained':>11}{'open':>6}{'share':>8}"
    )
    for module, of in results.items():
        survivors = [name for name, one in of.items() if one["found_by"] is None]
        reasons = explained.get(module, {})
        left = [name for name in survivors if name not in reasons]
        still_open += [f"{module}.{name}" for name in left]
        n_found, n_left = len(of) - len(survivors), len(left)
        share = 1 - n_left / max(len(of), 1)
        print(
            f"{module:14}{len(of):9}{n_found:7}{len(survivors) - n_left:11}"
            f"{n_left:6}{share:8.1%}"
        )
    for name in still_open:
        print(f"open: {name}")
    return still_open


def main():
    parser = parser_of("mutation", __doc__, "--fresh")
    parser.add_argument("modules", nargs="*", help="of privacy/ (default: all)")
    parser.add_argument("--every", type=int, default=1, help="only each n-th mutant")
    parser.add_argument("--only", default="", help="those with this in their name")
    parser.add_argument(
        "--near", action="store_true", help="tests of neighbours too, minutes for each"
    )
    parser.add_argument(
        "--survivors", action="store_true", help="those again that survived"
    )
    args = parser.parse_args()
    if unknown := set(args.modules) - set(MODULES):
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    results = Results(args)
    with Copy() as copy:
        for module in args.modules or MODULES:
            measured(copy, module, args, results)
    results.save()
    explained = json.loads(EXPLAINED.read_text()) if EXPLAINED.exists() else {}
    return int(bool(print_table(results.results, explained)))


if __name__ == "__main__":
    sys.exit(main())
