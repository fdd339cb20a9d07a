"""The estimators inside of scikit-learn's machinery, on images of digits."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from private_fits import ESTIMATORS, RELEASED, sized
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV, GroupKFold, train_test_split
from sklearn.pipeline import make_pipeline

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    TorchEmbeddingTransformer,
)

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return train_test_split(
        (data.images[:, None] / 16.0).astype(np.float32),  # (n, 1, 8, 8)
        data.target,
        test_size=0.3,
        random_state=0,
    )


@pytest.fixture(scope="module")
def encoder():
    """A small convolutional net with public, seeded weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 8, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(72, 16),
        )


def image_pipeline(encoder, **params):
    params = {"clip_norm": 1.0, "random_state": 0, **params}
    return make_pipeline(
        TorchEmbeddingTransformer(encoder), DPEmbeddingSynthesizer(**params)
    )


@pytest.fixture(scope="module")
def fitted(encoder, digits):
    X, _, y, _ = digits
    return image_pipeline(encoder).fit(X, y)


@pytest.fixture(scope="module")
def embedded(encoder, digits):
    X, _, y, _ = digits
    return TorchEmbeddingTransformer(encoder).transform(X), y


# --------------------------------------------------------------------------
# Images in, synthetic embeddings out
# --------------------------------------------------------------------------


def test_fit_transform_and_sample(fitted, digits):
    _, X_test, _, _ = digits
    Z = fitted.transform(X_test)
    assert Z.shape == (len(X_test), 10)
    assert_allclose(Z.sum(axis=1), 1.0, rtol=1e-6)
    rows, labels = fitted[-1].sample(40)
    assert rows.shape == (40, 16) and rows.dtype == np.float32
    assert set(labels) <= set(range(10))
    assert len(fitted.get_feature_names_out()) == 10
    assert fitted.get_feature_names_out()[3] == "dpembeddingsynthesizer3"


def test_classifier_trained_on_samples_predicts_real_images(fitted, digits):
    _, X_test, _, y_test = digits
    rows, labels = fitted[-1].sample(3000, class_weight="balanced", random_state=0)
    classifier = LogisticRegression(max_iter=2000).fit(rows, labels)
    accuracy = classifier.score(fitted[:-1].transform(X_test), y_test)
    assert fitted[-1].privacy_.epsilon == 1.0
    # Chance is 0.1, with a standard deviation of 0.013 on 540 images.
    assert accuracy > 0.3


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_set_output(encoder, digits, kind):
    X, X_test, y, _ = digits
    pipeline = image_pipeline(encoder).set_output(transform=kind).fit(X, y)
    frame = pipeline.transform(X_test)
    assert isinstance(frame, {"pandas": pd, "polars": pl}[kind].DataFrame)
    assert list(frame.columns) == list(pipeline.get_feature_names_out())
    embeddings = pipeline[:-1].transform(X_test)
    assert embeddings.columns[0] == "torchembeddingtransformer0"
    # What was fitted on a frame knows its columns.
    assert list(pipeline[-1].feature_names_in_) == list(embeddings.columns)
    # So do its samples.
    assert list(pipeline[-1].sample(2)[0].columns) == list(embeddings.columns)


def test_clone_fits_the_same_and_shares_nothing(fitted, digits):
    X, _, y, _ = digits
    copy = clone(fitted)
    assert not hasattr(copy[-1], "means_")
    copy.fit(X, y)
    assert_array_equal(copy[-1].means_, fitted[-1].means_)
    assert copy[-1].means_ is not fitted[-1].means_


@pytest.mark.parametrize("copy", ["pickle", "joblib"])
def test_round_trips(fitted, digits, tmp_path, copy):
    _, X_test, _, _ = digits
    if copy == "pickle":
        restored = pickle.loads(pickle.dumps(fitted))
    else:
        joblib.dump(fitted, tmp_path / "pipeline.joblib")
        restored = joblib.load(tmp_path / "pipeline.joblib")
    assert_array_equal(restored.transform(X_test), fitted.transform(X_test))
    for y in (None, 3):
        for ours, theirs in zip(
            restored[-1].sample(20, y=y, random_state=5),
            fitted[-1].sample(20, y=y, random_state=5),
            strict=True,
        ):
            assert_array_equal(ours, theirs)
    assert restored[-1].privacy_ == fitted[-1].privacy_


def test_pickle_of_a_fitted_pipeline_holds_no_record(encoder, digits):
    """The pickle is as small after many records as after few."""
    X, _, y, _ = digits
    few = image_pipeline(encoder, classes=range(10)).fit(X[:100], y[:100])
    many = image_pipeline(encoder, classes=range(10)).fit(X, y)
    sizes = [len(pickle.dumps(pipeline[-1])) for pipeline in (few, many)]
    assert abs(sizes[0] - sizes[1]) < 500


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_grid_search_over_epsilon(encoder, digits, n_jobs):
    X, _, y, _ = digits
    grid = {"dpembeddingsynthesizer__epsilon": [0.05, 10.0]}
    pipeline = image_pipeline(encoder, classes=list(range(10)))
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs, error_score="raise")
    search.fit(X, y)
    assert search.best_params_ == {"dpembeddingsynthesizer__epsilon": 10.0}
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))
    assert search.best_estimator_[-1].privacy_.epsilon == 10.0


# --------------------------------------------------------------------------
# Clustering and mixtures behind an encoder
# --------------------------------------------------------------------------


