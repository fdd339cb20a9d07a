"""Loss of private k-means over that of k-means without privacy, with defaults only.

One command::

    python -m benchmarks.clustering

Each data set is centred and scaled so that its largest norm is 1; this is taken as
public, and every method is told it. ``DPKMeans`` is fitted with ``clip_norm=1.0``, the
delta of the protocol, n to the power -1.1, and its defaults for all else, which are
the same for every set; and once more with ``clip_norm="auto"``, which finds the
radius privately and should cost at most 10 % more. Printed is the k-means loss of the
private rows over the best loss of scikit-learn's ``KMeans(n_init=10)``: its mean over
the seeds for each epsilon, and the area under it divided by the range of epsilon.
KMeans stops in local optima too, so that a ratio may be below 1. Last in a row is the
time of a fit at epsilon 1 over that of ``KMeans(n_init=1)``: medians of fits in turn,
in one process with one thread, while nothing runs beside it.

Two peers are measured in the same way. diffprivlib's k-means is purely
epsilon-private, and is told that features lie in [-1, 1]; on first use an environment
is made for it in the cache folder. Google's LSH clustering is run from a checkout of
its repository, which ``--google`` names, and is timed without labelling the rows. The
time of a peer is over that of KMeans in its own process. A peer that needs more than
``--time-limit`` for one fit, or fails, is given up on that set.

What is not there is skipped, with a line that says so. Fashion-MNIST is looked for,
downloaded and embedded as in ``examples/``. A random mixture is drawn five times, and
the seeds take turns with its draws. Every single loss is written as JSON beside this
file, or to ``--output``; a set that is in it already is not measured again, unless
``--fresh`` says so.
"""

import tempfile
from functools import partial
from itertools import chain, product
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from scipy.integrate import trapezoid
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin_min
from threadpoolctl import threadpool_limits

from benchmarks.common.command import Results, parser_of, reason_of
from benchmarks.common.datasets import (
    clustering_sets,
    digits,
    mlbench,
    project,
)
from benchmarks.common.timing import seconds
from benchmarks.peers.kmeans import start_pools
from examples._shared.fashion_mnist import cache_dir, embed, load_fashion_mnist
from examples._shared.mnist import mnist_pixels
from skdpgmm import DPKMeans

# Our two rows, and their `clip_norm`.
OURS = {"DPKMeans": 1.0, "DPKMeans auto": "auto"}
MIXTURE_DRAWS = 5
TIMED_FITS = 5


class Data(NamedTuple):
    """Draws of one set, each with its loss without privacy."""

    name: str
    k: int
    draws: list
    base: list

    @property
    def delta(self):
        return len(self.draws[0]) ** -1.1

    def draw_of(self, seed):
        return seed % len(self.draws)


# --- data ----------------------------------------------------------------------
def real_sets(args):
    """Sets of records by name: the number of clusters, and what reads them."""

    def read_mlbench(name):
        return mlbench(name, given(args.mlbench, "--mlbench FOLDER"))

    def read_fashion():
        return load_fashion_mnist(args.data)[0]

    return {
        "digits": (10, digits),
        "letter": (26, lambda: read_mlbench("LetterRecognition")),
        "satellite": (6, lambda: read_mlbench("Satellite")),
        "shuttle": (7, lambda: read_mlbench("Shuttle")),
        "mnist-pixels": (
            10,
            lambda: project(mnist_pixels(given(args.mnist, "--mnist FILE")), 50, 0),
        ),
        "fashion-pixels": (
            10,
            lambda: project(read_fashion().reshape(-1, 784) / 255.0, 50, 0),
        ),
        # All are embedded, because other benchmarks read the same file of the cache.
        "fashion-embeddings": (10, lambda: embed(read_fashion(), args.cache)[:20_000]),
    }


def given(path, option):
    if path is None:
        raise FileNotFoundError(f"needs {option}")
    return path


def load(name, args):
    """Load one set, and find the loss of each draw without privacy."""
    drawn = clustering_sets()
    if name in drawn:
        k, make = drawn[name]
        count = min(MIXTURE_DRAWS, args.seeds) if name.startswith("mixture") else 1
        draws = [make(seed) for seed in range(count)]
    else:
        k, read = real_sets(args)[name]
        draws = [read()]
    draws = [scale(X) for X in draws]
    plain = [KMeans(k, n_init=10, random_state=0).fit(X) for X in draws]
    base = [loss_of(X, p.cluster_centers_) for X, p in zip(draws, plain, strict=True)]
    return Data(name, k, draws, base)


