"""Whether the checks of the package notice faults that are planted in copies of it.

One command, about twenty minutes on two cores::

    python -m benchmarks.planted_faults

Each fault is a small change of one file, in a copy in a temporary folder, as somebody
might make it who means well. Four checks look at the copy:

tests
    a few, named for each fault.
audit
    `skdpgmm.audit`, which attacks fits and counts how often it is right.
verify
    `skdpgmm.verify`, which has the file of a model only.
observed
    somebody who stands beside the records: of each fit he sees what is read, what is
    debited and what noise is added, and computes by formulas of his own what they
    should be; and puts algorithms, row sources and streams that do as they like in the
    place of ours. `benchmarks/faults/observed.py` and `hostile.py`.

Only tests and audits are named for a fault; what is observed is the same for all. A
check that says something is wrong, or ends in an error, has noticed. The package as it
is has to pass every one of them, which is looked at last. A fault whose text is no
longer in the package is an error, and so is in the end one that fewer than two checks
notice.

``--only TEXT`` plants those whose name has a text.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import skdpgmm
from benchmarks.common.command import Results, parser_of
from benchmarks.faults import arithmetic, fits, releases

FAULTS = (*arithmetic.FAULTS, *releases.FAULTS, *fits.FAULTS)
ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(skdpgmm.__file__).parent
COPIED = ("skdpgmm", "tests", "benchmarks", "pyproject.toml")
# Checks that take longer have not noticed; of the package as it is, all at once.
SECONDS, SECONDS_OF_ALL = 300, 3000
ENOUGH = 2
CHECKS = ("tests", "audit", "verify", "observed")


def patched(fault):
    """Return the text of a file with a fault, or say that it cannot be planted."""
    text = (PACKAGE / fault.path).read_text()
    n = text.count(fault.old)
    if n != 1:
        raise ValueError(
            f"{fault.name!r} changes a text that is {n} times in {fault.path}: it "
            "must be there once."
        )
    return text.replace(fault.old, fault.new)


def copied(folder):
    """Copy what the checks need."""
    ignore = shutil.ignore_patterns("__pycache__", "*.json", "*.png", "env", "results")
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignore)
        else:
            shutil.copy(source, target)


def run(folder, seconds, *command):
    """Run Python in a copy; return its exit status and last line."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "PYTHONPATH": str(folder)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, (done.stdout.strip().splitlines() or [""])[-1]


def tested(folder, seconds, tests):
    """Return which test has noticed something, or None."""
    options = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider")
    status, last = run(folder, seconds, *options, *(f"tests/{one}" for one in tests))
    if status in (0, None):
        return None
    return last if status == 1 else f"pytest ends with {status}: {last}"


def checked(folder, seconds, tests, audits):
    """Return what each check has noticed, None where nothing."""
    found = {"tests": tested(folder, seconds, tests)}
    status, last = run(folder, seconds, "-m", "benchmarks.faults.checks", *audits)
    said = {}
    if status is not None:
        said = json.loads(last) if status == 0 else {"observed": "the process ends"}
    for check in CHECKS[1:]:
        texts = [f"{name}: {text}" for name, text in said.items() if text]
        found[check] = next((one for one in texts if one.startswith(check)), None)
    return found


def measure(fault):
    """Return what each check has noticed of a fault."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        (folder / "skdpgmm" / fault.path).write_text(patched(fault))
        return checked(folder, SECONDS, fault.tests, fault.audits)


def sound(faults):
    """Return what the checks of these faults say of the package as it is."""
    audits = sorted({name for fault in faults for name in fault.audits})
    tests = sorted({test for fault in faults for test in fault.tests})
    with tempfile.TemporaryDirectory() as name:
        copied(Path(name))
        return checked(Path(name), SECONDS_OF_ALL, tests, audits)


def table(results):
    width = max(map(len, results))
    print(f"{'fault':{width}}  " + " ".join(f"{check:8}" for check in CHECKS))
    for name, found in results.items():
        marks = ["yes" if found[check] else "-" for check in CHECKS]
        print(f"{name:{width}}  " + " ".join(f"{mark:8}" for mark in marks))
    counts = [sum(bool(found[check]) for check in CHECKS) for found in results.values()]
    print(
        f"{len(counts)} faults: {sum(n > 0 for n in counts)} noticed, "
        f"{sum(n > 1 for n in counts)} by more than one check"
    )


def main():
    parser = parser_of("planted_faults", __doc__, "--fresh", "--jobs")
    parser.add_argument("--only", default="", help="plant those whose name has this")
    args = parser.parse_args()
    faults = [fault for fault in FAULTS if args.only in fault.name]
    for fault in faults:
        patched(fault)  # all, before time is spent on the first
    results, found = Results(args), {}
    known = results.entry("faults")
    with ThreadPoolExecutor(args.jobs) as pool:
        # Of processes, which threads wait for.
        measured = {
            fault.name: pool.submit(measure, fault)
            for fault in faults
            if fault.name not in known
        }
        for name in [fault.name for fault in faults]:
            look = measured[name].result if name in measured else None
            found[name] = results.once("faults", name, measure=look)
            print(f"{name}: {found[name]}", flush=True)
    wrong = results.once("as it is", args.only or "all", measure=lambda: sound(faults))
    if any(wrong.values()):
        sys.exit(f"the package as it is does not pass: {wrong}")
    table(found)
    few = [name for name, one in found.items() if sum(map(bool, one.values())) < ENOUGH]
    if few:
        sys.exit(f"fewer than {ENOUGH} checks notice: {', '.join(few)}")


if __name__ == "__main__":
    main()
