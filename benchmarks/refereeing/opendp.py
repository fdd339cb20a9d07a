"""The principal components of OpenDP, for referees: purely epsilon-private."""

from functools import partial

import numpy as np


class OpenDP:
    """A PCA with neighbours that differ in what one record is."""

    def __init__(self, epsilon):
        self.claim = {"epsilon": epsilon, "delta": 0.0}
        X = np.random.default_rng(0).uniform(-0.5, 0.5, (60, 3))
        first, second = X.copy(), X.copy()
        first[-1], second[-1] = np.eye(3)[:2]
        self.pair = first, second

    def hook(self, watched, inner):
        """Say why nothing can be watched."""
        raise NotImplementedError("it sums and adds noise within one compiled call")

    def sample(self, data, seed):  # its noise cannot be seeded
        """Return the numbers that a fit publishes."""
        import opendp.prelude as dp
        from opendp.extras.sklearn.decomposition import PCA

        dp.enable_features("contrib", "floating-point", "honest-but-curious")
        dp.enable_features("idealized-numerics")
        n, d = data.shape
        pca = PCA(
            epsilon=self.claim["epsilon"],
            row_norm=1.0,
            n_samples=n,
            n_features=d,
            n_components=2,
        ).fit(data)
        published = pca.mean_, pca.components_, pca.singular_values_
        return np.concatenate([np.ravel(one) for one in published])


MECHANISMS = {"PCA, epsilon 1": partial(OpenDP, 1.0)}
