"""Peers that release images, or a classifier of images, without public images.

`mean_embeddings` is of the kind of DP-MERF, on pixels, with a convolutional generator.
`private_cnn` is DP-SGD by Opacus on a small convolutional network.
"""

import itertools
import warnings

import numpy as np
import torch
from torch import nn

from benchmarks.common.image_judge import accuracy
from benchmarks.peers.mean_embeddings import (
    Generator,
    RandomFeatures,
    match,
    private_means,
)
from skdpgmm.privacy import mu_from_epsilon

N_FEATURES = 2_000
# Batches in an epoch, epochs, learning rate; with batches of 1/16, clip norm 1.
SGD_GRID = list(itertools.product((16,), (15,), (0.5, 1.0, 2.0)))


# --- DP-MERF ------------------------------------------------------------------------
def _convolutions(n_inputs, width=16):
    """Layers from noise and one-hot labels to images of 28 x 28, from 0 to 1."""
    return nn.Sequential(
        nn.Linear(n_inputs, 256),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Linear(256, 2 * width * 49),
        nn.BatchNorm1d(2 * width * 49),
        nn.ReLU(),
        nn.Unflatten(1, (2 * width, 7, 7)),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(2 * width, width, 5, padding=2),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(width, 1, 5, padding=2),
        nn.Sigmoid(),
    )


def mean_embeddings(X, y, epsilon, delta, n_samples, bandwidth, n_steps=1_000, seed=0):
    """Return images and labels of a generator that matches noisy sums of features.

    `bandwidth` is chosen on public images, in favour of the peer.
    """
    torch.manual_seed(seed)
    n_classes, n_noise = int(y.max()) + 1, 10
    features = RandomFeatures(X.shape[1] * X.shape[2], N_FEATURES, bandwidth)
    x = torch.from_numpy(X.astype(np.float32) / 255)
    labels = torch.from_numpy(y.astype(np.int64))
    means = private_means(features, x, labels, mu_from_epsilon(epsilon, delta))
    model = Generator(n_classes, n_noise, _convolutions(n_noise + n_classes))
    match(model, features, means, n_steps)
    labels = np.arange(n_samples) % n_classes
    return np.rint(255 * model.draw(labels)[:, 0]).astype(np.uint8), labels


def median_distance(images, n=1_000):
    """The median distance of public images, the usual choice of a bandwidth."""
    flat = images[:n].reshape(n, -1) / 255.0
    squares = (flat**2).sum(1)
    distances = squares[:, None] + squares - 2 * flat @ flat.T
    return float(np.sqrt(np.median(distances[np.triu_indices(n, 1)])))


# --- DP-SGD -------------------------------------------------------------------------
def _small_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 8, 2, padding=3),
        nn.Tanh(),
        nn.MaxPool2d(2, 1),
        nn.Conv2d(16, 32, 4, 2),
        nn.Tanh(),
        nn.MaxPool2d(2, 1),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 32),
        nn.Tanh(),
        nn.Linear(32, 10),
    )


def private_cnn(data, epsilon, delta, setting, seed=0):
    """Test accuracy of a convolutional network that Opacus has trained."""
    import opacus

    X, y, X_test, y_test = data
    n_batches, n_epochs, rate = setting
    torch.manual_seed(seed)
    x = torch.from_numpy(X.astype(np.float32) / 255)[:, None]
    rows = torch.utils.data.TensorDataset(x, torch.from_numpy(y.astype(np.int64)))
    loader = torch.utils.data.DataLoader(rows, batch_size=-(-len(X) // n_batches))
    model = _small_cnn()
    with warnings.catch_warnings():
        # About a generator that is not cryptographic, and hooks of torch.
        warnings.simplefilter("ignore")
        engine = opacus.PrivacyEngine()
        model, optimizer, loss_of, loader = engine.make_private_with_epsilon(
            module=model,
            optimizer=torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9),
            data_loader=loader,
            criterion=nn.CrossEntropyLoss(),
            grad_sample_mode="ghost",
            target_epsilon=epsilon,
            target_delta=delta,
            epochs=n_epochs,
            max_grad_norm=1.0,
        )
        for _ in range(n_epochs):
            for batch, target in loader:
                optimizer.zero_grad()
                loss_of(model(batch), target).backward()
                optimizer.step()
    return accuracy(model, X_test, y_test)
