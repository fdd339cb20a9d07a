"""A second moment that was released, and its estimates."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from scipy.optimize import nnls
from sklearn.covariance import oas

from skdpgmm._estimates.spectrum import (
    Spikes,
    fixed_signs,
    floor_spectrum,
    spiked_covariance,
    spiked_deviation,
    told_apart,
)


def smallest_variance(radius):
    """Variances below are not resolved by the grid of a ball of this radius."""
    return (radius * 2.0**-20) ** 2


class NoisyMoment:
    """A released second moment and its estimates.

    Parameters
    ----------
    value : ndarray of shape (d, d)
        Second moment under isometric noise.
    sd : float
        Noise on the diagonal; off it, smaller by sqrt(2).
    radius : float
        Longest record that counts, positive: the trace cannot exceed its square.
    prior : ndarray of shape (d, d), optional
        Second moment of public records. A multiple of it, plus one of the identity,
        takes the place of what noise hides: those that fit `value` best.
    """

    def __init__(self, value, sd, radius, prior=None):
        self.value, self.sd, self.prior = value, sd, prior
        self.floor = smallest_variance(radius)
        # A trace that the noise has hidden is not known to be small.
        self.least_trace = min(sd * math.sqrt(len(value)), radius**2 / 4.0)

    @cached_property
    def estimate(self) -> Spikes:
        """The estimate for no direction in particular."""
        if self.prior is None:
            least = max(self.floor, self.least_trace / len(self.value))
            return spiked_covariance(self.value, self.sd, least)
        base, gaps, vectors = self._about_prior
        return self._positive(base + (vectors * gaps) @ vectors.T)

    def along(self, directions) -> Spikes:
        """Return the estimate with care along a few public directions.

        Below the spectral edge single directions cannot be told apart, and are what
        the bulk, or the prior, is there. But in the space of a few directions that
        were known beforehand the noise is that of a matrix of their number only.

        Parameters
        ----------
        directions : ndarray of shape (k, d)
            Any vectors.

        Returns
        -------
        covariance : Spikes
        """
        estimate = self.estimate
        if self.prior is None:
            top = estimate.vectors
        else:
            base, gaps, vectors = self._about_prior
            top = vectors[:, gaps != 0.0]
        rest = directions - (directions @ top) @ top.T
        rest = rest - (rest @ top) @ top.T  # what rounding has left
        _, lengths, basis = np.linalg.svd(rest, full_matrices=False)
        basis = basis[lengths > 1e-9 * max(float(np.linalg.norm(directions)), 1e-300)]
        basis = fixed_signs(basis.T)
        if not basis.size:
            return estimate
        if self.prior is None:
            inner = basis.T @ self.value @ basis
            own = spiked_covariance(inner, self.sd, estimate.bulk)
            # Of all these directions, also those that are alike.
            own = Spikes.of(told_apart(own.matrix(), own.bulk))
            return estimate.add(own.values, basis @ own.vectors)
        inner = basis.T @ (self.value - base) @ basis
        mean, gaps, axes = spiked_deviation(inner, self.sd)
        axes = basis @ axes
        return self._positive(estimate.matrix() + (axes * (mean + gaps)) @ axes.T)

    @cached_property
    def _about_prior(self):
        """The prior scaled to the release, and what stands out from it."""
        P, identity = self.prior, np.eye(len(self.prior))
        gram = np.array([[_dot(P, P), np.trace(P)], [np.trace(P), len(P)]])
        # A prior that is a multiple of the identity would make `gram` singular.
        root = np.linalg.cholesky(gram + 1e-9 * np.diag(np.diag(gram)))
        products = [_dot(self.value, P), np.trace(self.value)]
        (scale, constant), _ = nnls(root.T, np.linalg.solve(root, products))
        base = scale * P + constant * identity
        base = base if base.any() else P
        # A smaller trace scales the prior: the difference, taken from every eigenvalue
        # alike, would make small ones negative.
        trace = float(np.trace(self.value))
        trace = max(trace, self.least_trace, len(P) * self.floor)
        # Where the trace is uncertain, so is the likeness to the prior.
        doubt = (self.sd * math.sqrt(len(P)) / trace) ** 2
        shape = base / np.trace(base) + doubt * identity / len(P)
        base = trace / (1.0 + doubt) * shape
        _, gaps, vectors = spiked_deviation(self.value - base, self.sd)
        return base, gaps, vectors

    @cached_property
    def _least_about_prior(self):
        """Smallest eigenvalue of an estimate: smaller ones cannot be told from 0."""
        base, _, _ = self._about_prior
        smallest = float(np.linalg.eigvalsh(base)[0])
        return max(self.floor, min(self.least_trace / len(base), smallest))

    def _positive(self, matrix) -> Spikes:
        values, vectors = np.linalg.eigh(matrix)
        values = floor_spectrum(values[::-1], self._least_about_prior)
        return Spikes(float(values[-1]), values, vectors[:, ::-1])


def public_second_moment(X_public):
    """Return the second moment of public rows about their mean, of trace 1.

    It is shrunk toward the identity as far as few rows call for [1]_: a direction in
    which they do not vary is not one in which records cannot. None when all rows are
    the same: then they tell nothing about it.

    References
    ----------
    .. [1] Chen, Wiesel, Eldar and Hero (2010), "Shrinkage algorithms for MMSE
       covariance estimation".
    """
    gaps = X_public - X_public.mean(axis=0)
    largest = np.abs(gaps).max()
    if largest == 0.0:
        return None
    moment, _ = oas(gaps / largest, assume_centered=True)
    return moment / np.trace(moment)


def _dot(A, B):
    return float(np.sum(A * B))
