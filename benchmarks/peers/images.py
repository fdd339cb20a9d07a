"""Peers that release images, or a classifier of images, without public images.

`mean_embeddings` follows the idea of Harder, Adamczewski and Park (2021), DP-MERF,
arXiv:2002.11603: random Fourier features of the pixels, their sum for each class with
Gaussian noise, and a generator whose images have the same sums. `private_cnn` is DP-SGD
by Opacus on a small convolutional network.
"""

import itertools
import warnings

import dp_accounting
import numpy as np
import torch
from torch import nn

from benchmarks.common.image_judge import accuracy

N_FEATURES = 2_000
# Batches in an epoch, epochs, learning rate; with batches of 1/16, clip norm 1.
SGD_GRID = list(itertools.product((16,), (15,), (0.5, 1.0, 2.0)))


# --- DP-MERF ------------------------------------------------------------------------
class _Generator(nn.Module):
    def __init__(self, n_classes, n_noise=10, width=16):
        super().__init__()
        self.n_classes, self.n_noise = n_classes, n_noise
        self.layers = nn.Sequential(
            nn.Linear(n_noise + n_classes, 256),
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

    def forward(self, labels):
        noise = torch.randn(len(labels), self.n_noise)
        one_hot = nn.functional.one_hot(labels, self.n_classes)
        return self.layers(torch.cat([noise, one_hot], dim=1))


def mean_embeddings(X, y, epsilon, delta, n_samples, bandwidth, n_steps=1_000, seed=0):
    """Return images and labels of a generator that matches noisy sums of features.

    `bandwidth` is chosen on public images, in favour of the peer. Classes share the
    budget for free: each record is in one of them. Add or remove one record.
    """
    torch.manual_seed(seed)
    n_classes = int(y.max()) + 1
    frequencies = torch.randn(X.shape[1] * X.shape[2], N_FEATURES // 2) / bandwidth

    def features(images):
        angles = images.flatten(1) @ frequencies
        return torch.cat([angles.cos(), angles.sin()], 1) * (2 / N_FEATURES) ** 0.5

    x = torch.from_numpy(X.astype(np.float32) / 255)
    labels = torch.from_numpy(y.astype(np.int64))
    sums = torch.zeros(n_classes, N_FEATURES)
    for i in range(0, len(x), 1000):
        rows = slice(i, i + 1000)
        sums.index_add_(0, labels[rows], features(x[rows]))
    # Each record adds a vector of norm 1 to one class.
    noise = dp_accounting.get_sigma_gaussian(epsilon, delta)
    sums += noise * torch.randn_like(sums)
    # Its counts are taken as public: one more point in favour of the peer.
    means = sums / torch.from_numpy(np.bincount(y))[:, None]
    model = _Generator(n_classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    labels = torch.arange(n_classes).repeat_interleave(20)
    for _ in range(n_steps):
        found = features(model(labels)).view(n_classes, 20, -1).mean(1)
        loss = (found - means).square().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    labels = torch.from_numpy(np.arange(n_samples) % n_classes)
    with torch.inference_mode():
        images = torch.cat([model(part)[:, 0] for part in labels.split(1000)])
    return (images * 255).round().to(torch.uint8).numpy(), labels.numpy()


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
