"""What the package asks of a covariance type; `covariances` has the types.

Covariances, precisions and their factors have scikit-learn's shapes. A whitener P is an
upper triangular factor of a precision P P^T, which scikit-learn calls its Cholesky
factor: ``P^T (x - m)`` is standard normal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._estimates.clipped_normal import unclipped


class Released(NamedTuple):
    """Noisy sums of second moments about public centres, of records within a radius."""

    value: np.ndarray
    sd: float
    radius: float
    counts: np.ndarray
    prior: np.ndarray | None = None  # second moment of public records, of any scale


class Whitened(NamedTuple):
    """Noisy moments of whitened residuals that were clipped at `rho`."""

    counts: np.ndarray
    means: np.ndarray  # zero where the count is not clear
    second: np.ndarray  # sums
    sd: float  # of `second`
    rho: float
    clear: np.ndarray  # whether the count stands out of its noise


class Covariance(ABC):
    """A covariance type. Unless it says otherwise, each component has its own."""

    name: str
    # The second moment that is released, as the queries call it.
    moment: str
    # What precisions have to be, in the words of scikit-learn.
    precisions_are: str
    # Whether all components have the same matrix, which can be any. Linear scores then
    # tell classes apart: their overlap can be matched, and a label model place them.
    one_matrix = False
    # Whether all features have the same variance.
    one_scale = False
    # What turns the one matrix for each class.
    shapes: Any = None

    def __repr__(self):
        return f"{type(self).__name__}()"

    # Sizes

    @abstractmethod
    def shape(self, k, d) -> tuple[int, ...]:
        """Shape of the covariances of k components: one axis, at least."""

    @abstractmethod
    def n_parameters(self, k, d) -> int:
        """Free parameters of k covariances."""

    @abstractmethod
    def n_numbers(self, d) -> float:
        """Expected sum of squares of the noise in a matrix, for unit noise."""

    def noise_of_scale(self, sd, d) -> float:
        """Bound of the variance of the noise in the multiple of the identity."""
        return sd**2 * self.n_numbers(d) / d**2

    # Forms

    def each(self, parameters, k) -> np.ndarray:
        """Return covariances, or factors, with a first axis of length k."""
        return parameters

    @abstractmethod
    def sound(self, covariances) -> np.ndarray:
        """Return covariances that have factors in float64: the same where they do."""

    @abstractmethod
    def regularized(self, covariances, constant) -> np.ndarray:
        """Add a constant to all variances."""

    @abstractmethod
    def rescaled(self, covariances, scale) -> np.ndarray:
        """Return the covariances of rows whose features are multiplied by `scale`."""

    @abstractmethod
    def as_full(self, covariances, k, d) -> np.ndarray:
        """Return the covariances as matrices, shape (k, d, d)."""

    @abstractmethod
    def of_full(self, matrices, weights=None) -> np.ndarray:
        """Return the nearest covariances of this type to weighted matrices."""

    def of_pieces(self) -> Covariance:
        """Return the type of the pieces that components are cut into."""
        return self

    # Factors

    @abstractmethod
    def whiteners(self, covariances) -> np.ndarray:
        """Return the whiteners of covariances."""

    @abstractmethod
    def whiteners_of_precisions(self, precisions) -> np.ndarray:
        """Return the whiteners of precisions."""

    @abstractmethod
    def covariances(self, whiteners) -> np.ndarray:
        """Return the covariances of whiteners."""

    @abstractmethod
    def precisions(self, whiteners) -> np.ndarray:
        """Return the precisions of whiteners."""

    @abstractmethod
    def are_precisions(self, precisions) -> bool:
        """Whether precisions are what `precisions_are` says."""

    @abstractmethod
    def scales(self, whiteners) -> np.ndarray:
        """Return the eigenvalues of whiteners, on the last axis."""

    def log_det(self, whiteners, d) -> np.ndarray:
        """Return the log of the determinant of each whitener."""
        return np.log(self.scales(whiteners)).sum(axis=-1)

    @abstractmethod
    def squares(self, X, means, whiteners) -> np.ndarray:
        """Return the squared length of each whitened residual, shape (n, k)."""

    @abstractmethod
    def unwhiten(self, shifts, whiteners) -> np.ndarray:
        """Map shifts of the means back from where they are white: ``P^-T shift``."""

    @abstractmethod
    def roots(self, covariances) -> np.ndarray:
        """Return square roots of covariances, in their shape."""

    @abstractmethod
    def colored(self, Z, root) -> np.ndarray:
        """Give standard normal rows the covariance that has this root."""

    # Estimates

    @abstractmethod
    def estimate(self, released, means, uncertain=None) -> tuple:
        """Return means and covariances, shrunk as far as noise explains them.

        The moments are about `means`. `uncertain` is a pair: noisy means, and the
        variance of the noise in each. A type that can take noise out of them returns
        what it gets in place of `means`.
        """

    def refined(self, covariances, whiteners, moments, least) -> tuple:
        """Return the covariances after a soft pass, and how far each moved, in nats.

        No variance ends below `least`.
        """
        found, moved = covariances.copy(), np.zeros(len(moments.counts))
        for j in np.flatnonzero(moments.clear):
            n = moments.counts[j]
            found[j], moved[j] = self._refined_one(
                (covariances[j], whiteners[j]),
                (moments.second[j] / n, moments.means[j], moments.sd / n),
                moments.rho,
                least,
            )
        return found, moved

    def _refined_one(self, old, moment, rho, least):
        """Return one covariance of its clipped second moment, and how far it moved."""
        (covariance, whitener), (second, mean, sd) = old, moment
        d = len(mean)
        noise = self.noise_of_scale(sd, d), sd**2 * self.n_numbers(d)
        scale, rest = self.split(second, mean)
        scale, rest, gain = unclipped(scale, rest, d, rho, noise)
        edge = 2.0 * sd * np.sqrt(d / 2.0) / gain
        floor = float(np.clip(0.5 * edge, 1e-3 * scale, 0.5 * scale))
        new = self.assembled(covariance, whitener, scale, rest, floor, least)
        return new, 0.25 * (d * (scale - 1.0) ** 2 + float(np.sum(rest**2)))

    @abstractmethod
    def split(self, second, mean) -> tuple:
        """Split a centred moment into a multiple of the identity and the rest."""

    @abstractmethod
    def assembled(self, covariance, whitener, scale, rest, floor, least) -> np.ndarray:
        """Return the covariance that is ``scale + rest`` in the whitened space.

        Its eigenvalues there are `floor` at least, and its variances `least`.
        """
