"""The peer of a label: DP-SGD on a linear or two-layer head by Opacus.

The best of a grid is chosen on the test set, without a charge for the choice: that
favours the peer.
"""

import itertools
import warnings

import numpy as np

try:
    import opacus
    import torch
except ImportError:
    opacus = None

# Batches in an epoch, epochs, learning rate, clip norm: 12 settings, and full batches.
GRID = [
    *itertools.product((8,), (10, 30), (0.5, 1.0, 2.0, 4.0, 8.0), (1.0,)),
    *itertools.product((32,), (10,), (0.5, 2.0), (1.0,)),
    *itertools.product((1,), (40,), (2.0, 8.0), (1.0,)),
]


def available():
    return opacus is not None


def _head(n_features, n_classes, hidden):
    if hidden:
        return torch.nn.Sequential(
            torch.nn.Linear(n_features, hidden),
            torch.nn.Tanh(),
            torch.nn.Linear(hidden, n_classes),
        )
    head = torch.nn.Linear(n_features, n_classes)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    return head


def dp_sgd_accuracy(data, epsilon, delta, setting, hidden=0, seed=0):
    """Test accuracy of a head that Opacus has trained; labels are 0 to k - 1."""
    X, y, X_test, y_test = data
    n_batches, n_epochs, rate, clip_norm = setting
    torch.manual_seed(seed)
    head = _head(X.shape[1], int(y.max()) + 1, hidden)
    rows = torch.utils.data.TensorDataset(
        torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))
    )
    loader = torch.utils.data.DataLoader(rows, batch_size=-(-len(X) // n_batches))
    optimizer = torch.optim.SGD(head.parameters(), lr=rate, momentum=0.9)
    with warnings.catch_warnings():
        # About a generator that is not cryptographic, and hooks of torch.
        warnings.simplefilter("ignore")
        engine = opacus.PrivacyEngine()
        head, optimizer, loader = engine.make_private_with_epsilon(
            module=head,
            optimizer=optimizer,
            data_loader=loader,
            target_epsilon=epsilon,
            target_delta=delta,
            epochs=n_epochs,
            max_grad_norm=clip_norm,
        )
        loss = torch.nn.CrossEntropyLoss()
        for _ in range(n_epochs):
            for x, target in loader:
                if len(x):
                    optimizer.zero_grad()
                    loss(head(x), target).backward()
                    optimizer.step()
    with torch.no_grad():
        found = head(torch.from_numpy(X_test)).argmax(dim=1).numpy()
    return float(np.mean(found == y_test))


def best_of_grid(data, epsilon, delta, hidden=0):
    """Return the best accuracy of the grid and its setting."""
    return max(
        (dp_sgd_accuracy(data, epsilon, delta, setting, hidden), setting)
        for setting in GRID
    )
