"""Kept results as text: what the page of benchmarks shows of each file.

Of a file that is not kept, the page says which command makes it.
"""

import json

import numpy as np

from benchmarks.common.command import restored
from benchmarks.common.judges import JUDGES
from benchmarks.figures.rows import NOT_PRIVATE, PRIVATE
from benchmarks.keep import KEPT
from benchmarks.pixels import EPSILONS, RECORDS, SLOW
from benchmarks.pixels import OURS as DRAWN
from benchmarks.pixels import PUBLISHED as PUBLISHED_IMAGES
from benchmarks.record import DELTA, HEAD, PEER, PUBLISHED, ROWS, over_seeds
from benchmarks.rows import columns_of

WITHOUT_PRIVACY = "\u221e"
NOTHING = "\u2013"
EMPTY = [NOTHING] * len(EPSILONS)
OURS = ("ours", "ours, plain")
PEERS = [method for method in PRIVATE if method not in OURS]


# --- reStructuredText ---------------------------------------------------------------
def table(heads, rows, css="numbers"):
    """Return a table as lines."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :class: {css}", ""]
    for row in [heads, *rows]:
        first, *others = row
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return [*lines, ""]


def folded(summary, lines):
    """Return lines behind a line to click on."""
    inner = [f"   {line}".rstrip() for line in lines]
    return [f".. dropdown:: {summary}", "", *inner]


def title(text, underline="~"):
    return [text, underline * len(text), ""]


def number(value, digits=3):
    """Write a number without its leading zero, as tables of accuracies have it."""
    if value is None:
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.lstrip("0") if abs(value) < 1 else text


def significant(value):
    return (
        NOTHING if value is None else f"{value:.2g}" if value < 10 else f"{value:,.0f}"
    )


def with_spread(mean_and_spread):
    """Write a mean, and the spread over seeds where there is one."""
    mean, spread = mean_and_spread
    return f"{number(mean)} ± {number(spread)}" if spread else number(mean)


def epsilon_of(key):
    return WITHOUT_PRIVACY if key in ("inf", "none") else key


# --- rows ---------------------------------------------------------------------------
def at_a_glance(results):
    """Return a line for each set: accuracies of a network by epsilon, and ceilings."""
    heads = ["data", "epsilon", "default", "plain", "best peer", "mixture", "records"]
    cells = []
    for name, entry in results.items():
        ceilings = [
            number(accuracy(entry, method, "inf"))
            for method in ("a mixture a class", "real rows")
        ]
        for epsilon in ("1", "8"):
            ours = [number(accuracy(entry, method, epsilon)) for method in OURS]
            cells.append([name, epsilon, *ours, best_peer(entry, epsilon), *ceilings])
    return table(heads, cells)


def accuracy(entry, method, epsilon):
    """Return the mean accuracy of a network over the seeds, None if not measured."""
    found = entry.get(method, {}).get(epsilon)
    return columns_of(found)["network", "accuracy"][0] if found else None


def best_peer(entry, epsilon):
    """Return the accuracy of a network on the best peer's rows, and its name."""
    found = {peer: accuracy(entry, peer, epsilon) for peer in PEERS}
    found = {peer: value for peer, value in found.items() if value is not None}
    best = max(found, key=found.get, default=None)
    return NOTHING if best is None else f"{number(found[best])}, {best}"


def line_of_rows(method, epsilon, entry):
    seeds = [found for key, found in entry.items() if key.startswith("seed")]
    columns = columns_of(entry)
    shown = [columns[name, "accuracy"] for name in JUDGES]
    shown += [columns["logistic", "log loss"]]
    shown += [columns["likeness", key] for key in ("frechet", "precision", "coverage")]
    spent = significant(float(np.mean([found["seconds"] for found in seeds])))
    return [method, epsilon, *map(with_spread, shown), spent, len(seeds)]


def rows(results):
    """Return the tables of `benchmarks.rows`: one at a glance, and one for each set."""
    lines = at_a_glance(results)
    heads = ["rows", "epsilon", *JUDGES, "log loss", "Frechet", "precision"]
    heads += ["coverage", "seconds", "seeds"]
    for name, entry in results.items():
        cells = [
            line_of_rows(method, NOTHING, found)
            for method in NOT_PRIVATE
            for found in entry.get(method, {}).values()
        ]
        for epsilon in sorted(
            {e for m in PRIVATE for e in entry.get(m, {})}, key=float
        ):
            cells += [
                line_of_rows(method, epsilon_of(epsilon), entry[method][epsilon])
                for method in PRIVATE
                if epsilon in entry.get(method, {})
            ]
        lines += [*title(name), *table(heads, cells)]
    return lines


