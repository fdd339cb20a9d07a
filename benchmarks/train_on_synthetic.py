"""Accuracy on real images of a network that was trained on synthetic embeddings.

One command, on Fashion-MNIST through EfficientNet-lite0 at 64 pixels::

    python benchmarks/train_on_synthetic.py

It prints, for each epsilon, the accuracy of a two-layer network trained on as many
synthetic rows as there are real ones, and that of the Bayes rule of the mixture;
beside them the same network trained on the real rows, without privacy. It also
prints the time of a fit over the time of one float64 ``X.T @ X`` of the same array
in the same run. Results are written as JSON beside this file, or to ``--output``.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skdpgmm import DPEmbeddingSynthesizer

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples"))

from fashion_mnist_data import embed, load_fashion_mnist  # noqa: E402


def network_accuracy(E, y, E_test, y_test, seed):
    """Accuracy of a two-layer network that has seen only E and y."""
    network = MLPClassifier(
        hidden_layer_sizes=(128,),
        batch_size=256,
        learning_rate_init=1e-3,
        max_iter=30,
        early_stopping=True,
        n_iter_no_change=3,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # It stops at 30 epochs or when held-out rows no longer gain.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(E, y)
    return network.score(E_test, y_test)


def bayes_accuracy(synthesizer, E_test, y_test):
    """Accuracy of the class whose components are the most probable."""
    responsibilities = synthesizer.transform(E_test)
    by_class = np.stack(
        [
            responsibilities[:, synthesizer.component_classes_ == c].sum(axis=1)
            for c in synthesizer.classes_
        ],
        axis=1,
    )
    return float(np.mean(synthesizer.classes_[by_class.argmax(axis=1)] == y_test))


def release_times(E, y, repeats=4):
    """Return the shortest times of ``X.T @ X`` in float64 and of a fit, in turn."""
    E64 = E.astype(np.float64)
    grams, fits = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        E64.T @ E64
        grams.append(time.perf_counter() - start)
        start = time.perf_counter()
        DPEmbeddingSynthesizer().fit(E, y)
        fits.append(time.perf_counter() - start)
    return min(grams), min(fits)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--epsilon", type=float, nargs="+", default=[0.5, 1.0, 2.0, 8.0]
    )
    parser.add_argument("--seeds", type=int, default=2, help="fits for each epsilon")
    parser.add_argument("--n-train", type=int, default=60_000, help="private images")
    parser.add_argument("--data", help="folder of Fashion-MNIST (default: find it)")
    parser.add_argument("--cache", help="folder for embeddings")
    parser.add_argument("--output", default=HERE / "train_on_synthetic.json")
    args = parser.parse_args()

    X_train, y_train, X_test, y_test = load_fashion_mnist(args.data)
    E_test = embed(X_test, args.cache)
    E_train = embed(X_train, args.cache)[: args.n_train]
    y_train = y_train[: args.n_train]

    gram_time, fit_time = release_times(E_train, y_train)
    print(
        f"fit of {E_train.shape[0]:,} x {E_train.shape[1]} in {fit_time:.2f} s, "
        f"float64 X.T @ X in {gram_time:.2f} s, ratio {fit_time / gram_time:.2f}",
        flush=True,
    )

    print(f"\n{'trained on':>24}  {'network':>15}  {'Bayes rule':>15}")
    rows = []
    for epsilon in args.epsilon:
        scores = []
        for seed in range(args.seeds):
            synthesizer = DPEmbeddingSynthesizer(epsilon=epsilon)
            synthesizer.fit(E_train, y_train)
            E, y = synthesizer.sample(len(E_train), random_state=seed)
            scores.append(
                (
                    network_accuracy(E, y, E_test, y_test, seed),
                    bayes_accuracy(synthesizer, E_test, y_test),
                )
            )
        mean, spread = np.mean(scores, axis=0), np.std(scores, axis=0)
        print(
            f"{f'synthetic, epsilon {epsilon:g}':>24}"
            + "".join(
                f"  {m:.4f} +- {s:.4f}" for m, s in zip(mean, spread, strict=True)
            ),
            flush=True,
        )
        rows.append({"epsilon": epsilon, "network_and_bayes_rule": scores})
    real = [
        network_accuracy(E_train, y_train, E_test, y_test, seed)
        for seed in range(args.seeds)
    ]
    print(f"{'real, not private':>24}  {np.mean(real):.4f} +- {np.std(real):.4f}")
    report = {
        "n_train": len(E_train),
        "delta": 1e-5,
        "fit_seconds": fit_time,
        "gram_seconds": gram_time,
        "ratio": fit_time / gram_time,
        "synthetic": rows,
        "real": real,
    }
    Path(args.output).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
