"""What auditors that others wrote find, of our package and of others.

One command, about half an hour on two cores::

    python -m benchmarks.referees --dp-recorder PATH --google PATH

Environments of their own, for the auditors and for other packages, are made in the
cache folder, from `benchmarks/refereeing/requirements-*.txt`. The auditors are

dp-recorder (Cebere et al., PoPETs 2026)
    watches every addition of noise. A fit to the one data set is recorded, and one to
    its neighbour replayed with the same releases: it compares the order of calls, their
    parameters, and the distance of what noise is added to with the sensitivity that is
    declared; and composes what is declared to an epsilon of all. *Sampled*, it draws
    each addition of noise again, and bounds its epsilon. ``--dp-recorder`` is a
    checkout of its repository.
jax-privacy, its module ``auditing``
    bounds epsilon from scores of fits with a record and without it: of a linear rule
    learned from what is published, or of our transcripts; and from canaries of one fit.
dp-auditorium (Kong et al., 2024)
    bounds the hockey-stick divergence of what is published, by a network.
    ``--google`` is a checkout of google/differential-privacy.

An auditor or a package that cannot be had is said, and left out. Faults that are
planted in ours show that the auditors are not blind. Each bound has a confidence of
95 %.
"""

import json
import os
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.common.command import Results, parser_of
from benchmarks.peers.processes import ONE_THREAD, PeerError, environment
from examples._shared.fashion_mnist import cache_dir

HERE = Path(__file__).resolve().parent / "refereeing"
ROOT = HERE.parents[1]
ENVIRONMENTS = {"diffprivlib": "peers", "opendp": "peers", "dpmm": "dpmm"}
# Above which an epsilon is more than is claimed: accountants round on grids.
ROUNDING = 1e-4
SECONDS = 900


class Case(NamedTuple):
    """One mechanism before one auditor, or two that want the same numbers."""

    module: str
    name: str
    what: str
    n_runs: int = 0