# --- clustering ---------------------------------------------------------------------
def geometric_mean(values):
    return float(np.exp(np.mean(np.log(values)))) if values else None


def clustering(results):
    """Return the tables of `benchmarks.clustering`: means by method, and all sets."""
    methods = list(dict.fromkeys(m for e in results.values() for m in e["methods"]))
    summary = []
    for method in methods:
        done = {
            name: entry["methods"]
            for name, entry in results.items()
            if entry["methods"].get(method, {}).get("area") is not None
        }
        own = [found[method]["area"] for found in done.values()]
        ours = [found["DPKMeans"]["area"] for found in done.values()]
        times = [found[method]["time ratio"] for found in done.values()]
        below = sum(a < b for a, b in zip(own, ours, strict=True))
        means = [number(geometric_mean(v)) for v in (own, ours)]
        time = significant(geometric_mean([t for t in times if t]))
        summary.append([method, len(own), *means, below, time])
    heads = ["method", "sets", "mean area", "DPKMeans there", "below DPKMeans", "time"]
    lines = table(heads, summary)
    epsilons = ("0.25", "1", "4")
    heads = ["data", "n", "d", "k", "method"]
    heads += [*(f"epsilon {e}" for e in epsilons), "area", "time"]
    cells = []
    for name, entry in results.items():
        for method, found in entry["methods"].items():
            ratios = found["loss over k-means"]
            cells.append(
                [
                    *(name, f"{entry['n']:,}", entry["d"], entry["k"], method),
                    *(number(ratios.get(epsilon)) for epsilon in epsilons),
                    number(found["area"]),
                    significant(found["time ratio"]),
                ]
            )
    return [*lines, *folded("All sets", table(heads, cells))]


# --- mixtures -----------------------------------------------------------------------
def line_of_mixtures(name, entry, method, epsilons):
    by = entry["methods"][method]
    gaps = [by[e]["gap"] if e in by else by["none"]["gap"] for e in epsilons]
    place = {"defaults": "seconds", "scikit-learn, best of 3": "other"}.get(method)
    spent = entry["time"][place] if place else None
    about = f"{entry['n']:,} x {entry['d']}, k {entry['k']}, {entry['covariance_type']}"
    draws = next(iter(by.values()))["draws"]
    return [
        name,
        about,
        method,
        *(f"{g:+.3f}" for g in gaps),
        significant(spent),
        draws,
    ]


def mixture(results):
    """Return the tables of `benchmarks.mixture`: by default, and of all methods."""
    epsilons = sorted(next(iter(results.values()))["methods"]["defaults"], key=float)
    heads = [
        "setting",
        "rows",
        "method",
        *(f"epsilon {epsilon_of(e)}" for e in epsilons),
    ]
    heads += ["seconds", "draws"]
    ours = [line_of_mixtures(*item, "defaults", epsilons) for item in results.items()]
    cells = [
        line_of_mixtures(name, entry, method, epsilons)
        for name, entry in results.items()
        for method in entry["methods"]
    ]
    return [*table(heads, ours), *folded("All methods", table(heads, cells))]


# --- speed --------------------------------------------------------------------------
def scaling(results):
    """Return the table of `benchmarks.scaling`: ratios of times."""
    heads = ["what over what", "ratio", "at most", "seconds", "over seconds"]
    cells = [
        [
            *(name, number(row["ratio"]), f"{row['limit']:g}"),
            *(significant(row[key]) for key in ("seconds", "other")),
        ]
        for part in results["ratios"].values()
        for name, row in part.items()
    ]
    return table(heads, cells)


# --- published accuracies -----------------------------------------------------------
def record(results):
    """Return the table of `benchmarks.record`: published accuracies, and ours."""
    sets = results["no public data"]
    methods = [
        method
        for method in (HEAD, ROWS, PEER)
        if any(method in entry["methods"] for entry in sets.values())
    ]
    heads = ["data", "epsilon", "published", *methods, "seconds", "seeds"]
    cells, about = [], []
    for name, entry in sets.items():
        n, d = entry["shape"]
        spent = 1000 * entry["seconds an image"]
        about += [f"* {name}: {n:,} records, {d:,} features, {spent:.1f} ms an image."]
        for epsilon in (*PUBLISHED[name], np.inf):
            key, bar = f"{epsilon:g}", PUBLISHED[name].get(epsilon)
            found = [entry["methods"].get(method, {}).get(key) for method in methods]
            if not bar and not any(found):
                continue
            times = [over_seeds(one, "seconds")[0] if one else None for one in found]
            cells.append(
                [
                    *(name, epsilon_of(key)),
                    f"{number(bar[0])}, {bar[1]}" if bar else NOTHING,
                    *(mean_of(one) for one in found),
                    " / ".join(map(significant, times)),
                    over_seeds(found[0], "seconds")[2] if found[0] else NOTHING,
                ]
            )
    said = f"Delta is {DELTA:g}, and no public data were used."
    return [*table(heads, cells), said, "", *about, ""]


