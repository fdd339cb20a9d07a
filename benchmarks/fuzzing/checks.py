"""What must hold of a fitted estimator, whatever it was fitted to."""

from __future__ import annotations

import math
import pickle
from contextlib import contextmanager

import dask
import numpy as np
import pandas as pd
from sklearn.base import clone

from skdpgmm.privacy import Ledger, PrivacyReport


class FaultError(AssertionError):
    """A finished fit that is not as it should be."""

    def __init__(self, kind, detail=""):
        detail = str(detail)
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


def demand(condition, kind, detail=""):
    if not condition:
        raise FaultError(kind, detail)


@contextmanager
def counted_debits():
    """Count the entries that ledgers debit in the block."""
    debited, original = [], Ledger.debit

    def debit(ledger, entries):
        before = len(ledger.entries)
        original(ledger, entries)
        debited.extend(ledger.entries[before:])

    Ledger.debit = debit
    try:
        yield debited
    finally:
        Ledger.debit = original


def as_array(result):
    """Return what a method gave for rows of any kind in memory."""
    if dask.is_dask_collection(result):
        result = result.compute()
    lazy = not hasattr(result, "shape") and not isinstance(result, list)
    if lazy and hasattr(result, "__iter__"):
        parts = [np.asarray(part) for part in result]
        return np.concatenate(parts) if parts else np.array(parts)
    return np.asarray(result)


def in_memory(estimator, plain):
    """Return the rows in memory, with names where the estimator saw some."""
    names = getattr(estimator, "feature_names_in_", None)
    return plain if names is None else pd.DataFrame(plain, columns=names)


# --------------------------------------------------------------------------
# The guarantee
# --------------------------------------------------------------------------


def check_report(report, epsilon, debited):
    """Check that no more was spent than asked for, and that all of it is said."""
    demand(isinstance(report, PrivacyReport), "privacy_ is no report", type(report))
    demand(report.epsilon == float(epsilon), "the report has another epsilon")
    demand(0.0 <= report.spent_mu <= report.mu, "more mu spent than there is")
    # The sum of all debits of this call, whichever ledger took them.
    demand(list(report.ledger) == debited, "debits that the report does not show")
    demand(report.spent_epsilon <= report.epsilon, "more epsilon spent than asked for")
    for entry in report.ledger:
        demand(entry.mu > 0.0, "a release without budget", entry)
        demand(
            math.isfinite(entry.l2_sensitivity) and entry.l2_sensitivity > 0.0,
            "a release without sensitivity",
            entry,
        )
    demand(len(str(report)) > 50, "the report says nothing")
    report._repr_html_()


def numbers_of(estimator):
    """Yield name and value of each fitted attribute that is an array of numbers."""
    params = estimator.get_params(deep=False)
    for name, value in vars(estimator).items():
        if name not in params and isinstance(value, np.ndarray):
            if value.dtype.kind in "fc":
                yield name, value


def check_attributes(estimator):
    """Check that all released numbers are finite."""
    for name, value in numbers_of(estimator):
        demand(np.isfinite(value).all(), f"{name} is not finite", value.ravel()[:5])


# --------------------------------------------------------------------------
# What each kind of estimator promises
# --------------------------------------------------------------------------


def check_shares(shares, kind):
    demand(np.isfinite(shares).all(), f"{kind} are not finite")
    demand((shares >= 0.0).all(), f"{kind} are negative")
    total = shares.sum(axis=-1)
    demand(
        np.allclose(total, 1.0, atol=1e-6),
        f"{kind} do not sum to 1",
        np.ravel(total)[:5],
    )


def check_covariances(estimator, kind):
    covariances = estimator.covariances_
    if kind in ("full", "tied"):
        try:
            np.linalg.cholesky(covariances)
        except np.linalg.LinAlgError:
            raise FaultError("covariances_ are not positive definite") from None
    else:
        demand((covariances > 0.0).all(), "covariances_ are not positive")
    factors = estimator.precisions_cholesky_
    demand(np.isfinite(factors).all(), "precisions_cholesky_ are not finite")


