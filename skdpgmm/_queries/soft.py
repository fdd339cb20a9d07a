"""To responsibilities, and a whitened residual about each component."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdpgmm.privacy.bounded_sum import Query, Weights, known
from skdpgmm.privacy.grid import Ball, squared_norms, sum_in_order

WHITE_BITS = 13
RESPONSIBILITY_BITS = 10
_ONE = 2.0**RESPONSIBILITY_BITS


@known
@dataclass(frozen=True, eq=False)
class SoftMoments(Query):
    """Responsibility-weighted moments of the whitened, clipped residuals.

    The vector of a record for component j is ``W_j^T (x - m_j) / rho``, with public
    means m_j and whitening matrices W_j (``W_j W_j^T`` the precision). Its weights are
    the responsibilities of the public mixture times 2**10, rounded down, with the
    remainder given to the largest.

    Parameters
    ----------
    ball : Ball
        Clipping and grid of the records.
    means : ndarray of shape (k, p)
        Grid integers.
    whiteners : ndarray of shape (k, p, p), (k, p) or (k,)
        In data units; vectors are diagonals and scalars multiples of identity.
    log_weights : ndarray of shape (k,)
        Logarithm of weight times square root of the determinant of the precision.
    rho : float
        Clip radius of the whitened residuals.
    classes : ndarray of shape (k,)
        A record has responsibilities for the components of its class only.
    moment : {"energy", "diag", "full", "tied"}
        The second moment.
    """

    ball: Ball
    means: np.ndarray
    whiteners: np.ndarray
    log_weights: np.ndarray
    rho: float
    classes: np.ndarray
    moment: str

    weights = Weights("l1", RESPONSIBILITY_BITS)
    vector_bits = WHITE_BITS

    @property
    def moments(self):
        """Count, sum and the second moment."""
        return "count", "sum", self.moment

    @property
    def names(self):
        """Names of the releases."""
        return {"count": "counts", "sum": "sums", self.moment: "moments"}

    @property
    def n_cells(self):
        """Number of components."""
        return len(self.means)

    @property
    def n_features(self):
        """Width of a residual."""
        return self.means.shape[1]

    @property
    def n_made(self):
        """Residuals about all components."""
        return self.means.size

    def unit(self, moment):
        """Return the factor from grid integers to whitened units."""
        unit = self.rho / 2.0**WHITE_BITS
        return {"count": 1.0 / _ONE, "sum": unit / _ONE}.get(moment, unit**2 / _ONE)

    def map(self, G, codes, on):
        """Return the responsibilities, and the residuals about all components."""
        Z = on.empty((self.n_cells, *G.shape))
        for j in range(self.n_cells):
            Z[j, ...] = self._whitened(G - on.put(self.means[j]), j, on)
        return self._responsibilities(Z, codes, on), Z

    def _whitened(self, U, j, on):
        """Return residuals in units of ``rho / 2**13``."""
        W = self.whiteners[j] * (self.ball.step * 2.0**WHITE_BITS / self.rho)
        if W.ndim < 2:
            return U * on.put(W)
        # Rounded to integers the product is exact, and so the same for
        # every block size: ||U|| <= 2**26 and ||W[:, i]|| <= 2**26.
        norm = np.sqrt(squared_norms(np.ascontiguousarray(W.T)).max())
        power = 2.0 ** np.floor(26 - np.log2(norm))
        return (U @ on.put(np.rint(W * power))) / power

    def _responsibilities(self, Z, codes, on):
        xp = on.xp
        squares = xp.stack([squared_norms(Z[j, ...], xp) for j in range(Z.shape[0])])
        unit = self.rho / 2.0**WHITE_BITS
        log_prob = on.put(self.log_weights)[:, None]
        log_prob = log_prob - 0.5 * xp.clip(squares * unit**2, None, 1e300)
        if len(np.unique(self.classes)) > 1:
            other = on.put(self.classes)[:, None] != codes[None, :]
            log_prob = xp.where(other, xp.full_like(log_prob, -np.inf), log_prob)
        best = xp.argmax(log_prob, axis=0)
        e = xp.exp(log_prob - xp.max(log_prob, axis=0))
        e = xp.floor(_ONE * (e / sum_in_order(e)))
        rest = _ONE - xp.sum(e, axis=0)
        is_best = on.put(np.arange(self.n_cells))[:, None] == best[None, :]
        return (e + on.floats(is_best) * rest).T
