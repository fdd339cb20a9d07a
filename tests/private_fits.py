"""What the tests of whole fits share: cases, comparison to the bit, recording."""

import dataclasses
from functools import partial
from types import SimpleNamespace

import numpy as np

import skdpgmm._base
from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm.privacy.accounting import LedgerEntry
from skdpgmm.privacy.records import PrivateRecords
from skdpgmm.privacy.rows import ArrayRows

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")
ESTIMATORS = (
    DPKMeans,
    DPGaussianMixture,
    DPEmbeddingSynthesizer,
    DPLogisticRegression,
)
N_CLASSES = 3
# The first released attribute of each.
RELEASED = {
    DPKMeans: "cluster_centers_",
    DPGaussianMixture: "means_",
    DPEmbeddingSynthesizer: "means_",
    DPLogisticRegression: "coef_",
}


def sized(cls, k, **params):
    """An estimator of `k` clusters or components, where it has such."""
    return cls(**params) if cls is DPLogisticRegression else cls(k, **params)


def make_data(n, d, seed=0, scale=1.0, offset=0.0):
    """Three blobs whose values float32 represents, and labels that follow them."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % N_CLASSES
    X = rng.standard_normal((n, d)) + 4.0 * rng.standard_normal((N_CLASSES, d))[y]
    order = rng.permutation(n)
    X = (scale * X + offset)[order].astype(np.float32).astype(np.float64)
    return X, y[order]


def public_precisions(kind, k, d):
    return {
        "full": np.broadcast_to(np.eye(d), (k, d, d)),
        "tied": np.eye(d),
        "diag": np.ones((k, d)),
        "spherical": np.ones(k),
    }[kind]


def fit_cases(d):
    """Map a name to (constructor, whether it takes labels) for `d` features."""
    k = 3
    start = np.random.default_rng(9).standard_normal((k, d))
    mixture = partial(DPGaussianMixture, k, max_iter=1)
    public = np.random.default_rng(8).standard_normal((50, d)) + 1.0
    synthesizer = DPEmbeddingSynthesizer
    cases = {
        "kmeans": (partial(DPKMeans, k), False),
        "kmeans-1": (partial(DPKMeans, 1, max_iter=1), False),
        "logistic": (DPLogisticRegression, True),
        "logistic-features": (
            partial(DPLogisticRegression, n_random_features=30),
            True,
        ),
        "logistic-public": (partial(DPLogisticRegression, X_public=public), True),
        "mixture-1": (partial(DPGaussianMixture, 1, max_iter=1), False),
        "mixture-plain": (partial(mixture, max_iter=0), False),
        "mixture-means": (partial(mixture, means_init=start), False),
        "mixture-means-plain": (
            partial(mixture, means_init=start, max_iter=0),
            False,
        ),
        "synthesizer": (partial(synthesizer, 2, max_iter=1), False),
        "synthesizer-1": (synthesizer, True),
        "synthesizer-labels": (partial(synthesizer, label_model=True), True),
        "synthesizer-public": (
            partial(synthesizer, label_model=True, X_public=public),
            True,
        ),
        "synthesizer-public-plain": (
            partial(synthesizer, label_model=False, X_public=public, clip_norm=20.0),
            True,
        ),
        "synthesizer-2": (partial(synthesizer, 2, covariance_type="full"), True),
    }
    for kind in COVARIANCE_TYPES:
        of_kind = partial(mixture, covariance_type=kind)
        cases[f"mixture-{kind}"] = (of_kind, False)
        known = {
            "means_init": start,
            "weights_init": np.array([0.2, 0.3, 0.5]),
            "precisions_init": public_precisions(kind, k, d),
        }
        cases[f"mixture-{kind}-known"] = (partial(of_kind, **known), False)
        cases[f"synthesizer-{kind}"] = (
            partial(synthesizer, covariance_type=kind, label_model=False),
            True,
        )
    return cases


def fit(estimator, X, y, labelled, **kwargs):
    return estimator.fit(X, y if labelled else None, **kwargs)


def fitted_state(estimator):
    """Everything that `fit` left on the estimator, private attributes included."""
    params = estimator.get_params(deep=False)
    return {k: v for k, v in vars(estimator).items() if k not in params}


def differences(a, b, path=""):
    """Yield the paths at which two nested values are not the same to the bit."""
    if type(a) is not type(b):
        yield f"{path}: {type(a)} != {type(b)}"
    elif isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape or a.tobytes() != b.tobytes():
            yield f"{path}: {a} != {b}"
    elif isinstance(a, dict):
        if a.keys() != b.keys():
            yield f"{path}: keys {sorted(a)} != {sorted(b)}"
        for key in a.keys() & b.keys():
            yield from differences(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, tuple | list):
        if len(a) != len(b):
            yield f"{path}: length {len(a)} != {len(b)}"
        for i, (x, y) in enumerate(zip(a, b, strict=False)):
            yield from differences(x, y, f"{path}[{i}]")
    elif dataclasses.is_dataclass(a):
        yield from differences(vars(a), vars(b), path)
    elif repr(a) != repr(b):  # tells nan from numbers and 0.0 from -0.0
        yield f"{path}: {a!r} != {b!r}"


def assert_same(a, b):
    found = list(differences(a, b))
    assert not found, "\n".join(found)


def stand_before_releases(monkeypatch, make_release):
    """Let `make_release(release, ledger, unit_factor)` take the place of `release`."""
    original = PrivateRecords

    def records_behind(rows, *, ledger, unit_factor, **kwargs):
        records = original(rows, ledger=ledger, unit_factor=unit_factor, **kwargs)
        made = make_release(records.release, ledger, unit_factor)
        return SimpleNamespace(release=made, holding=records.holding)

    monkeypatch.setattr(skdpgmm._base, "PrivateRecords", records_behind)


class Tape:
    """Records every release of the fits that follow, or plays a record back."""

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch
        self.calls = []  # (name, query, mus, unit_factor, releases)

    def record(self):
        def make_release(original, ledger, unit_factor):
            def release(name, query, mus):
                releases = original(name, query, mus)
                mus = [float(mu) for mu in mus]
                self.calls.append((name, query, mus, unit_factor, releases))
                return releases

            return release

        stand_before_releases(self.monkeypatch, make_release)

    def play(self):
        """Return the recorded releases in place of those of the data.

        The ledger is still debited, the queries must be those of the recorded
        fit to the bit, and to read a row of the data is an error.
        """
        left = list(self.calls)

        def make_release(original, ledger, unit_factor):
            def release(name, query, mus):
                recorded, its_query, its_mus, _, releases = left.pop(0)
                assert name == recorded
                assert_same(query, its_query)
                assert_same([float(mu) for mu in mus], its_mus)
                ledger.debit(
                    LedgerEntry(
                        f"{name}: {part.name}",
                        part.shape,
                        part.l2_sensitivity * unit_factor,
                        1.0 / mu,
                        mu,
                    )
                    for part, mu in zip(query.parts, map(float, mus), strict=True)
                )
                return releases

            return release

        def read(rows, summand):
            raise AssertionError("a replayed fit read the data")

        stand_before_releases(self.monkeypatch, make_release)
        self.monkeypatch.setattr(ArrayRows, "sum", read)
        return left