def check_kmeans(estimator, X, plain, y):
    k, (n, d) = estimator.n_clusters, plain.shape
    centers = estimator.cluster_centers_
    demand(centers.shape == (k, d), "cluster_centers_ have another shape")
    demand(estimator.cluster_counts_.shape == (k,), "cluster_counts_ have one")
    labels = as_array(estimator.predict(X))
    distances = as_array(estimator.transform(X))
    demand(distances.shape == (n, k), "transform has another shape")
    demand(np.isfinite(distances).all(), "transform is not finite")
    demand((distances >= 0.0).all(), "transform is negative")
    demand(math.isfinite(estimator.score(X)), "score is not finite")
    demand(len(estimator.get_feature_names_out()) == k, "feature names are not as many")
    # Differences, one centre at a time, are the reference. Squares of what is left
    # when a common centre is subtracted may round.
    exact = np.stack([np.linalg.norm(plain - c, axis=1) for c in centers], axis=1)
    slack = 1e-12 * exact.max() ** 2
    own = exact[np.arange(n), labels]
    nearest = own**2 <= (1.0 + 1e-9) * exact.min(axis=1) ** 2 + slack
    demand(nearest.all(), "predict is not the nearest")
    wrong = abs(distances**2 - exact**2)
    close = wrong <= 1e-9 * exact**2 + slack
    demand(close.all(), "transform is not the distance", wrong.max())


def check_mixture(estimator, X, plain, y):
    k, d = estimator.n_components, plain.shape[1]
    check_shares(estimator.weights_, "weights_")
    demand(estimator.means_.shape == (k, d), "means_ have another shape")
    check_covariances(estimator, estimator.covariance_type)
    probabilities = as_array(estimator.predict_proba(X))
    demand(probabilities.shape == (len(plain), k), "predict_proba has another shape")
    check_shares(probabilities, "predict_proba")
    labels = as_array(estimator.predict(X))
    demand(((labels >= 0) & (labels < k)).all(), "predict gives unknown components")
    densities = as_array(estimator.score_samples(X))
    demand(np.isfinite(densities).all(), "score_samples is not finite")
    demand(math.isfinite(estimator.score(X)), "score is not finite")
    for name in ("bic", "aic"):
        value = getattr(estimator, name)(X)
        demand(math.isfinite(value), f"{name} is not finite")
    rows, components = estimator.sample(9)
    check_sampled(rows, components, np.arange(k), (9, d))


def check_sampled(rows, labels, known, shape):
    rows, labels = as_array(rows), as_array(labels)
    if labels.shape == (len(rows), 1):  # of a frame, as they came
        labels = labels[:, 0]
    demand(rows.shape == shape, "sample has another shape", rows.shape)
    demand(labels.shape == shape[:1], "sampled labels have another shape")
    finite = np.isfinite(rows.astype(np.float64)).all()
    demand(finite, "sample is not finite")
    unknown = set(labels.tolist()) - set(np.asarray(known).tolist())
    demand(not unknown, "sample gives unknown labels", unknown)


def check_synthesizer(estimator, X, plain, y):
    n, d = plain.shape
    check_shares(estimator.weights_, "weights_")
    check_shares(estimator.class_weights_, "class_weights_")
    k = len(estimator.weights_)
    demand(estimator.means_.shape == (k, d), "means_ have another shape")
    check_covariances(estimator, estimator.covariance_type_)
    known = np.arange(k) if estimator.classes_ is None else estimator.classes_
    check_sampled(*estimator.sample(9), known, (9, d))
    if estimator.classes_ is not None:
        one = known[-1]
        rows, labels = estimator.sample(4, y=one, random_state=0)
        check_sampled(rows, labels, [one], (4, d))
        batches = estimator.iter_samples(5, class_weight="balanced", batch_size=2)
        sizes = [len(part[0]) for part in batches]
        demand(sizes == [2, 2, 1], "iter_samples gives other batches", sizes)
    responsibilities = as_array(estimator.transform(X))
    demand(responsibilities.shape == (n, k), "transform has another shape")
    check_shares(responsibilities, "transform")
    densities = as_array(estimator.score_samples(X))
    demand(np.isfinite(densities).all(), "score_samples is not finite")
    demand(math.isfinite(estimator.score(X)), "score is not finite")
    if estimator.classes_ is not None:
        value = estimator.score(in_memory(estimator, plain), y)
        demand(not math.isnan(value) and value < math.inf, "score of y is not finite")


def check_other_classifier(estimator, X, plain, y):
    """Check what is given to the classifier of somebody else, and comes from it."""
    labels = as_array(estimator.predict(X))
    demand(labels.shape == (len(plain),), "predict has another shape", labels.shape)
    unknown = set(labels.tolist()) - set(estimator.classes_.tolist())
    demand(not unknown, "predict gives unknown labels", unknown)


