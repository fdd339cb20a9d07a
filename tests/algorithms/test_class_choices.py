"""What is told of each class beside a head: what its noise does not hide."""

import math

import numpy as np

from skdpgmm._algorithms.class_choices import (
    class_clusters,
    class_means,
    class_shapes,
    drawn_labels,
)


def test_classes_get_shapes_that_noise_does_not_hide():
    def directions(n, n_classes=10, d=1000, mu=1.0):
        return class_shapes(n, n_classes, d, mu).value

    assert directions(1e4) == 0
    assert 0 < directions(8e4) < directions(1e5) < directions(1e9) == 512
    assert directions(1e5, mu=0.1) == directions(1e5, n_classes=100) == 0
    assert directions(1e5, mu=math.inf) == 512
    assert directions(1e5, d=5) == 5
    # Each class has a matrix of them, which takes time.
    assert directions(1e5, n_classes=100, mu=math.inf) == 409
    # What sampling would hold of them takes too much memory.
    assert directions(1e12, n_classes=1000) == 0


def test_labels_are_drawn_where_records_are_many():
    shares = [drawn_labels(n, 10, 100).value for n in (1e2, 2e3, 1e4, 1e9)]
    assert shares[:2] == [0.0, 0.0]
    assert 0.0 < shares[2] < shares[3] <= 1.0


def test_classes_get_clusters_that_can_be_told():
    def clusters(n, n_classes=10, d=1000, mu=1.0):
        return class_clusters(n, n_classes, d, mu).value

    assert clusters(100) == 0
    assert 0 < clusters(2e3) < clusters(4e3) < clusters(8e3)
    assert clusters(1e9) == clusters(1e9, mu=np.inf) == 8
    assert clusters(8e3, mu=0.1) < clusters(8e3)
    assert clusters(8e3, n_classes=100) < clusters(8e3)
    assert clusters(1e12, n_classes=10_000) == 2
    # Only the directions of a codebook matter.
    assert clusters(8e3, d=10_000) == clusters(8e3)


def test_classes_get_means_where_directions_cannot_be_told_and_means_can():
    def means(n, n_classes=10, d=1000, mu=0.2):
        return class_means(n, n_classes, d, mu).value

    assert [means(n) for n in (3e3, 2e4, 1e6)] == [False, True, False]
    assert not means(2e4, mu=np.inf)
    assert not means(2e4, n_classes=100)