def cases(n_runs):
    """Return what is refereed, in the order of the table."""
    quiet = "fault: noise of DPPCA divided by 8"
    ours = (
        "DPPCA",
        "DPKMeans",
        "DPGaussianMixture",
        "DPLogisticRegression",
        "DPEmbeddingSynthesizer",
        "DPPCA, replace-one, orthogonal",
        "DPPCA, replace-one, opposite",
        "fault: DPPCA of persons, stated for records",
    )
    small = ("PCA, epsilon 1", "KMeans, epsilon 1", "GaussianNB, epsilon 1")
    return [
        *(Case("ours", name, "record") for name in ours),
        *(
            Case("ours", name, what, n)
            for name in ("DPPCA, epsilon 1", quiet)
            for what, n in (
                ("record sampled", 0),
                ("sample", n_runs),
                ("scores", n_runs // 2),
                ("canaries", 1000),
            )
        ),
        Case("ours", "DPPCA", "canaries", 1000),
        *(
            Case("diffprivlib", one, "record")
            for one in ("PCA", "KMeans", "GaussianNB")
        ),
        Case("diffprivlib", small[0], "record sampled"),
        *(Case("diffprivlib", one, "sample", n_runs) for one in small),
        Case("opendp", "PCA, epsilon 1", "record"),
        # A fit takes a second, and one of dpmm some.
        Case("opendp", "PCA, epsilon 1", "sample", n_runs // 10),
        Case("dpmm", "MST", "record"),
        Case("dpmm", "AIM", "record"),
    ]


class MissingError(Exception):
    """An auditor or a package cannot be had."""


class Referees:
    """Where auditors and packages are."""

    def __init__(self, args):
        self.cache = cache_dir(args.cache)
        self.recorder, self.google = args.dp_recorder, args.google
        self.pythons = {"ours": sys.executable}
        self.missing = {}
        for name in ("judges", "peers", "dpmm"):
            path = HERE / f"requirements-{name}.txt"
            place = f"referees-{name}-{zlib.crc32(path.read_bytes()):08x}"
            try:
                self.pythons[name] = environment(self.cache, place, ("-r", str(path)))
            except PeerError as error:
                self.missing[name] = f"its environment {error}"

    def python(self, module):
        """Return the Python of a module of mechanisms, or of the judges."""
        name = ENVIRONMENTS.get(module, module)
        if name in self.missing:
            raise MissingError(self.missing[name])
        return self.pythons[name]

    def measure(self, case):
        """Return what auditors find of a case, by the name of the auditor."""
        try:
            return self._measure(case)
        except MissingError as reason:
            return {"": {"failure": f"not run: {reason}", "seconds": 0.0}}

    def _measure(self, case):
        if case.what.startswith("record"):
            if self.recorder is None:
                raise MissingError("dp-recorder needs --dp-recorder")
            return {case.what.replace("record", "dp-recorder"): self._run(case, "-")}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "runs.npz"
            said = self._run(case, path)
            if "failure" in said:
                return {"": said}
            claim = map(str, said["claim"].values())
            found = call(
                (
                    self.python("judges"),
                    "-P",
                    HERE / "judges.py",
                    *claim,
                    case.what,
                    path,
                ),
                [] if self.google is None else [self.google / "python/dp_auditorium"],
            )
            if case.what == "sample" and self.google is None:
                found["dp-auditorium"] = {"failure": "not run: needs --google"}
        if "failure" in found:
            return {"": found}
        return {judge: {**said, **one} for judge, one in found.items()}

    def _run(self, case, path):
        folders = [ROOT] if case.module == "ours" else []
        if self.recorder is not None:
            folders.append(self.recorder / "src")
        worker = self.python(case.module), "-P", HERE / "worker.py"
        given = case.module, case.name, case.what, str(case.n_runs), path
        return call((*worker, *given), folders)


def call(command, folders):
    """Run a command with folders on its path, and return what it says last."""
    path = os.pathsep.join(map(str, folders))
    environ = {
        **os.environ,
        **ONE_THREAD,
        "PYTHONPATH": path,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    try:
        done = subprocess.run(
            list(map(str, command)),
            env=environ,
            cwd=tempfile.gettempdir(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failure": f"over {SECONDS} s"}
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {"failure": "the process ends"}


def verdict(referee, said):
    """Return what an auditor found in words, and whether it is above the claim."""
    if "failure" in said:
        return said["failure"].splitlines()[0], False
    claimed = said["claim"]["epsilon"]
    if referee == "dp-auditorium":
        bound, rejects = said["found"]
        return f"delta at epsilon {claimed:g} at least {max(bound, 0.0):.3g}", rejects
    if referee == "jax-privacy":
        found = said["found"].items()
        text = ", ".join(f"{value:.3g} ({name})" for name, value in found)
        return f"epsilon at least {text}", max(said["found"].values()) > claimed
    calls, replayed = said["calls"], said.get("replayed")
    if "fault" in said or calls != replayed:
        counts = f"{calls} calls and {replayed} on the neighbour"
        return "; ".join([counts, *said.get("fault", [])]), True
    text = f"{calls} calls, {said['attained']:.3g} of the sensitivity attained"
    if "epsilon" not in said:
        return text, said["attained"] > 1.0 + ROUNDING
    epsilon = said["epsilon"]
    kind = "of one call at least" if "sampled" in referee else "of all"
    return f"{text}, epsilon {kind} {epsilon:.4g}", epsilon > claimed + ROUNDING


def rows_of(case, found):
    """Yield the lines of the table that a case gives."""
    for referee, said in found.items():
        claim = said.get("claim")
        claimed = f"{claim['epsilon']:g}, {claim['delta']:g}" if claim else ""
        text, above = verdict(referee, said)
        name = f"{case.module}: {case.name}"
        kind = {"scores": ", transcripts", "canaries": ", canaries"}.get(case.what, "")
        yield (
            name.removesuffix(", epsilon 1"),
            claimed,
            referee + kind,
            "ABOVE" if above else "-",
            text,
            f"{said.get('seconds', 0.0):.0f}",
        )


def key_of(case):
    """Return the name of a case in results."""
    return f"{case.module}: {case.name}: {case.what}"


def main():
    parser = parser_of("referees", __doc__, "--cache", "--google", "--fresh", "--jobs")
    parser.add_argument("--dp-recorder", type=Path, help="checkout of dp-recorder")
    parser.add_argument("--runs", type=int, default=1000, help="of each data set")
    parser.add_argument("--only", default="", help="cases whose name has this")
    args = parser.parse_args()
    args.google = args.google and Path(args.google).resolve()
    args.dp_recorder = args.dp_recorder and args.dp_recorder.resolve()
    results, referees = Results(args, ("runs",)), Referees(args)
    todo = [case for case in cases(args.runs) if args.only in key_of(case)]
    with ThreadPoolExecutor(args.jobs) as pool:
        # Of processes, which threads wait for.
        known = results.entry("found")
        measured = {
            case: pool.submit(referees.measure, case)
            for case in todo
            if key_of(case) not in known
        }
        rows = [("mechanism", "claim", "auditor", "", "found", "seconds")]
        for case in todo:
            key = key_of(case)
            look = measured[case].result if case in measured else None
            found = known[key] if look is None else look()
            if not any("failure" in said for said in found.values()):
                results.once("found", key, measure=lambda found=found: found)
            print(f"{key}: {found}", flush=True)
            rows += rows_of(case, found)
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        cells = [cell.ljust(n) for cell, n in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]))


if __name__ == "__main__":
    main()