def scale(X):
    """Centre, and scale so that the largest norm is 1."""
    X = np.asarray(X, dtype=np.float64)
    X = X - X.mean(axis=0)
    return X / np.linalg.norm(X, axis=1).max()


# --- measurements --------------------------------------------------------------
def loss_of(X, centers):
    """Mean squared distance of the rows to their nearest centres."""
    return float(np.mean(pairwise_distances_argmin_min(X, centers)[1] ** 2))


def private(data, method, epsilon, seed):
    return DPKMeans(
        data.k,
        epsilon=epsilon,
        delta=data.delta,
        clip_norm=OURS[method],
        random_state=seed,
    )


def times_of_ours(data):
    """Seconds of KMeans and of each of ours, in turn."""
    X = data.draws[0]
    spent = {name: [] for name in ("KMeans", *OURS)}
    with threadpool_limits(1):  # as the processes of the peers
        for seed in range(TIMED_FITS):
            models = {"KMeans": KMeans(data.k, n_init=1, random_state=seed)}
            models |= {method: private(data, method, 1.0, seed) for method in OURS}
            for name, model in models.items():
                spent[name].append(seconds(lambda model=model: model.fit(X)))
    return {
        method: {"seconds": spent[method], "kmeans_seconds": spent["KMeans"]}
        for method in OURS
    }


def fit_ours(data, method, epsilon, seed):
    """Fit one of ours; returns the loss."""
    X = data.draws[data.draw_of(seed)]
    return loss_of(X, private(data, method, epsilon, seed).fit(X).cluster_centers_)


def measure_ours(data, args):
    """Yield the method, records, times and failure of each of ours."""
    times = times_of_ours(data)
    for method in OURS:
        cases = list(product(args.epsilon, range(args.seeds)))
        losses = Parallel(args.jobs)(
            delayed(fit_ours)(data, method, *case) for case in cases
        )
        records = [
            record(data, method, *case, loss)
            for case, loss in zip(cases, losses, strict=True)
        ]
        yield method, records, times[method], None


def measure_peer(data, pool, args):
    """Return the same of a peer, as far as it gets."""
    cases = list(product(args.epsilon, range(args.peer_seeds)))
    centers, times, failure = pool.measure(data, cases)
    records = [
        record(data, pool.name, e, s, loss_of(data.draws[data.draw_of(s)], c))
        for (e, s), c in zip(cases, centers, strict=True)
        if c is not None
    ]
    return pool.name, records, times, failure


def record(data, method, epsilon, seed, loss):
    return {
        "set": data.name,
        "method": method,
        "epsilon": epsilon,
        "seed": seed,
        "loss": loss,
        "ratio": loss / data.base[data.draw_of(seed)],
    }


def summarise(data, method, records, times, failure, epsilons):
    """Mean ratios, their area, and the ratio of times, of one method on one set."""
    means = []
    for epsilon in epsilons:
        ratios = [r["ratio"] for r in records if r["epsilon"] == epsilon]
        means.append(float(np.mean(ratios)) if ratios else None)
    slowdown = None
    if times is not None:
        ours, plain = (np.median(times[key]) for key in ("seconds", "kmeans_seconds"))
        slowdown = float(ours / plain)
    return {
        "set": data.name,
        "method": method,
        "mean_ratios": means,
        # Some of the fits are not comparable with all of them.
        "area": None if failure else area_under(means, epsilons),
        "time_over_kmeans": slowdown,
        "failure": failure,
        **(times or {}),
    }


def area_under(values, epsilons):
    """Area under the values, divided by the range of epsilon."""
    if len(epsilons) == 1:
        return values[0]
    return float(trapezoid(values, epsilons) / (epsilons[-1] - epsilons[0]))


# --- tables --------------------------------------------------------------------
def number(value, width, digits=3):
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"


def print_header(epsilons):
    print(
        f"\n{'set':>18}  {'method':13}"
        + "".join(f"{f'eps {e:g}':>9}" for e in epsilons)
        + f"{'area':>9}{'time':>8}",
        flush=True,
    )


def print_row(row):
    print(
        f"{row['set']:>18}  {row['method']:13}"
        + "".join(number(ratio, 9) for ratio in row["mean_ratios"])
        + number(row["area"], 9)
        + number(row["time_over_kmeans"], 8, 2)
        + (f"  given up: {row['failure']}" if row["failure"] else ""),
        flush=True,
    )


def geometric_mean(values):
    values = list(values)
    return float(np.exp(np.mean(np.log(values)))) if values else None


