"""Peers that learn to classify embeddings privately: four, and a synthesizer.

For each the best setting of a grid is chosen by its accuracy on the test set, without
a charge for the choice: that favours the peer. Then it runs with other seeds too.
"""

import contextlib
import functools
import itertools
import warnings

import dp_accounting
import numpy as np

from benchmarks.peers.google import google_clustering

# --- DP-SGD by Opacus ---------------------------------------------------------
# Batches in an epoch, epochs, learning rate, clip norm.
LINEAR_GRID = [
    *itertools.product((8,), (10,), (1.0, 2.0, 4.0, 8.0, 16.0, 32.0), (1.0,)),
    *itertools.product((8,), (20,), (1.0, 2.0, 4.0, 8.0), (1.0,)),
    *itertools.product((32,), (5,), (1.0, 4.0), (1.0,)),
    (2, 15, 8.0, 1.0),
    (1, 30, 8.0, 1.0),  # full batches
]
TWO_LAYER_GRID = [
    *itertools.product((8,), (10, 30), (0.5, 1.0, 2.0, 4.0), (1.0,)),
    (8, 30, 0.25, 1.0),
    (8, 20, 1.0, 1.0),
    *itertools.product((32,), (5,), (0.25, 1.0), (1.0,)),
    (2, 15, 2.0, 1.0),
    (1, 30, 2.0, 1.0),  # full batches
]
HIDDEN = 128


