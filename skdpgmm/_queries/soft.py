"""To responsibilities, and a whitened residual about each component."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from skdpgmm.privacy.grid import Ball, clip_round, squared_norms
from skdpgmm.privacy.queries import Part
from skdpgmm.privacy.sums import integers

WHITE_BITS = 13
RESPONSIBILITY_BITS = 10


@dataclass(frozen=True, eq=False)
class SoftMoments:
    """Responsibility-weighted moments of the whitened, clipped residuals.

    ``z_j = clip(W_j^T (x - m_j), rho) * 2**b / rho``, rounded, with public means
    m_j and whitening matrices W_j (``W_j W_j^T`` the precision); e holds the
    responsibilities of the public mixture times 2**10, rounded down, with the
    remainder given to the largest, and is verified to be non-negative of sum 2**10.

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

    Notes
    -----
    Lemma. With non-negative integers e, ``sum(e) <= E = 2**10`` (the rounding
    down makes the sum an integer below ``E + 1``), and ``||z_j|| <= 2**b``:

    - counts: ``||e||_2 <= ||e||_1 <= E``.
    - sums: ``||(e_j z_j)_j||_2 <= max_j ||z_j|| ||e||_2 <= E 2**b``.
    - second moments: each of ``||z_j||**2``, ``||z_j * z_j||_2``,
      ``||z_j z_j^T||_F`` is at most ``4**b``, so the concatenation over j is at
      most ``4**b ||e||_2 <= E 4**b``.
    - tied: ``||sum_j e_j z_j z_j^T||_F <= sum_j e_j ||z_j||**2 <= E 4**b``.

    How e was computed plays no part: it is a function of one record and theta.
    """

    ball: Ball
    means: np.ndarray
    whiteners: np.ndarray
    log_weights: np.ndarray
    rho: float
    classes: np.ndarray
    moment: str

    @property
    def parts(self):
        k, p = self.means.shape
        E = 2.0**RESPONSIBILITY_BITS
        unit = self.rho / 2.0**WHITE_BITS
        shape, symmetric = {
            "energy": ((k,), False),
            "diag": ((k, p), False),
            "full": ((k, p, p), True),
            "tied": ((p, p), True),
        }[self.moment]
        return (
            Part("counts", (k,), E, 1.0 / E),
            Part("sums", (k, p), E * 2.0**WHITE_BITS, unit / E),
            Part("moments", shape, E * 4.0**WHITE_BITS, unit**2 / E, symmetric),
        )

    def _whiten(self, G):
        """Return unclipped z_j in units of ``rho / 2**b``, for all j."""
        k, p = self.means.shape
        Z = np.empty((k, len(G), p))
        to_unit = self.ball.step * 2.0**WHITE_BITS / self.rho
        for j in range(k):
            U = G - self.means[j]
            W = self.whiteners[j] * to_unit
            if W.ndim == 2:
                # Rounded to integers the product is exact, and so the same for
                # every block size: ||U|| <= 2**26 and ||W[:, i]|| <= 2**26.
                norm = np.sqrt(squared_norms(np.ascontiguousarray(W.T)).max())
                power = 2.0 ** np.floor(26 - np.log2(norm))
                np.matmul(U, np.rint(W * power), out=Z[j])
                Z[j] /= power
            else:
                np.multiply(U, W, out=Z[j])
        return Z

    def _responsibilities(self, Z, codes):
        squares = np.stack([squared_norms(z) for z in Z], axis=1)
        unit = self.rho / 2.0**WHITE_BITS
        log_prob = self.log_weights - 0.5 * np.minimum(squares * unit**2, 1e300)
        if len(np.unique(self.classes)) > 1:
            log_prob[self.classes[None, :] != codes[:, None]] = -np.inf
        E = 2.0**RESPONSIBILITY_BITS
        e = np.floor(E * softmax(log_prob, axis=1))
        e[np.arange(len(e)), log_prob.argmax(axis=1)] += E - e.sum(axis=1)
        # Verified like the norms: whatever went wrong in floating point, the
        # lemma holds for what is returned.
        e[~((e >= 0.0).all(axis=1) & (e.sum(axis=1) <= E))] = 0.0
        return e

    def exact(self, block):
        k, p = self.means.shape
        G = self.ball.to_grid(block.X)
        Z = self._whiten(G)
        e = self._responsibilities(Z, block.codes)
        sums = np.empty((k, p))
        moments = np.zeros(self.parts[2].shape)
        for j in range(k):
            rows = np.flatnonzero(e[:, j])
            z, squares = clip_round(Z[j][rows], WHITE_BITS)
            weight = e[rows, j]
            sums[j] = weight @ z
            if self.moment == "energy":
                moments[j] = weight @ squares
            elif self.moment == "diag":
                moments[j] = weight @ (z * z)
            elif self.moment == "full":
                moments[j] = z.T @ (weight[:, None] * z)
            else:
                moments += z.T @ (weight[:, None] * z)
        return integers(e.sum(axis=0)), integers(sums), integers(moments)
