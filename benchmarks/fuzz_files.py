"""Files of models, changed at random: each is refused, or is one of a fit.

One command::

    python -m benchmarks.fuzz_files

Files of every estimator that can be saved are changed in two ways: *bytes* are flipped,
cut off, put in, taken out or repeated anywhere; and parts are *forged*: parameters,
releases, attributes, shapes and types are others, or missing, under a digest that is
right. `load` must refuse such a file with a ValueError, or return what its releases
make, in little time and memory: a crash, another exception, more than ``--seconds``, or
a growth of the process beyond ``--megabytes`` is a fault.

A second table is of *one number* changed, by so little or so much as floats can be, and
given to `verify`: of files whose digest stays, and of files with one that is right.
The latter is what somebody who wants to deceive would write. What is not found then is
a release, or a part of it, that plays no part in the model.

The number of a change and the seed make it: ``--only kmeans:bytes:1234`` shows one. The
exit status is 1 when there are faults. All is written as JSON beside this file, or to
``--output``.
"""

import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from benchmarks.common.command import Results, parser_of
from benchmarks.fuzzing.forged_files import change_number, changed_bytes, forge
from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
    PrivatePipeline,
    PrivateSearchCV,
    load,
    verify,
)

# An int as seed makes the noise, and so the files, the same in each run.
MAKERS = {
    "kmeans": lambda seed: DPKMeans(3, random_state=seed),
    "mixture": lambda seed: DPGaussianMixture(3, random_state=seed),
    "synthesizer": lambda seed: DPEmbeddingSynthesizer(random_state=seed),
    "regression": lambda seed: DPLogisticRegression(
        n_random_features=8, random_state=seed
    ),
    "pca": lambda seed: DPPCA(2, random_state=seed),
    "pipeline": lambda seed: PrivatePipeline(
        [
            ("pca", DPPCA(2, random_state=seed)),
            ("kmeans", DPKMeans(3, random_state=seed)),
        ]
    ),
    "classifier": lambda seed: DPSyntheticClassifier(
        classifier=LogisticRegression(max_iter=30), n_samples=100, random_state=seed
    ),
    "search": lambda seed: PrivateSearchCV(
        DPLogisticRegression(), {"n_random_features": [0, 4]}, random_state=seed
    ),
}
WAYS = ("bytes", "forged")
_CHUNK = 250


class SlowError(BaseException):
    """Not an Exception: whatever reads a file must not take it for one of its own."""


def _alarm(*_):
    raise SlowError


# --- one change ----------------------------------------------------------------
def write_changed(saved, changed, way, seed):
    rng = np.random.default_rng(seed)
    if way == "bytes":
        changed.write_bytes(changed_bytes(saved.read_bytes(), rng))
    else:
        forge(saved, changed, rng)


def outcome(path, limit):
    """Return what `load` does with a file: refused, loaded, or a fault in words."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load(path)
    except ValueError:
        return "refused"
    except SlowError:
        return f"fault: not done after {limit:g} s"
    except Exception as error:
        return f"fault: {type(error).__name__}: {error}"[:200]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "loaded"


def peak():
    """Return the largest size that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_chunk(saved, way, limit, seeds):
    """Return the outcomes of many changes, faults with their numbers, and growth."""
    outcome(saved, limit)  # so that what a whole file needs is there
    before, found, faults = peak(), Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / "changed"
        for seed in seeds:
            write_changed(saved, changed, way, seed)
            what = outcome(changed, limit)
            found[what.partition(":")[0]] += 1
            if what.startswith("fault"):
                faults.append([seed[1], what])
    return found, faults, peak() - before


def run_numbers(saved, right_digest, seeds):
    """Return how many files of one changed number are found, and what is not."""
    found, missed = 0, Counter()
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / "changed"
        for seed in seeds:
            rng = np.random.default_rng(seed)
            where = change_number(saved, changed, rng, right_digest)
            try:
                passed = verify(changed).consistent
            except ValueError:
                passed = False
            found += not passed
            if passed:
                missed[where] += 1
    return found, missed


# --- many ----------------------------------------------------------------------
def saved_files(folder, seed):
    X, y = load_iris(return_X_y=True)
    files = {}
    for name, make in MAKERS.items():
        files[name] = Path(folder) / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make(seed).fit(X, y).save(files[name])
    return files


