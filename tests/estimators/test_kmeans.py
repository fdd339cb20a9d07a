"""DPKMeans: centres, and what follows from them for rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs
from sklearn.metrics import pairwise_distances

from skdpgmm import DPKMeans

CENTERS = np.array([[50.0, 40.0], [60.0, 40.0], [50.0, 52.0]])
X, Y = make_blobs([1500, 1000, 500], centers=CENTERS, random_state=0)


@pytest.fixture(scope="module")
def kmeans():
    return DPKMeans(3, random_state=0).fit(X)


def test_centers_and_counts_are_near_those_of_the_clusters(kmeans):
    of_center = pairwise_distances(kmeans.cluster_centers_, CENTERS).argmin(axis=1)
    assert sorted(of_center) == [0, 1, 2]
    assert_allclose(kmeans.cluster_centers_, CENTERS[of_center], atol=0.5)
    expected = np.array([1500, 1000, 500])[of_center]
    assert_allclose(kmeans.cluster_counts_, expected, atol=100)
    assert kmeans.n_iter_ == 5


def test_answers_follow_from_the_centers(kmeans):
    distances = pairwise_distances(X, kmeans.cluster_centers_)
    assert_allclose(kmeans.transform(X), distances, atol=1e-9)
    assert_array_equal(kmeans.predict(X), distances.argmin(axis=1))
    assert_allclose(kmeans.score(X), -np.sum(distances.min(axis=1) ** 2))
    assert list(kmeans.get_feature_names_out()) == [f"dpkmeans{i}" for i in range(3)]
    again = DPKMeans(3, random_state=0)
    assert_array_equal(again.fit_predict(X), kmeans.predict(X))


def test_one_cluster_without_noise_is_the_mean():
    found = DPKMeans(1, epsilon=np.inf).fit(X)
    assert_allclose(found.cluster_centers_, X.mean(axis=0)[None], atol=0.05)
    assert_array_equal(found.cluster_counts_, [3000])


def test_a_public_ball_is_free():
    report = DPKMeans(3, clip_norm=100.0).fit(X).privacy_
    assert report.ledger[0].name.startswith("codebook")
    assert report.spent_mu == pytest.approx(report.mu)
