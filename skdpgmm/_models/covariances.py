"""Covariance types: one class each, with all that depends on the type.

`Covariance` says what its methods do. To add a type, write a class for it and put it
into `COVARIANCES`.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from skdpgmm._estimates.second_moment import NoisyMoment, smallest_variance
from skdpgmm._estimates.shrinkage import kept_share, shrink_between
from skdpgmm._estimates.spectrum import floor_spectrum, sound
from skdpgmm._models.covariance_type import Covariance
from skdpgmm._models.distances import squared_distances


class Full(Covariance):
    """Any positive definite matrix: covariances of shape (k, d, d)."""

    name = moment = "full"
    precisions_are = "symmetric, positive-definite"

    def shape(self, k, d):
        return k, d, d

    def n_parameters(self, k, d):
        return k * d * (d + 1) // 2

    def n_numbers(self, d):
        # Entries off the diagonal count by half.
        return d * (d + 1) / 2.0

    def sound(self, covariances):
        return self._map(sound, covariances)

    def regularized(self, covariances, constant):
        return covariances + constant * np.eye(covariances.shape[-1])

    def rescaled(self, covariances, scale):
        return covariances * np.outer(scale, scale)

    def as_full(self, covariances, k, d):
        return self.each(covariances, k)

    def of_full(self, matrices, weights=None):
        return matrices

    def whiteners(self, covariances):
        return self._map(_whitener, covariances)

    def whiteners_of_precisions(self, precisions):
        return self._map(_whitener_of_precision, precisions)

    def covariances(self, whiteners):
        roots = np.linalg.inv(whiteners)
        return np.swapaxes(roots, -1, -2) @ roots

    def precisions(self, whiteners):
        return self._map(lambda P: P @ P.T, whiteners)

    def are_precisions(self, precisions):
        symmetric = np.isclose(precisions, np.swapaxes(precisions, -1, -2)).all()
        return bool(symmetric and (np.linalg.eigvalsh(precisions) > 0.0).all())

    def scales(self, whiteners):
        return np.diagonal(whiteners, axis1=-2, axis2=-1)

    def squares(self, X, means, whiteners):
        squares = np.empty((len(X), len(means)))
        for j, P in enumerate(whiteners):
            squares[:, j] = np.sum(((X - means[j]) @ P) ** 2, axis=1)
        return squares

    def unwhiten(self, shifts, whiteners):
        transposed = whiteners.transpose(0, 2, 1)
        return np.linalg.solve(transposed, shifts[:, :, None])[..., 0]

    def roots(self, covariances):
        return np.linalg.cholesky(covariances)

    def colored(self, Z, root):
        return Z @ root.T

    def estimate(self, released, means, uncertain=None):
        value, sd, radius, counts, prior = released
        moments = (
            NoisyMoment(value[j] / n, sd / n, radius, prior)
            for j, n in enumerate(counts)
        )
        return means, np.stack([moment.estimate.matrix() for moment in moments])

    def split(self, second, mean):
        centred = second - np.outer(mean, mean)
        scale = np.trace(centred) / len(centred)
        return scale, centred - scale * np.eye(len(centred))

    def assembled(self, covariance, whitener, scale, rest, floor, least):
        values, vectors = np.linalg.eigh(rest)
        root = np.linalg.inv(whitener).T @ (
            vectors * np.sqrt(floor_spectrum(values + scale, floor))
        )
        return root @ root.T + least * np.eye(len(root))

    def _map(self, function, matrices):
        return np.stack([function(matrix) for matrix in matrices])


class Tied(Full):
    """One positive definite matrix for all components, of shape (d, d)."""

    name = moment = "tied"
    one_matrix = True

    def shape(self, k, d):
        return d, d

    def n_parameters(self, k, d):
        return super().n_parameters(1, d)

    def each(self, parameters, k):
        return np.broadcast_to(parameters, (k, *parameters.shape))

    def of_full(self, matrices, weights=None):
        return np.average(matrices, axis=0, weights=weights)

    def of_pieces(self):
        # Pieces of components of one covariance do not share it.
        return Full()

    def squares(self, X, means, whiteners):
        center = means.mean(axis=0)
        return squared_distances((X - center) @ whiteners, (means - center) @ whiteners)

    def distinct_roots(self, covariances, k):
        """Return roots of the matrices that differ, and which is each component's."""
        return [self.roots(covariances)], np.zeros(k, dtype=np.intp)

    def unwhiten(self, shifts, whiteners):
        return np.linalg.solve(whiteners.T, shifts.T).T

    def estimate(self, released, means, uncertain=None):
        value, sd, radius, counts, prior = released
        total = counts.sum()
        moment = NoisyMoment(value / total, sd / total, radius, prior)
        covariance = moment.along(means - means.mean(axis=0))
        if uncertain is not None:
            noisy, noise = uncertain
            means = shrink_between(noisy, counts / total, noise, counts, covariance)
        return means, covariance.matrix()

    def refined(self, covariances, whiteners, moments, least):
        n, means, second, sd, rho, _ = moments
        total = max(float(n.sum()), 1.0)
        between = np.einsum("k,ki,kj->ij", n / total, means, means)
        within = second / total - between, np.zeros(means.shape[1]), sd / total
        found, moved = self._refined_one((covariances, whiteners), within, rho, least)
        return found, np.full(len(n), moved)

    def _map(self, function, matrices):
        return function(matrices)