def chunks(seed, n):
    for start in range(0, n, _CHUNK):
        yield [(seed, i) for i in range(start, min(start + _CHUNK, n))]


def fuzz(pool, path, way, args, n):
    start, total, faults, growth = time.monotonic(), Counter(), [], 0.0
    work = partial(run_chunk, path, way, args.seconds)
    for found, bad, grown in pool.map(work, chunks(args.seed, n)):
        total += found
        faults += bad
        growth = max(growth, grown)
    return {
        **total,
        "faults": faults,
        "megabytes": growth,
        "seconds": time.monotonic() - start,
    }


def numbers(pool, path, right_digest, args, n):
    found, missed = 0, Counter()
    work = partial(run_numbers, path, right_digest)
    for one, other in pool.map(work, chunks(args.seed, n)):
        found += one
        missed += other
    return {"changed": n, "found": found, "not_found": dict(missed)}


def print_fuzz(name, way, found, args):
    n = sum(found.get(key, 0) for key in ("refused", "loaded", "fault"))
    print(
        f"{name:>12}  {way:7}{n:>9}{found.get('refused', 0):>9}"
        f"{found.get('loaded', 0):>8}{len(found['faults']):>7}"
        f"{found['megabytes']:>8.1f}{1e3 * found['seconds'] * args.jobs / n:>9.1f}",
        flush=True,
    )
    for number, what in found["faults"][:5]:
        print(f"{'':14}{name}:{way}:{number}  {what}")


def print_numbers(name, digest, found):
    missed = ", ".join(f"{k} ({v})" for k, v in sorted(found["not_found"].items()))
    print(
        f"{name:>12}  {digest:7}{found['changed']:>9}{found['found']:>9}  {missed}",
        flush=True,
    )


# --- command -------------------------------------------------------------------
def parse_arguments():
    parser = parser_of("fuzz_files", __doc__, "--jobs", "--fresh")
    parser.add_argument("--files", type=int, default=100_000, help="changed, in all")
    parser.add_argument("--numbers", type=int, default=1000, help="changed, of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20.0, help="for a file")
    parser.add_argument("--megabytes", type=float, default=200.0, help="of growth")
    parser.add_argument("--only", metavar="NAME:WAY:NUMBER", help="one change again")
    return parser.parse_args()


def show(files, args):
    name, way, number = args.only.split(":")
    changed = files[name].with_suffix(".changed")
    write_changed(files[name], changed, way, (args.seed, int(number)))
    try:
        print(load(changed))
    except Exception:
        traceback.print_exc()


def main():
    args = parse_arguments()
    settings = ("files", "numbers", "seed", "seconds", "megabytes")
    results, bad = Results(args, settings), False
    n = -(-args.files // (len(MAKERS) * len(WAYS)))
    with tempfile.TemporaryDirectory() as folder:
        files = saved_files(folder, args.seed)
        if args.only:
            show(files, args)
            return
        os.environ["OMP_NUM_THREADS"] = "1"
        with ProcessPoolExecutor(args.jobs) as pool:
            print(
                f"{'file':>12}  {'changed':7}{'files':>9}{'refused':>9}{'loaded':>8}"
                f"{'faults':>7}{'MB more':>8}{'ms each':>9}"
            )
            for name, path in files.items():
                for way in WAYS:
                    found = results.once(
                        name,
                        way,
                        measure=partial(fuzz, pool, path, way, args, n),
                    )
                    print_fuzz(name, way, found, args)
                    bad |= bool(found["faults"]) or found["megabytes"] > args.megabytes
            print(f"\n{'one number':>12}  {'digest':7}{'files':>9}{'found':>9}  missed")
            for name, path in files.items():
                for digest in ("stays", "right"):
                    found = results.once(
                        name,
                        f"number, digest {digest}",
                        measure=partial(
                            numbers, pool, path, digest == "right", args, args.numbers
                        ),
                    )
                    print_numbers(name, digest, found)
                    bad |= digest == "stays" and found["found"] < args.numbers
    results.save()
    sys.exit(int(bad))


if __name__ == "__main__":
    main()