def check_synthetic_classifier(estimator, X, plain, y):
    check_synthesizer_of(estimator, plain)
    own = estimator.classifier is None
    (check_classifier if own else check_other_classifier)(estimator, X, plain, y)


def check_classifier(estimator, X, plain, y):
    n, classes = len(plain), estimator.classes_
    labels = as_array(estimator.predict(X))
    demand(labels.shape == (n,), "predict has another shape", labels.shape)
    unknown = set(labels.tolist()) - set(classes.tolist())
    demand(not unknown, "predict gives unknown labels", unknown)
    accuracy = estimator.score(in_memory(estimator, plain), y)
    demand(0.0 <= accuracy <= 1.0, "score is not an accuracy")
    if hasattr(estimator, "predict_proba"):
        probabilities = as_array(estimator.predict_proba(X))
        demand(probabilities.shape == (n, len(classes)), "predict_proba has another")
        check_shares(probabilities, "predict_proba")
    if hasattr(estimator, "predict_log_proba"):
        logs = as_array(estimator.predict_log_proba(X))
        demand(np.isfinite(logs).all(), "predict_log_proba is not finite")
    if hasattr(estimator, "decision_function"):
        scores = as_array(estimator.decision_function(X))
        demand(np.isfinite(scores).all(), "decision_function is not finite")


def check_resampler(estimator, X, plain, y):
    check_synthesizer_of(estimator, plain)


def check_synthesizer_of(estimator, plain):
    synthesizer = estimator.synthesizer_
    known = synthesizer.classes_
    demand(np.array_equal(known, estimator.classes_), "classes_ are not the same")
    check_sampled(*synthesizer.sample(5), known, (5, plain.shape[1]))


def check_pca(estimator, X, plain, y):
    k, d = estimator.components_.shape
    products = estimator.components_ @ estimator.components_.T
    demand(np.allclose(products, np.eye(k), atol=1e-8), "components_ are not unit")
    variances = estimator.explained_variance_
    demand((np.diff(variances) <= 0.0).all(), "explained_variance_ does not descend")
    demand((variances > 0.0).all(), "explained_variance_ is not positive")
    demand(estimator.noise_variance_ >= 0.0, "noise_variance_ is negative")
    Z = as_array(estimator.transform(X))
    demand(Z.shape == (len(plain), k), "transform has another shape", Z.shape)
    rows = as_array(estimator.inverse_transform(Z))
    demand(rows.shape == (len(plain), d), "inverse_transform has another shape")


def check_scaler(estimator, X, plain, y):
    center, scale = estimator.center_, estimator.scale_
    demand((scale > 0.0).all(), "scale_ is not positive")
    demand(center.shape == scale.shape == plain.shape[1:], "center_ has another shape")
    Z = as_array(estimator.transform(X))
    demand(Z.shape == plain.shape, "transform has another shape", Z.shape)
    demand((np.abs(Z) <= estimator.clip).all(), "transform is not clipped")
    rows = as_array(estimator.inverse_transform(Z))
    demand(np.isfinite(rows).all(), "inverse_transform is not finite")


CHECKS = {
    "DPStandardScaler": check_scaler,
    "DPPCA": check_pca,
    "DPKMeans": check_kmeans,
    "DPGaussianMixture": check_mixture,
    "DPEmbeddingSynthesizer": check_synthesizer,
    "DPLogisticRegression": check_classifier,
    "DPSyntheticClassifier": check_synthetic_classifier,
    "DPSyntheticResampler": check_resampler,
}


# --------------------------------------------------------------------------
# Refit, clone, pickle, other containers
# --------------------------------------------------------------------------


def state(estimator):
    """Return the bytes of all released arrays, by name."""
    return {name: value.tobytes() for name, value in numbers_of(estimator)}


def check_copies(estimator, X):
    """Check that clones and pickles are as good as the estimator."""
    copy = clone(estimator)
    demand(set(copy.get_params()) == set(estimator.get_params()), "clone has others")
    loaded = pickle.loads(pickle.dumps(estimator))
    demand(state(loaded) == state(estimator), "a pickle has other attributes")
    if hasattr(estimator, "predict"):
        a, b = (as_array(e.predict(X)) for e in (estimator, loaded))
        demand(np.array_equal(a, b), "a pickle predicts otherwise")


def check_same(estimator, other, kind):
    a, b = state(estimator), state(other)
    wrong = sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))
    demand(not wrong, kind, wrong)
