"""What is told of each class beside a head, and how rows get their labels.

As in `choices`, all are pure functions of releases and public numbers.
"""

from __future__ import annotations

import math

from skdpgmm._algorithms.budget import (
    LABEL_MODEL_OF_CLUSTERS,
    LABEL_MODEL_OF_MEANS,
    LABEL_MODEL_OF_SHAPES,
)
from skdpgmm._algorithms.choices import (
    MOST_NUMBERS,
    NOISELESS_MU,
    codebook_features,
    directions_told,
    sizes,
)
from skdpgmm.privacy.report import Decision

# Records of a cluster of a class, for each number and its noise. Measured on questions
# to a bank: one cluster helped with 1.5 times as many, and hurt with .9 times. And most
# clusters of a class: on Fashion-MNIST, 16 gained nothing over 8.
_RECORDS_PER_CLUSTER, _MOST_CLUSTERS = 4.0, 8
# Fewest and most directions of shapes of classes. On Fashion-MNIST, a network learned
# as much from rows with 24 (20,000 records, epsilon 8), but less, by .005 to .008, with
# 7 and 11 (epsilon 1 and 2). Without noise, forests learned .010 to .025 more with all
# 384 of questions to a bank and 512 of CIFAR-10 than with 64, networks as much; all
# 1280 took twice as long. And most numbers in all shapes: time grows with them.
_FEWEST_SHAPED, _MOST_SHAPED, _SHAPE_NUMBERS = 16, 512, 2**24
# Noise in the means of classes over the root mean square of their differences, at most.
# Not argued.
_CLEAR_MEANS = 0.15


def class_clusters(n, n_classes, n_features, mu):
    """Return the clusters of each class that a label model has, or 0.

    As many as have means that can be told in the directions of a codebook, by
    `n_components` without labels; but a class may be less clear than a component,
    because a head knows how it differs from the others. Sampling holds a number for
    each cluster and class.
    """
    width = codebook_features(n_features).value
    mu_clusters = min(mu, NOISELESS_MU) * math.sqrt(LABEL_MODEL_OF_CLUSTERS["clusters"])
    each = _RECORDS_PER_CLUSTER * (math.sqrt(width) / mu_clusters + width)
    k = int(min(n / n_classes / each, _MOST_CLUSTERS, MOST_NUMBERS // n_classes**2))
    return Decision("class_clusters", k, sizes(n, n_classes, n_features, mu))


def class_means(n, n_classes, n_features, mu):
    """Return whether classes have means of all features in place of clusters.

    Clusters are looked for in the leading directions, which have to be told before, as
    `directions_told` of the second moment. Means of C classes need no direction. The
    singular values of the noise in them are ``(C d)**.5 R / (mu_m n)`` about, in the
    mean of the classes, and those of their differences R at most.
    """
    mu_moment, mu_means = (
        min(mu, NOISELESS_MU) * math.sqrt(LABEL_MODEL_OF_MEANS[part])
        for part in ("moment", "means")
    )
    noise = math.sqrt(n_features) / (mu_means * n)
    told = directions_told(n, n_features, mu_moment)
    clear = math.sqrt(n_classes) * noise <= _CLEAR_MEANS
    hidden = told < codebook_features(n_features).value
    because = sizes(n, n_classes, n_features, mu) | {"directions": told}
    return Decision("class_means", bool(hidden and clear), because)


def class_shapes(n, n_classes, n_features, mu):
    """Return in how many directions classes have shapes of their own, or 0.

    The noise in a scatter of r directions has a spectral norm of 2 sqrt(r) R**2 /
    mu_s, with R the length of the residuals. Where variances fall so that that of
    direction r is R**2 / (3 r), it is as large as the scatter of the n / C records of a
    class at ``r**1.5 = mu_s n / (6 C)``. Of Fashion-MNIST, tweets and questions to a
    bank, variances in directions 16 to 64 are .6 to .9 of that. Sampling holds a matrix
    of all features and classes for each class.
    """
    mu_shapes = min(mu, NOISELESS_MU) * math.sqrt(LABEL_MODEL_OF_SHAPES["shapes"])
    width = (mu_shapes * n / n_classes / 6.0) ** (2.0 / 3.0)
    quick = math.sqrt(_SHAPE_NUMBERS / n_classes)
    width = int(min(width, _MOST_SHAPED, quick, n_features))
    held = n_classes**2 * (n_classes + n_features)
    enough = width >= min(_FEWEST_SHAPED, n_features) and held <= MOST_NUMBERS
    because = sizes(n, n_classes, n_features, mu)
    return Decision("class_shapes", width if enough else 0, because)


def drawn_labels(n, n_classes, n_features):
    """Return the share of rows whose label is drawn, rather than the likeliest.

    Whoever learns from rows with drawn labels is as sure as the head is; with the
    likeliest ones, much too sure. But what is drawn is noise in about k d numbers that
    he finds from, say, as many rows as there are records: where these are few for each
    number, it would cost him more. Where the border lies is not argued.
    """
    per_record = n_classes * n_features / n
    because = {"noisy_n": n, "n_classes": n_classes, "n_features": n_features}
    return Decision("drawn_labels", max(1.0 - 2.0 * per_record, 0.0), because)
