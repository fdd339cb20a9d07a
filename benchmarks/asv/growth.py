"""Time and peak memory as one number grows, for airspeed velocity.

``make benchmark-asv`` runs it once, for the package that is installed; in the folder
``benchmarks``, ``asv run HEAD~10..main`` makes a history. Comparisons and exponents are
in `benchmarks.scaling`.
"""

import numpy as np

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)

from .rows import clusters


class _Growth:
    timeout = 300
    number = repeat = 1
    warmup_time = 0.0

    def fit(self):
        raise NotImplementedError

    def time_fit(self, size):
        self.fit()

    def peakmem_fit(self, size):
        self.fit()


class Rows(_Growth):
    """K-means in 32 features."""

    params = (10_000, 100_000, 1_000_000)
    param_names = ("n",)

    def setup(self, size):
        self.X, _ = clusters(size, 32)

    def fit(self):
        DPKMeans(10).fit(self.X)


class Features(_Growth):
    """Synthesizer with its label model, 20,000 rows of 10 classes."""

    params = (64, 256, 1024)
    param_names = ("d",)

    def setup(self, size):
        self.X, self.y = clusters(20_000, size)

    def fit(self):
        DPEmbeddingSynthesizer().fit(self.X, self.y)


class Components(_Growth):
    """Mixture of 50,000 rows in 32 features."""

    params = (2, 8, 32)
    param_names = ("k",)

    def setup(self, size):
        self.k = size
        self.X, _ = clusters(50_000, 32)

    def fit(self):
        DPGaussianMixture(self.k).fit(self.X)


class Classes(_Growth):
    """Logistic regression on 50,000 rows of 128 features."""

    params = (2, 20, 200)
    param_names = ("n_classes",)

    def setup(self, size):
        self.X, self.y = clusters(50_000, 128, k=size)

    def fit(self):
        DPLogisticRegression().fit(self.X, self.y)


class Threads(_Growth):
    """Logistic regression on 50,000 rows of 256 features."""

    params = (1, 2, 4)
    param_names = ("n_jobs",)

    def setup(self, size):
        self.n_jobs = size
        self.X, self.y = clusters(50_000, 256)

    def fit(self):
        DPLogisticRegression(n_jobs=self.n_jobs).fit(self.X, self.y)


class Workers(_Growth):
    """Logistic regression on 16 chunks in the memory of Dask workers."""

    params = (1, 2)
    param_names = ("n_workers",)

    def setup(self, size):
        try:
            import dask.array as da
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise NotImplementedError from error  # asv skips it
        self.cluster = LocalCluster(
            n_workers=size, threads_per_worker=1, dashboard_address=None
        )
        self.client = Client(self.cluster)
        X, y = clusters(100_000, 128)
        self.X = da.from_array(X, chunks=(6_250, -1)).persist()
        self.y = da.from_array(y, chunks=6_250).persist()

    def teardown(self, size):
        self.client.close()
        self.cluster.close()

    def fit(self):
        DPLogisticRegression().fit(self.X, self.y)


class Sampling:
    """Draws from a mixture of 16 full covariances in 64 features."""

    params = (1_000, 100_000)
    param_names = ("n_samples",)

    def setup(self, size):
        X, _ = clusters(20_000, 64)
        mixture = DPGaussianMixture(16, epsilon=np.inf, max_iter=0, random_state=0)
        self.mixture = mixture.fit(X)

    def time_sample(self, size):
        self.mixture.sample(size)

    def peakmem_sample(self, size):
        self.mixture.sample(size)
