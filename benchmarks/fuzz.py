"""Fuzzes every public estimator, and says what it did not expect.

For as long as it is given::

    python -m benchmarks.fuzz --minutes 10
    python -m benchmarks.fuzz --cases 3000 --seed 7 --small
    python -m benchmarks.fuzz --only 7:1234     # one case again, with its traceback

Parameters are legal and illegal ones, rows are of every shape, scale, type and
container, and so are labels and privacy ids. What must come of it is either a clear
error before anything is spent that leaves the object as it was, or a finished fit that
spent no more than its budget, with finite and consistent attributes, that can be
repeated, cloned and pickled, in the allowed time and without a warning that is not
documented. A seed and the number of a case make the case. The exit status is that of
the findings: 0 for none. Results are written as JSON beside this file, or to
``--output``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

# Before scipy is imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning

from benchmarks.common.command import Results, parser_of
from benchmarks.fuzzing.cases import NAMES, WRAPPERS, draw_case, draw_name
from benchmarks.fuzzing.checks import (
    CHECKS,
    FaultError,
    check_attributes,
    check_copies,
    check_report,
    check_same,
    check_sampled,
    counted_debits,
    demand,
)
from skdpgmm import DPSyntheticResampler, exceptions

HERE = Path(__file__).resolve().parent
# How often a fit is repeated: by the same object, on rows in memory, in small blocks.
SHARES_REPEATED = (0.1, 0.2, 0.1)
# Seconds after which a case is a finding, and after which it is given up.
SLOW, HOPELESS = 40.0, 120.0
DOCUMENTED = (
    ConvergenceWarning,
    DataConversionWarning,
    *(getattr(exceptions, name) for name in exceptions.__all__),
)
# ... and what scikit-learn says of labels.
DOCUMENTED_TEXT = re.compile("number of unique classes is greater than 50%")
# What legal draws may be refused for: each depends on several of them together.
REFUSALS = (
    r"at least two classes",
    r"label_model=True needs",
    r"n_samples >= n_components",
)
# An error has to name what is wrong.
NAMED = re.compile(
    r"\b(X|y|y_true|y_pred|classes|groups|privacy_ids|rows?|features?|samples?|arrays?|labels?|"
    r"parameter|module|estimator|clip_norm|epsilon|delta|input|Input|data|dtype|float|precision)\b"
)


class TooSlow(BaseException):
    """The case does not end."""


@contextlib.contextmanager
def time_limit(seconds):
    def stop(signum, frame):
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fit(case, estimator, X=None):
    """Fit, and return the rows that the resampler gives."""
    X = case.rows.value if X is None else X
    y = None if case.labels is None else case.labels.value
    if case.cls is DPSyntheticResampler:
        return estimator.fit_resample(X, y, **case.keywords)
    estimator.fit(X, y, **case.keywords)
    return None


def run_fit(case, debited):
    """Fit the estimator and check all that follows from it."""
    estimator, X = case.estimator, case.rows.value
    before = dict(vars(estimator))
    copy = X.copy() if isinstance(X, np.ndarray) else None
    try:
        drawn = fit(case, estimator)
    except Exception:
        changed = changes(before, vars(estimator))
        if changed and not (case.late or case.trusted):
            raise FaultError("a failed fit changed the object", changed) from None
        raise
    if case.illegal or case.rows.plain is None:
        return
    changed = changes(case.params, estimator.get_params(deep=False))
    demand(not changed, "fit changed a parameter", changed)
    if copy is not None and X.dtype != object:
        demand(X.tobytes() == copy.tobytes(), "fit changed X")
    check_report(estimator.privacy_, case.core.epsilon, debited)
    check_attributes(estimator)
    plain = np.asarray(case.rows.plain, dtype=np.float64)
    if drawn is not None:
        shape = (len(drawn[0]), plain.shape[1])
        demand(len(drawn[0]) >= case.params["n_samples"], "too few rows are drawn")
        check_sampled(*drawn, estimator.classes_, shape)
    for check in (
        lambda: CHECKS[case.name](estimator, X, plain, case.y),
        lambda: check_copies(estimator, X),
        lambda: check_repeated(case, estimator, plain),
    ):
        try:
            check()
        except FaultError:
            raise
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            called = [f.line for f in frames if f.filename.startswith(str(HERE))][-1]
            kind = f"fitted, but `{called}` raises {error_text(error)}"
            raise FaultError(kind, error) from error


def changes(before, after):
    """Return the names of what is not the same object any more."""
    names = before.keys() | after.keys()
    missing = object()
    return sorted(
        n for n in names if before.get(n, missing) is not after.get(n, missing)
    )


def check_repeated(case, estimator, plain):
    """Check that a fit depends on nothing but what it should."""
    again = clone(case.estimator)
    params = again.get_params()
    seeds = [v for k, v in params.items() if k.endswith("random_state")]
    repeatable = all(isinstance(seed, int) for seed in seeds) and seeds
    if not repeatable or params.get("warm_start") or case.config:
        return
    kinds = ("again", "elsewhere", "in pieces", "")
    shares = (*SHARES_REPEATED, 1.0 - sum(SHARES_REPEATED))
    kind = kinds[case.rng.choice(4, p=shares)]
    if kind == "again":
        wider = np.column_stack([plain, plain[:, :1] + 1.0])
        with contextlib.suppress(ValueError):
            fit(case, again, wider)
        fit(case, again)
        check_same(estimator, again, "a second fit depends on the first")
    elif kind == "elsewhere" and case.rows.name != "array":
        fit(case, again, np.asarray(case.rows.plain))
        check_same(estimator, again, "another container gives another model")
    elif kind == "in pieces" and case.cls not in WRAPPERS:
        fit(case, again.set_params(block_size=5, n_jobs=2))
        check_same(estimator, again, "block_size or n_jobs changes the model")


def unforeseen(case, error, debited):
    """Return what is wrong with an error, or None."""
    report = getattr(error, "privacy_", None)
    if debited:
        if report is None or list(report.ledger) != debited:
            return f"failed after spending, and does not say it: {error_text(error)}"
        return (
            None
            if case.late or case.trusted
            else f"failed after spending: {error_text(error)}"
        )
    if report is not None:
        return "says that something was spent, but nothing was"
    if case.trusted:
        return None
    if not isinstance(error, ValueError | TypeError):
        return f"unclear error: {error_text(error)}"
    text = str(error)
    named = NAMED.search(text) or any(name in text for name in case.names)
    if not named:
        return f"error names nothing: {error_text(error)}"
    if case.illegal or case.either or case.late:
        return None
    if any(re.search(pattern, text) for pattern in REFUSALS):
        return None
    return f"legal, but refused: {error_text(error)}"


def error_text(error):
    return f"{type(error).__name__}: {normalized(str(error))}"


def normalized(text):
    """Return the first line of a message without what differs from case to case."""
    line = text.strip().split("\n")[0]
    line = re.sub(r"'[^']*'", "'...'", line)
    line = re.sub(r"\[[^\]]*\]?", "[...]", line)
    return re.sub(r"-?\d+(\.\d+)?(e[-+]?\d+)?", "#", line)[:150]


def undocumented(case, caught):
    """Return the first warning that should not have come, or None."""
    for warning in caught:
        if issubclass(warning.category, DOCUMENTED):
            continue
        if DOCUMENTED_TEXT.search(str(warning.message)):
            continue
        # What the classifier of somebody else thinks of synthetic rows.
        others = case.cls in WRAPPERS and case.params.get("classifier") is not None
        if others and "skdpgmm" not in warning.filename:
            continue
        where = Path(warning.filename).name
        text = normalized(str(warning.message))
        return f"warning: {warning.category.__name__} in {where}: {text}"
    return None


def run_case(seed, i, small, verbose=False):
    """Run one case; returns a row of the report."""
    row = {"seed": seed, "case": i}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        case = draw_case(seed, i, small, Path(folder))
        row.update(estimator=case.name, outcome="fitted", about=case.describe())
        finding = None
        with (
            warnings.catch_warnings(record=True) as caught,
            contextlib.redirect_stdout(io.StringIO()),
            config_context(**case.config),
            counted_debits() as debited,
        ):
            warnings.simplefilter("always")
            try:
                with time_limit(HOPELESS):
                    (case.run or (lambda d: run_fit(case, d)))(debited)
                if case.illegal and not case.trusted:
                    finding = f"illegal, but taken: {', '.join(case.illegal)}"
            except TooSlow:
                finding = f"not done after {HOPELESS:.0f} s"
            except FaultError as error:
                finding = error.kind
                row["detail"] = str(error)[:300]
                trace = traceback.format_exc()
            except Exception as error:
                row["outcome"] = "refused"
                row["detail"] = f"{type(error).__name__}: {str(error)[:300]}"
                trace = traceback.format_exc()
                finding = unforeseen(case, error, debited)
    row["seconds"] = time.perf_counter() - start
    if finding is None and not case.trusted:
        finding = undocumented(case, caught)
    if finding is None and row["seconds"] > SLOW:
        finding = f"more than {SLOW:.0f} s"
    if finding is not None:
        row.update(outcome="finding", finding=finding)
    if verbose:
        print(json.dumps(row, indent=1, default=str))
        if row["outcome"] != "fitted" and "detail" in row:
            print(trace)
        for warning in caught:
            print(f"{warning.filename}:{warning.lineno}: {warning.message}")
    return row


def print_table(rows):
    """Print outcomes by estimator, and the first case of each finding."""
    print(f"{'':28}{'cases':>7}{'fitted':>8}{'refused':>9}{'findings':>10}{'ms':>7}")
    for name in [*NAMES, None]:
        of = [row for row in rows if name in (None, row["estimator"])]
        if not of:
            continue
        counts = Counter(row["outcome"] for row in of)
        ms = 1e3 * np.mean([row["seconds"] for row in of])
        print(
            f"{name or 'all':28}{len(of):7}{counts['fitted']:8}{counts['refused']:9}"
            f"{counts['finding']:10}{ms:7.0f}"
        )
    first: dict[str, dict] = {}
    kinds = Counter(row["finding"] for row in rows if "finding" in row)
    for row in rows:
        first.setdefault(row.get("finding", ""), row)
    for kind, count in kinds.most_common():
        row = first[kind]
        where = f"{row['seed']}:{row['case']}"
        print(f"\n{count} x {kind}\n    --only {where}  {row['estimator']}")
        print(f"    {json.dumps(row['about'], default=str)}")
        if "detail" in row:
            print(f"    {row['detail']}")
    return kinds


def parse_arguments():
    parser = parser_of("fuzz", __doc__)
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--minutes", type=float, default=1.0, help="how long")
    limit.add_argument("--cases", type=int, help="how many, in place of how long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", metavar="SEED:CASE", help="this case, in full")
    parser.add_argument("--estimator", choices=NAMES, help="only cases of this one")
    parser.add_argument("--small", action="store_true", help="few rows and features")
    return parser.parse_args()


def numbers(args):
    """Yield the numbers of the cases to run."""
    end = time.monotonic() + 60.0 * args.minutes
    i = args.first
    while True:
        if args.cases is not None and i >= args.first + args.cases:
            return
        if args.cases is None and time.monotonic() >= end:
            return
        yield i
        i += 1


def main():
    args = parse_arguments()
    if args.only:
        seed, i = map(int, args.only.split(":"))
        row = run_case(seed, i, args.small, verbose=True)
        return int(row["outcome"] == "finding")
    rows = []
    for i in numbers(args):
        if args.estimator not in (None, draw_name(args.seed, i)[0]):
            continue
        rows.append(run_case(args.seed, i, args.small))
        if sys.stderr.isatty():
            print(f"\r{len(rows)} cases", end="", file=sys.stderr)
    kinds = print_table(rows)
    report = Results(args, ("seed", "first", "small"))
    report.results = {"findings": dict(kinds), "rows": rows}
    report.save()
    return int(bool(kinds))


if __name__ == "__main__":
    sys.exit(main())
