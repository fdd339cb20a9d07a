"""What synthetic images teach, and how much they are like real ones."""

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.common.embeddings import mobilenet
from skdpgmm import OnnxEncoder, TorchEmbeddingTransformer
from skdpgmm.metrics import frechet_distance, manifold_scores

N_JUDGED = 5_000


class Judge:
    """Scores of images, all of them computed on private and on test images.

    Frechet distance, precision and recall are those of `N_JUDGED` images, in the
    features of MobileNetV2. "near" is the share of them that are nearer to a private
    image, in pixels, than 99 in 100 private images are to their nearest other.
    """

    def __init__(self, private, test):
        self.test = test
        encoder = OnnxEncoder.from_torch(mobilenet(96), np.zeros((2, 28, 28), np.uint8))
        self.embedder = TorchEmbeddingTransformer(encoder)
        self.features = self.embedder.fit_transform(private[:N_JUDGED])
        self.search = NearestNeighbors(n_neighbors=1).fit(_flat(private))
        self.limit = np.quantile(self.search.kneighbors()[0], 0.01)

    def __call__(self, X, y, shown=None):
        """Scores of a network trained on images, and of these or those `shown`."""
        shown = X if shown is None else shown
        few = shown[np.random.default_rng(0).permutation(len(shown))[:N_JUDGED]]
        features = self.embedder.transform(few)
        distances = self.search.kneighbors(_flat(few))[0]
        precision, recall, *_ = manifold_scores(self.features, features)
        return {
            "accuracy": accuracy(train_cnn(X, y), *self.test),
            "frechet": frechet_distance(self.features, features),
            "precision": precision,
            "recall": recall,
            "near": float(np.mean(distances < self.limit)),
        }


def _flat(images):
    return images.reshape(len(images), -1).astype(np.float32)


def train_cnn(X, y, n_epochs=4, seed=0, batch=256):
    """Train a small convolutional network on images of uint8, without privacy."""
    torch.manual_seed(seed)
    x = _as_input(X)
    n_colours, height, width = x.shape[1:]
    model = nn.Sequential(
        nn.Conv2d(n_colours, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(64 * (height // 4) * (width // 4), 128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, 10),
    ).to(memory_format=torch.channels_last)
    target = torch.from_numpy(y.astype(np.int64))
    n_batches = len(x) // batch
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 2e-3, n_epochs * n_batches
    )
    for _ in range(n_epochs):
        for rows in torch.randperm(len(x))[: n_batches * batch].split(batch):
            optimizer.zero_grad()
            cross_entropy(model(x[rows]), target[rows]).backward()
            optimizer.step()
            schedule.step()
    return model


def accuracy(model, X, y):
    """Share of images of uint8 that a network gets right."""
    model.eval()
    with torch.inference_mode():
        found = torch.cat([model(part).argmax(1) for part in _as_input(X).split(1000)])
    return float(np.mean(found.numpy() == y))


def _as_input(X):
    """Images of 0 to 255, (n, h, w) or (n, h, w, c), as (n, c, h, w) of 0 to 1."""
    x = torch.from_numpy(X.astype(np.float32) / 255)
    return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