class Diag(Covariance):
    """A diagonal matrix: covariances, and second moments, of shape (k, d)."""

    name = moment = "diag"
    precisions_are = "positive"

    def shape(self, k, d):
        return k, d

    def n_parameters(self, k, d):
        return math.prod(self.shape(k, d))

    def n_numbers(self, d):
        return d

    def sound(self, covariances):
        return np.maximum(covariances, 1e-200)

    def regularized(self, covariances, constant):
        return covariances + constant

    def rescaled(self, covariances, scale):
        return covariances * scale**2

    def as_full(self, covariances, k, d):
        return np.broadcast_to(np.eye(d), (k, d, d)) * covariances.reshape(k, 1, -1)

    def of_full(self, matrices, weights=None):
        return np.diagonal(matrices, axis1=1, axis2=2)

    def whiteners(self, covariances):
        return 1.0 / np.sqrt(covariances)

    def whiteners_of_precisions(self, precisions):
        return np.sqrt(precisions)

    def covariances(self, whiteners):
        return whiteners**-2.0

    def precisions(self, whiteners):
        return whiteners**2

    def are_precisions(self, precisions):
        return not (precisions <= 0.0).any()

    def scales(self, whiteners):
        return whiteners

    def squares(self, X, means, whiteners):
        return squared_distances(X, means, whiteners**2)

    def unwhiten(self, shifts, whiteners):
        return shifts / whiteners.reshape(len(shifts), -1)

    def roots(self, covariances):
        return np.sqrt(covariances)

    def colored(self, Z, root):
        return Z * root

    def estimate(self, released, means, uncertain=None):
        value, sd, radius, counts, _ = released
        least, total = smallest_variance(radius), counts.sum()
        pooled = value.sum(axis=0) / total
        pooled_sd = sd * math.sqrt(len(counts)) / total
        pooled = _shrink_variances(pooled, pooled_sd, pooled.mean(), least)
        found = [
            _shrink_variances(v / n, sd / n, pooled, least)
            for v, n in zip(value, counts, strict=True)
        ]
        return means, np.stack(found)

    def split(self, second, mean):
        centred = second - mean**2
        scale = centred.mean()
        return scale, centred - scale

    def assembled(self, covariance, whitener, scale, rest, floor, least):
        return np.maximum(covariance * floor_spectrum(rest + scale, floor), least)


class Spherical(Diag):
    """A multiple of the identity: covariances, and mean energies, of shape (k,)."""

    name, moment = "spherical", "energy"
    one_scale = True

    def shape(self, k, d):
        return (k,)

    def n_numbers(self, d):
        return 1.0 / d

    def noise_of_scale(self, sd, d):
        return (sd / d) ** 2

    def rescaled(self, covariances, scale):
        # One for all features, or there would be no spherical covariance.
        return covariances * scale[0] ** 2

    def of_full(self, matrices, weights=None):
        return super().of_full(matrices, weights).mean(axis=1)

    def log_det(self, whiteners, d):
        return d * np.log(whiteners)

    def squares(self, X, means, whiteners):
        return squared_distances(X, means) * whiteners**2

    def estimate(self, released, means, uncertain=None):
        value, sd, radius, counts, _ = released
        d, least = means.shape[1], smallest_variance(radius)
        pooled = max(value.sum() / counts.sum() / d, least)
        variances = value / counts / d
        clear = variances > 2.0 * (sd / counts / d)
        return means, np.where(clear, np.maximum(variances, least), pooled)

    def split(self, second, mean):
        return (second - np.sum(mean**2)) / len(mean), np.zeros(())

    def assembled(self, covariance, whitener, scale, rest, floor, least):
        return np.maximum(covariance * max(scale, floor), least)


COVARIANCES: dict[str, Covariance] = {
    kind.name: kind for kind in (Full(), Tied(), Diag(), Spherical())
}


def _whitener(covariance):
    lower = cholesky(covariance, lower=True)
    return solve_triangular(lower, np.eye(len(lower), dtype=lower.dtype), lower=True).T


def _whitener_of_precision(precision):
    # Of the reversed matrix, so that the factor is upper triangular.
    return cholesky(precision[::-1, ::-1], lower=True)[::-1, ::-1]


def _shrink_variances(variances, sd, prior, least):
    """Shrink noisy variances toward `prior` as far as noise explains the gap."""
    gap = variances - prior
    keep = kept_share(float(np.sum(gap**2)), len(variances) * sd**2)
    # A variance that the noise has hidden is not known to be small.
    positive = np.maximum(np.mean(variances), least)
    least = max(least, min(sd, 0.1 * positive))
    return np.maximum(prior + keep * gap, least)