def print_summary(rows):
    """Print geometric means over the sets, and the cost of ``clip_norm="auto"``."""
    done = {(r["method"], r["set"]): r for r in rows if r["area"] is not None}
    print(
        "\nGeometric means over the sets that a method ran, and on how many of them "
        f"its area is below\nthat of DPKMeans\n{'':20}{'method':13}{'sets':>6}"
        f"{'area':>9}{'DPKMeans':>10}{'time':>8}{'below':>7}"
    )
    for method in dict.fromkeys(r["method"] for r in rows):
        own = [r for (m, _), r in done.items() if m == method]
        default = [done["DPKMeans", r["set"]]["area"] for r in own]
        below = sum(r["area"] < d for r, d in zip(own, default, strict=True))
        print(
            f"{'':20}{method:13}{len(own):6d}"
            + number(geometric_mean(r["area"] for r in own), 9)
            + number(geometric_mean(default), 10)
            + number(geometric_mean(r["time_over_kmeans"] for r in own), 8, 2)
            + f"{below:7d}"
        )
    cost = {
        name: row["area"] / done["DPKMeans", name]["area"]
        for (method, name), row in done.items()
        if method == "DPKMeans auto"
    }
    worst = max(cost, key=cost.get)
    print(
        f'clip_norm="auto" costs {geometric_mean(cost.values()) - 1:+.1%} in the '
        f"geometric mean, {cost[worst] - 1:+.1%} at most ({worst})"
    )


# --- command -------------------------------------------------------------------
def parse_arguments():
    parser = parser_of(
        "clustering",
        __doc__,
        *("--data", "--mnist", "--google", "--cache", "--jobs", "--fresh"),
    )
    drawn, names = list(clustering_sets()), [*clustering_sets(), *real_sets(None)]
    parser.add_argument(
        "--sets",
        nargs="+",
        choices=names,
        metavar="NAME",
        help=f"some of {', '.join(names)}",
    )
    parser.add_argument(
        "--epsilon", type=float, nargs="+", default=[0.25, 0.5, 1.0, 2.0, 4.0]
    )
    parser.add_argument("--seeds", type=int, default=5, help="fits for each epsilon")
    parser.add_argument("--peer-seeds", type=int, default=5, help="0 for no peers")
    parser.add_argument("--time-limit", type=float, default=120.0, help="of one fit")
    parser.add_argument("--mlbench", help="folder of the .rda files of R's mlbench")
    parser.add_argument("--quick", action="store_true", help="1 seed, drawn sets only")
    args = parser.parse_args()
    args.sets = args.sets or (drawn if args.quick else names)
    args.epsilon = sorted(set(args.epsilon))
    if args.quick:
        args.seeds, args.peer_seeds = 1, min(args.peer_seeds, 1)
    return args


def measure(data, args, pools):
    """Return the shape of one set, the rows of its table, and every loss."""
    n, d = data.draws[0].shape
    about = {"n": n, "d": d, "k": data.k, "non_private_losses": data.base}
    rows, losses = [], []
    peers = (measure_peer(data, pool, args) for pool in pools)
    for measured in chain(measure_ours(data, args), peers):
        rows.append(summarise(data, *measured, args.epsilon))
        losses += measured[1]
        print_row(rows[-1])
    return {**about, "rows": rows, "losses": losses}


def run(args, pools, skipped, results):
    """Measure every set that is there, or take it from the results."""
    print_header(args.epsilon)
    for name in args.sets:
        if name in results.results:
            for row in results.results[name]["rows"]:
                print_row(row)
            continue
        try:
            data = load(name, args)
        except (OSError, ImportError) as reason:
            skipped[name] = reason_of(reason)
            print(f"{name:>18}  skipped: {skipped[name]}", flush=True)
            continue
        results.once(name, measure=partial(measure, data, args, pools))
    done = [results.results[name] for name in args.sets if name in results.results]
    rows = [row for found in done for row in found["rows"]]
    if rows:
        print_summary(rows)


def main():
    args = parse_arguments()
    pools, skipped = [], {}
    results = Results(args, ("epsilon", "seeds", "peer_seeds", "time_limit"))
    with tempfile.TemporaryDirectory() as folder:
        if args.peer_seeds > 0:
            pools, skipped = start_pools(
                args.google, cache_dir(args.cache), args.jobs, args.time_limit, folder
            )
        for name, reason in skipped.items():
            print(f"{name}: skipped: {reason}")
        try:
            run(args, pools, skipped, results)
        finally:
            for pool in pools:
                pool.close()
    peers = {pool.name: pool.versions for pool in pools}
    results.save(skipped=skipped, versions_of_peers=peers)


if __name__ == "__main__":
    main()