def test_kmeans_in_a_pipeline(encoder, digits):
    X, X_test, _, y_test = digits
    pipeline = make_pipeline(
        TorchEmbeddingTransformer(encoder),
        DPKMeans(10, epsilon=8.0, clip_norm=1.0, random_state=0),
    ).fit(X)
    labels = pipeline.predict(X_test)
    assert labels.shape == (len(X_test),)
    assert adjusted_rand_score(y_test, labels) > 0.1
    distances = pipeline.transform(X_test)
    assert distances.shape == (len(X_test), 10)
    assert_array_equal(distances.argmin(axis=1), labels)
    assert pipeline.score(X_test) < 0
    assert list(pipeline.get_feature_names_out())[9] == "dpkmeans9"


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_mixture_in_a_pipeline(encoder, digits, kind):
    X, X_test, _, _ = digits
    mixture = DPGaussianMixture(
        4, epsilon=8.0, clip_norm=1.0, covariance_type=kind, random_state=0
    )
    pipeline = make_pipeline(TorchEmbeddingTransformer(encoder), mixture).fit(X)
    proba = pipeline.predict_proba(X_test)
    assert_array_equal(proba.argmax(axis=1), pipeline.predict(X_test))
    assert np.isfinite(pipeline.score(X_test))
    assert pipeline[-1].sample(7)[0].shape == (7, 16)


def test_kmeans_distances_feed_a_classifier(embedded):
    Z, y = embedded
    model = make_pipeline(
        DPKMeans(20, epsilon=8.0, clip_norm=1.0, random_state=0),
        LogisticRegression(max_iter=2000),
    )
    assert model.fit(Z, y).score(Z, y) > 0.3


# --------------------------------------------------------------------------
# Frames
# --------------------------------------------------------------------------


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_frames_keep_and_check_their_names(embedded, cls, library):
    Z, y = embedded
    names = [f"feature {i}" for i in range(Z.shape[1])]
    frame = library.DataFrame(dict(zip(names, Z.T, strict=True)))
    labels = library.Series("label", y) if library is pl else library.Series(y)
    estimator = sized(cls, 2, random_state=0).fit(frame, labels)
    assert list(estimator.feature_names_in_) == names
    plain = sized(cls, 2, random_state=0).fit(Z, y)
    assert not hasattr(plain, "feature_names_in_")
    name = RELEASED[cls]
    assert_array_equal(getattr(estimator, name), getattr(plain, name))
    method = {
        DPGaussianMixture: "score_samples",
        DPLogisticRegression: "decision_function",
    }.get(cls, "transform")
    call = getattr(estimator, method)
    # Arrays of another memory layout may move the last digit of a density.
    assert_allclose(call(frame), getattr(plain, method)(Z), rtol=1e-9)
    with pytest.raises(ValueError, match="feature names should match"):
        call(frame[names[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        call(
            frame.rename({names[0]: "other"}, **({"axis": 1} if library is pd else {}))
        )
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        call(Z)


# --------------------------------------------------------------------------
# Metadata routing
# --------------------------------------------------------------------------


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_ids_are_routed_through_a_pipeline(encoder, digits, cls):
    """One person with all records must weigh as much as one record does."""
    X, _, y, _ = digits
    ids = np.zeros(len(X), dtype=int)
    params = {"epsilon": 8.0, "clip_norm": 1.0, "random_state": 0}
    encode = TorchEmbeddingTransformer(encoder)
    with config_context(enable_metadata_routing=True):
        step = sized(cls, 1, **params).set_fit_request(privacy_ids=True)
        routed = make_pipeline(encode, step).fit(X, y, privacy_ids=ids)
        other = sized(cls, 1, **params).set_fit_request(privacy_ids=False)
        with pytest.raises(TypeError, match="privacy_ids"):
            make_pipeline(encode, other).fit(X, y, privacy_ids=ids)
    ignored = make_pipeline(encode, sized(cls, 1, **params)).fit(X, y)
    direct = sized(cls, 1, **params).fit(encode.transform(X), y, privacy_ids=ids)
    name = RELEASED[cls]
    assert_array_equal(getattr(routed[-1], name), getattr(direct, name))
    assert not np.array_equal(getattr(routed[-1], name), getattr(ignored[-1], name))


def test_ids_and_groups_are_routed_through_a_grid_search(embedded):
    """The splitter is given the groups, the estimator the persons of its rows."""
    Z, y = embedded
    ids = np.arange(len(Z)) // 3
    seen = []

    def score(estimator, X, y):
        # Under routing, Pipeline.score works only for last steps whose own score
        # takes sample_weight, which scikit-learn's GaussianMixture does not either.
        return estimator[-1].score(X, y)

    class Recorder(DPEmbeddingSynthesizer):
        def fit(self, X, y=None, groups=None, *, privacy_ids=None):
            assert groups is None
            seen.append((len(X), len(privacy_ids), len(np.unique(privacy_ids))))
            return super().fit(X, y, privacy_ids=privacy_ids)

    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(
            Recorder(
                max_contributions=3, classes=range(10), random_state=0
            ).set_fit_request(privacy_ids=True)
        )
        search = GridSearchCV(
            pipeline,
            {"recorder__epsilon": [1.0, 8.0]},
            cv=GroupKFold(2),
            scoring=score,
            error_score="raise",
        ).fit(Z, y, groups=ids, privacy_ids=ids)
    assert len(seen) == 5
    # A person is never torn apart by the splits, nor its labels from its rows.
    assert all(n == m and m <= 3 * n_persons for n, m, n_persons in seen)
    assert seen[-1] == (len(Z), len(Z), len(np.unique(ids)))
    unit = "one person with at most 3 records, enforced by privacy_ids"
    assert search.best_estimator_[-1].privacy_.unit == unit
