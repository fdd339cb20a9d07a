"""Keep results of benchmarks in the repository, as the page of benchmarks shows them.

After one of them has run::

    python -m benchmarks.keep benchmarks/rows.json

writes ``benchmarks/results/rows.json``: the command, the day, versions and machine as
they were, and the results to five digits, with means in place of single fits where
there are thousands. ``docs/benchmarks.rst`` is made of these files, and
``python -m benchmarks.compare`` compares two of them. ``--note`` says what a reader of
the times has to know. What releases are compared with is the file in the commit of
each release.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.common.command import RESULTS, plain, restored, text_of

KEPT = RESULTS / "results"
DIGITS = 5
# The last of these says that a file is a kept one.
ABOUT = ("benchmark", "command", "date", "settings", "versions", "machine", "digits")


def rounded(value):
    """Return the same with all numbers to five digits."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


# --- means of single fits -----------------------------------------------------------
def clustering(document):
    """Return the ratios of losses by set and method."""
    epsilons = [text_of(epsilon) for epsilon in document["settings"]["epsilon"]]
    found = {}
    for name, entry in document["results"].items():
        methods = {
            row["method"]: {
                "loss over k-means": dict(
                    zip(epsilons, row["mean_ratios"], strict=True)
                ),
                "area": row["area"],
                "time ratio": row["time_over_kmeans"],
                "failure": row["failure"],
            }
            for row in entry["rows"]
        }
        found[name] = {key: entry[key] for key in "ndk"} | {"methods": methods}
    return found


def mixture(document):
    """Return means and worst draws of the gaps by setting, method and epsilon."""
    found = {}
    for name, entry in document["results"].items():
        gaps = {}
        for fit in entry["fits"]:
            epsilon = "none" if fit["epsilon"] is None else text_of(fit["epsilon"])
            gaps.setdefault(fit["method"], {}).setdefault(epsilon, []).append(fit)
        found[name] = {
            **{
                k: v for k, v in document["about_settings"][name].items() if k != "name"
            },
            "methods": {
                method: {epsilon: _gaps(fits) for epsilon, fits in by.items()}
                for method, by in gaps.items()
            },
        }
        if "times" in entry:
            theirs, ours = np.median(entry["times"], axis=0)
            found[name]["time"] = {
                "seconds": float(ours),
                "other": float(theirs),
                "time ratio": float(ours / theirs),
            }
    return found


def _gaps(fits):
    """Return the mean and the worst gap, to the truth where there is one."""
    kinds = ("gap_to_truth", "gap_to_scikit_learn")
    kind = kinds[fits[0]["gap_to_truth"] is None]
    gaps = [fit[kind] for fit in fits]
    return {
        "to": kind.removeprefix("gap_to_").replace("_", "-"),
        "gap": float(np.mean(gaps)),
        "worst": min(gaps),
        "draws": len(gaps),
    }


def scaling(document):
    """Return the ratios: times alone are those of one machine."""
    return {"ratios": document["results"]["ratios"]}


MEANS = {"clustering": clustering, "mixture": mixture, "scaling": scaling}


# --- files --------------------------------------------------------------------------
def kept(document):
    """Return a document of results as it is kept; one that is, is returned."""
    if "digits" in document:
        return document
    means = MEANS.get(document["benchmark"], lambda document: document["results"])
    return {
        **{key: document[key] for key in ABOUT[:-1]},
        "digits": DIGITS,
        "results": rounded(means(document)),
    }


def read(path):
    """Return the results in a file as they are kept."""
    document = restored(json.loads(Path(path).read_text()))
    if "benchmark" not in document:
        raise ValueError(
            f"{Path(path).name} does not say which benchmark it is of: measure again"
        )
    return kept(document)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.keep", description=__doc__.splitlines()[0]
    )
    parser.add_argument("files", nargs="+", type=Path, help="results of benchmarks")
    parser.add_argument("--note", help="what a reader has to know of the times")
    args = parser.parse_args()
    KEPT.mkdir(exist_ok=True)
    for file in args.files:
        document = read(file)
        if args.note:
            document["note"] = args.note
        path = KEPT / f"{document['benchmark']}.json"
        path.write_text(json.dumps(plain(document), indent=1, allow_nan=False) + "\n")
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