def _head(n_features, n_classes, hidden):
    from torch import nn

    if hidden:
        return nn.Sequential(
            nn.Linear(n_features, hidden), nn.Tanh(), nn.Linear(hidden, n_classes)
        )
    head = nn.Linear(n_features, n_classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def _loader(X, y, n_batches):
    import torch

    class Rows(torch.utils.data.Dataset):
        def __init__(self):
            self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)

        def __len__(self):
            return len(self.X)

        def __getitem__(self, i):
            return self.X[i], self.y[i]

        def __getitems__(self, rows):
            return self.X[rows], self.y[rows]

    # A whole batch at once: row by row, indexing takes longer than the steps.
    return torch.utils.data.DataLoader(
        Rows(), batch_size=-(-len(X) // n_batches), collate_fn=_as_it_is
    )


def _as_it_is(batch):
    return batch


def sgd(data, epsilon, delta, seed, setting, hidden=0):
    """Test accuracy of a head that Opacus has trained; labels are 0 to k - 1."""
    import opacus
    import torch

    X, y, X_test, y_test = data
    n_batches, n_epochs, rate, clip_norm = setting
    torch.manual_seed(seed)
    head = _head(X.shape[1], int(y.max()) + 1, hidden)
    with warnings.catch_warnings():
        # About a generator that is not cryptographic, and hooks of torch.
        warnings.simplefilter("ignore")
        # "ghost" clips the same gradients to the same norm, several times faster.
        head, optimizer, loss, loader = (
            opacus.PrivacyEngine().make_private_with_epsilon(
                module=head,
                optimizer=torch.optim.SGD(head.parameters(), lr=rate, momentum=0.9),
                data_loader=_loader(X, y.astype(np.int64), n_batches),
                criterion=torch.nn.CrossEntropyLoss(),
                grad_sample_mode="ghost",
                target_epsilon=epsilon,
                target_delta=delta,
                epochs=n_epochs,
                max_grad_norm=clip_norm,
            )
        )
        for _ in range(n_epochs):
            for x, target in loader:
                if len(x):
                    optimizer.zero_grad()
                    loss(head(x), target).backward()
                    optimizer.step()
    with torch.no_grad():
        found = head(torch.from_numpy(X_test)).argmax(dim=1).numpy()
    return float(np.mean(found == y_test))


# --- dp-learning-ff -----------------------------------------------------------
# Weight of the covariance of all, and the ridge over the spectral norm of the noise.
LEAST_SQUARES_GRID = list(itertools.product((0.1, 1.0), (0.5, 1.0, 4.0)))
# Steps, and how the budget is spread over them.
PROTOTYPE_GRID = list(itertools.product((1, 2, 4), ("eq", "lin")))


def _noise_multiplier(epsilon, delta, n_releases):
    return dp_accounting.get_sigma_gaussian(epsilon, delta) * np.sqrt(n_releases)


def least_squares(data, epsilon, delta, seed, setting):
    """Test accuracy of private least squares, calibrated by the tight formula."""
    from dp_learning_ff.least_squares import LeastSquaresClassifier

    X, y, X_test, y_test = data
    alpha, ridge = setting
    # Two matrices and a vector hold each record.
    noise = _noise_multiplier(epsilon, delta, 3)
    theta = LeastSquaresClassifier.dp_least_squares(
        X.astype(np.float64),
        y,
        weight_alpha=alpha,
        reg_lambda=ridge * 2.0 * noise * np.sqrt(X.shape[1]),
        clipping_norm=1.0,
        noise_multiplier=noise,
        seed=seed,
    )
    found = LeastSquaresClassifier.least_squares_classification(X_test, theta)
    return float(np.mean(found == y_test))


@functools.cache
def _prototype_budget(epsilon, delta, steps, spread):
    from dp_learning_ff.prototypes import CoinpressPrototyping

    peer = CoinpressPrototyping(epsilon, delta, steps=steps, dist=spread, p_sampling=1)
    with contextlib.redirect_stdout(None):
        peer.try_calibrate()
    return peer


def prototypes(data, epsilon, delta, seed, setting):
    """Test accuracy of the nearest of the private means of the classes."""
    X, y, X_test, y_test = data
    np.random.seed(seed)  # noqa: NPY002 - it draws from numpy's global generator
    peer = _prototype_budget(epsilon, delta, *setting)
    # It expects coordinates of order 1.
    means = peer.prototypes(X.astype(np.float64) * np.sqrt(X.shape[1]), y)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return float(np.mean((X_test @ means.T).argmax(axis=1) == y_test))


# --- a synthesizer on Google's clustering ----------------------------------------
GOOGLE_GRID = [(1,), (3,)]  # clusters of each class


def google_rows(data, epsilon, delta, seed, setting, checkout, n_rows):
    """Rows and labels around Google's private centres of each class.

    The classes are disjoint, so each may spend it all: half of the budget (of mu
    squared) goes to the centres and half to the covariance about them.
    """
    clustering = google_clustering(checkout)
    X, y = data[:2]
    rng = np.random.default_rng(seed)
    np.random.seed(seed)  # noqa: NPY002 - it draws from numpy's global generator
    half = np.sqrt(0.5) / dp_accounting.get_sigma_gaussian(epsilon, delta)
    half_epsilon = dp_accounting.get_epsilon_gaussian(1.0 / half, delta)
    centers, weights, codes = [], [], []
    scatter = np.zeros((X.shape[1],) * 2)
    for code in range(int(y.max()) + 1):
        rows = X[y == code].astype(np.float64)
        result = clustering.private_lsh_clustering(
            setting[0],
            clustering.clustering_params.Data(rows, 1.0),
            clustering.clustering_params.DifferentialPrivacyParam(half_epsilon, delta),
        )
        found = np.atleast_2d(result.centers)
        found = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1.0)
        squares = ((rows[:, None] - found[None]) ** 2).sum(2)
        nearest = squares.argmin(axis=1)
        gaps = rows - found[nearest]
        gaps /= np.maximum(np.linalg.norm(gaps, axis=1, keepdims=True), 1.0)
        scatter += gaps.T @ gaps
        centers.append(found)
        sizes = np.bincount(nearest, minlength=len(found)).astype(float)
        weights.append(sizes)
        codes.append(np.full(len(found), code))
    # One matrix and one vector of counts share the second half.
    noise = np.sqrt(2.0) / half
    upper = np.triu(rng.normal(scale=noise, size=scatter.shape))
    scatter += upper + np.triu(upper, 1).T
    weights = np.concatenate(weights)
    weights = np.maximum(weights + rng.normal(scale=noise, size=len(weights)), 1.0)
    centers, codes = np.concatenate(centers), np.concatenate(codes)
    values, vectors = np.linalg.eigh(scatter / weights.sum())
    drawn = rng.choice(len(codes), size=n_rows, p=weights / weights.sum())
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    E = centers[drawn] + rng.standard_normal((n_rows, X.shape[1])) @ root.T
    return E.astype(np.float32), codes[drawn]


# --- the best of a grid ----------------------------------------------------------
PEERS = {
    "Opacus, linear": ("opacus", LINEAR_GRID, sgd),
    "Opacus, two layers": (
        "opacus",
        TWO_LAYER_GRID,
        functools.partial(sgd, hidden=HIDDEN),
    ),
    "least squares": ("dp_learning_ff", LEAST_SQUARES_GRID, least_squares),
    "prototypes": ("dp_learning_ff", PROTOTYPE_GRID, prototypes),
}


def missing():
    """Return why peers cannot run, by their name."""
    reasons = {}
    for name, (package, _, _) in PEERS.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                __import__(package)
        except ImportError as error:
            reasons[name] = str(error)
    return reasons


def best_of_grid(accuracy, grid, seeds):
    """Return accuracies for each seed of the setting that is best for the first."""
    first, *others = seeds
    best, setting = max(
        ((accuracy(first, setting), setting) for setting in grid), key=lambda r: r[0]
    )
    return [best, *(accuracy(seed, setting) for seed in others)], setting
