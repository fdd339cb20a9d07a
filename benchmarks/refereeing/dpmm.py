"""Synthetic tables of dpmm, for referees."""

from functools import partial

import numpy as np

DOMAIN = {"a": 3, "b": 3, "c": 2}


class DPMM:
    """A generative model with neighbours that differ in one row more."""

    def __init__(self, name, epsilon):
        import pandas as pd

        self.name, self.claim = name, {"epsilon": epsilon, "delta": 1e-5}
        rng = np.random.default_rng(0)
        table = pd.DataFrame({k: rng.integers(0, n, 60) for k, n in DOMAIN.items()})
        self.pair = table, pd.concat([table, table.iloc[:1]], ignore_index=True)

    def fit(self, data, seed):
        """Return the fitted model."""
        import dpmm.models as models

        own = getattr(models, self.name)(**self.claim, n_jobs=1, n_iters=50)
        own.set_random_state(np.random.RandomState(seed))
        own.set_domain(DOMAIN)
        own.fit(data)
        return own

    def hook(self, watched, inner):
        """Have noise watched where it is added, and choices."""
        import dpmm.models.aim as aim
        import dpmm.models.base.mechanisms.mechanism as mechanism
        import dpmm.models.mst as mst

        for module in (mechanism, mst, aim):
            noise = module.gaussian_noise
            module.gaussian_noise = partial(Noise, watched, noise)
        for model in (mst.MST, aim.AIM):
            _watch_choices(model, watched)


class Noise:
    """Noise of a scale that is to be added to counts, which are one row apart."""

    __array_ufunc__ = None  # so that sums of arrays ask it

    def __init__(self, watched, noise, sigma, size=None):
        self.watched, self.noise, self.sigma, self.size = watched, noise, sigma, size

    def __radd__(self, counts):
        def noisy(counts):
            return counts + self.noise(sigma=self.sigma, size=self.size)

        return self.watched(
            "counts", noisy, np.asarray(counts), euclidean, 1.0, self.sigma, "gaussian"
        )


def _watch_choices(model, watched):
    original = model.exponential_mechanism

    def choose(self, scores, eps, sensitivity=1.0, **others):
        keys = list(scores) if isinstance(scores, dict) else None
        values = np.array([scores[key] for key in keys] if keys else scores)

        def chosen(values):
            given = dict(zip(keys, values, strict=True)) if keys else values
            return original(self, given, eps, sensitivity, **others)

        return watched("choice", chosen, values, largest, float(sensitivity), eps)

    model.exponential_mechanism = choose


def euclidean(one, other):
    """Return the distance of counts."""
    return float(np.linalg.norm(np.ravel(one) - np.ravel(other)))


def largest(one, other):
    """Return the largest change of a score."""
    return float(np.max(np.abs(np.subtract(one, other))))


MECHANISMS = {
    "MST": partial(DPMM, "MSTGM", 4.0),
    "AIM": partial(DPMM, "AIMGM", 4.0),
}
