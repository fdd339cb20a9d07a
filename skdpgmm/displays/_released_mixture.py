"""A fitted mixture as displays see it: what was released of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdpgmm._models.covariances import COVARIANCES


class ReleasedMixture(NamedTuple):
    """The parameters of a mixture, and the classes of its components.

    Attributes
    ----------
    weights : ndarray of shape (k,)
    means : ndarray of shape (k, d)
    covariances : ndarray
        In scikit-learn's shape for their type.
    kind : str
        Their type.
    labels : ndarray of shape (k,)
        Class of each component, or its number where there are no classes.
    classes : ndarray
        All labels, in order.
    shapes : ClassShapes or None
        What turns the covariances of a class.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    kind: str
    labels: np.ndarray
    classes: np.ndarray
    shapes: Any

    @property
    def has_one_covariance(self) -> bool:
        """Whether that of all components is the same."""
        return COVARIANCES[self.kind].one_matrix and self.shapes is None

    def each_covariance(self) -> Iterator[np.ndarray]:
        """Yield the covariance of each component, of shape (d, d), one at a time."""
        covariance, d = COVARIANCES[self.kind], self.means.shape[1]
        codes = np.searchsorted(self.classes, self.labels)
        for j, code in enumerate(codes):
            if self.shapes is not None:
                yield self.shapes.covariance(self.covariances, code)
            elif covariance.one_matrix:
                yield self.covariances
            else:
                yield covariance.as_full(self.covariances[j : j + 1], 1, d)[0]


def sampler_of(estimator: Any) -> Any:
    """Return the mixture that an estimator is, or has: what draws its rows."""
    check_is_fitted(estimator)
    found = getattr(estimator, "synthesizer_", estimator)
    if not all(hasattr(found, name) for name in ("means_", "covariances_", "sample")):
        raise TypeError(
            "estimator must be a mixture, or have one, such as DPGaussianMixture, "
            "DPEmbeddingSynthesizer or DPSyntheticClassifier, got "
            f"{type(estimator).__name__}."
        )
    return found


def mixture_of(sampler: Any) -> ReleasedMixture:
    """Return what a fitted mixture has released of its parameters."""
    classes = getattr(sampler, "classes_", None)
    k = len(sampler.means_)
    kind = getattr(sampler, "covariance_type_", None) or sampler.covariance_type
    return ReleasedMixture(
        np.asarray(sampler.weights_, dtype=np.float64),
        np.asarray(sampler.means_, dtype=np.float64),
        np.asarray(sampler.covariances_, dtype=np.float64),
        kind,
        np.arange(k) if classes is None else sampler.component_classes_,
        np.arange(k) if classes is None else classes,
        getattr(sampler, "class_shapes_", None),
    )
