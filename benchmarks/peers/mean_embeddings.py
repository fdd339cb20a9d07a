"""Mean embeddings of classes with noise, and generators whose output has the same.

It follows the idea of Harder, Adamczewski and Park (2021), DP-MERF, arXiv:2002.11603:
random Fourier features of the records, their sum for each class with Gaussian noise,
and a generator whose output has the same sums.
"""

import numpy as np
import torch
from torch import nn


class RandomFeatures:
    """Random Fourier features of norm 1, of a Gaussian kernel."""

    def __init__(self, n_inputs, n_features, bandwidth):
        self.frequencies = torch.randn(n_inputs, n_features // 2) / bandwidth

    def __call__(self, rows):
        angles = rows.flatten(1) @ self.frequencies
        n_angles = self.frequencies.shape[1]
        return torch.cat([angles.cos(), angles.sin()], 1) / n_angles**0.5


def private_means(features, x, labels, mu):
    """Return the mean feature of each class, its sum with noise.

    Classes share the budget for free: each record is in one of them, and adds a vector
    of norm 1 to its sum. The counts are taken as public: a point in favour of the peer.
    """
    counts = torch.bincount(labels)
    sums = 0.0
    for rows in torch.arange(len(x)).split(1000):
        one_hot = nn.functional.one_hot(labels[rows], len(counts))
        sums = sums + one_hot.to(x.dtype).T @ features(x[rows])
    return (sums + torch.randn_like(sums) / mu) / counts[:, None]


def match(model, features, means, n_steps, n_each=20, n_rows=400):
    """Train a generator of rows from labels until its mean features are `means`.

    Each step takes `n_each` rows of a class, of as many classes as make about `n_rows`.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    for _ in range(n_steps):
        classes = torch.randperm(len(means))[: n_rows // n_each]
        made = features(model(classes.repeat_interleave(n_each)))
        found = made.view(len(classes), n_each, -1).mean(1)
        loss = (found - means[classes]).square().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


class Generator(nn.Module):
    """From labels and noise, through `layers`, to whatever these return."""

    def __init__(self, n_classes, n_noise, layers):
        super().__init__()
        self.n_classes, self.n_noise, self.layers = n_classes, n_noise, layers

    def forward(self, labels):
        noise = torch.randn(len(labels), self.n_noise)
        one_hot = nn.functional.one_hot(labels, self.n_classes)
        return self.layers(torch.cat([noise, one_hot], dim=1))

    def draw(self, labels):
        """Return what is made for labels, as an array, in batches."""
        with torch.inference_mode():
            parts = [self(part) for part in torch.from_numpy(labels).split(1000)]
        return np.concatenate([part.numpy() for part in parts])