def mean_of(entry):
    """Write an accuracy with its spread, a dash where nothing was measured."""
    return with_spread(over_seeds(entry, "accuracy")[:2]) if entry else NOTHING


def pixels(results):
    """Return the table of `benchmarks.pixels`: what images teach, and others' do."""
    heads = ["images", *(f"epsilon {e:g}" for e in EPSILONS), WITHOUT_PRIVACY, "seeds"]
    lines = []
    for name, entry in results.items():
        drawn = [entry[DRAWN].get(f"{e:g}") for e in (*EPSILONS, np.inf)]
        seeds = over_seeds(entry[DRAWN]["inf"], "accuracy")[2]
        cells = [["ours", *map(mean_of, drawn), seeds]]
        cells += [
            [who, *map(number, found), NOTHING, NOTHING]
            for who, found in PUBLISHED_IMAGES[name].items()
        ]
        for method in (SLOW, RECORDS):
            cells.append([method, *EMPTY, mean_of(entry[method]["inf"]), seeds])
        times = ", ".join(significant(over_seeds(e, "seconds")[0]) for e in drawn)
        said = f"From images to images our three took {times} seconds."
        lines += [f"*{name}*", "", *table(heads, cells), said, ""]
    return lines


# --- at the front door ----------------------------------------------------------------
def beside_others():
    """Return one table of all that is kept with a number of others beside it."""
    found = {name: documented(name)["results"] for name in ("record", "rows")}
    heads = ["what is measured", "epsilon", "skdpgmm", "others", "without privacy"]
    cells = []
    for name, entry in found["record"]["no public data"].items():
        ours = entry["methods"].get(HEAD, {})
        epsilon = min(e for e, bar in PUBLISHED[name].items() if bar)
        published, whose = PUBLISHED[name][epsilon]
        cells.append(
            [
                f"{name} without public data: right answers of a linear classifier",
                *(f"{epsilon:g}", mean_of(ours.get(f"{epsilon:g}"))),
                *(f"{number(published)}, {whose}, tuned", mean_of(ours.get("inf"))),
            ]
        )
    for name, entry in found["rows"].items():
        records = number(accuracy(entry, "real rows", "inf"))
        cells += [
            [
                f"{name}: right answers of a network that has seen synthetic rows only",
                *(epsilon, number(accuracy(entry, "ours", epsilon)), peer, records),
            ]
            for epsilon in ("1", "8")
            if (peer := best_peer(entry, epsilon)) != NOTHING
        ]
    sets = documented("clustering")["results"].values()
    ours, google, other = (
        number(geometric_mean([entry["methods"][method]["area"] for entry in sets]))
        for method in ("DPKMeans", "google", "diffprivlib")
    )
    cells.append(
        [
            "k-means loss over that without privacy, geometric mean of "
            f"{len(sets)} sets",
            *(".25 to 4", ours),
            f"{google}, Google; {other}, diffprivlib, which needs no delta",
            "1",
        ]
    )
    return table(heads, cells, css="beside-others")


TABLES = {
    "rows": rows,
    "clustering": clustering,
    "mixture": mixture,
    "record": record,
    "pixels": pixels,
    "scaling": scaling,
}


# --- the page -----------------------------------------------------------------------
def provenance(document):
    """Return the command, day, machine and versions of a file as lines."""
    machine, versions = document["machine"], document["versions"]
    where = (
        f"{machine['processor']}, {machine['cores']} cores, "
        f"{machine['threads']} of them used, {machine['system']}"
    )
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    said = f"{document['date']}, {where}; {used}."
    if "note" in document:
        said += f" {document['note']}"
    command = [".. code-block:: console", "   :class: wrapped", ""]
    return [*command, f"   {document['command']}", "", said, ""]


def documented(name):
    """Return the kept file of a benchmark."""
    return restored(json.loads((KEPT / f"{name}.json").read_text()))


def section(name):
    """Return what a page shows of one benchmark as lines."""
    if not (KEPT / f"{name}.json").exists():
        command = f"python -m benchmarks.{name}"
        return [f"No results are kept: ``{command}`` measures them.", ""]
    document = documented(name)
    return [*provenance(document), *TABLES[name](document["results"])]
