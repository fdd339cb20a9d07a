"""How far the classes of a mixture overlap, set to what a private count says.

A Gaussian mixture with one covariance for all is more sure of its classes than the
records are: differences between classes that hold on average do not hold for each
record. Rows drawn from it then fall apart into classes that any boundary between
them separates, and a network trained on them has no reason to find the right one.
One noisy count tells how often the mixture is right about the records; energy is
moved from between the classes to within them until it is right as often about its
own draws. The total covariance and the subspace that separates the classes stay.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from skdpgmm._estimates.spectrum import fixed_signs, lower_root
from skdpgmm._queries.histograms import AgreementCount, LinearCell
from skdpgmm.privacy.grid import row_slices

# Draws of the mixture: an agreement of a half is known to 0.8 %.
_N_DRAWS = 4_000
# Standard deviations of noise by which the mixture is believed. Not argued.
_DOUBTS = 2.0
# Halvings of the interval in which the scale lies: to a millionth.
_N_HALVINGS = 20
# Rounded to integers of this many bits, weights give exact scores.
_WEIGHT_BITS = 24
# Scores that are held at a time.
_N_SCORES = 2**22


def match_agreement(view, mixture, n_sd, budget):
    """Return a tied mixture that is right about its draws as often as of records.

    Parameters
    ----------
    view : View
        With the estimated number of records.
    mixture : Mixture
        Public; one covariance for all.
    n_sd : float
        Noise in the number of records.
    budget : Budget
        Of the count.

    Returns
    -------
    mixture : Mixture
    """
    mean = mixture.weights @ mixture.means
    gaps = mixture.means - mean
    factor = cho_factor(mixture.covariances, lower=True)
    directions = cho_solve(factor, gaps.T).T  # (k, d), of the linear scores
    query = AgreementCount(view.ball, linear_rule(view.ball, mixture, directions))
    (count,) = view.release("agreement", query, [budget])
    # Where classes hardly overlap, a small error of the count would mean a large
    # overlap, so that the mixture is believed as far as noise permits.
    n, doubt = view.n, _DOUBTS * float(np.hypot(count.sd, n_sd))
    target = (float(count.value[0]) + doubt) / n
    # What is trained on the draws finds k d weights of the boundaries from about
    # as many rows as there are records. Blurred classes cost it more rows, so with
    # few of them for each weight less of the overlap is worth having.
    target = 1.0 - (1.0 - target) * n / (n + mixture.means.size)
    chance = np.bincount(mixture.classes, mixture.weights).max()
    if not chance + 2.0 * doubt / n < target < 1.0:
        return mixture
    # Coordinates of the means in the metric of the mixture, as few as will do.
    white = solve_triangular(factor[0], gaps.T, lower=True).T
    if len(white) < white.shape[1]:
        white = lower_root(white)
    scale = _matching_scale(mixture, white, target, view.public_rng)
    root = gaps * np.sqrt(mixture.weights)[:, None]
    between = root.T @ root
    return replace(
        mixture,
        means=mean + scale * gaps,
        covariances=mixture.covariances + (1.0 - scale**2) * between,
    )


def linear_rule(ball, mixture, weights):
    """Return the Bayes rule of a tied mixture, on the grid.

    Its scores are ``w_j^T (x - (m_j + m) / 2) + log pi_j`` with
    ``w_j = C^-1 (m_j - m)``, m the mean of all, the rows of `weights`.
    """
    mean = mixture.weights @ mixture.means
    halfway = 0.5 * (mixture.means + mean)
    offsets = np.log(mixture.weights) - np.sum(weights * halfway, axis=1)
    return grid_rule(ball, weights, offsets, mixture.classes)


def grid_rule(ball, weights, offsets, classes):
    """Return the rule of the largest linear score, on the grid."""
    # A common positive factor changes no decision; this one makes the scores exact.
    longest = np.sqrt(np.sum(weights**2, axis=1)).max()
    highest = np.abs(offsets).max() / ball.step
    factor = min(
        2.0**_WEIGHT_BITS / max(longest, 1e-200), 2.0**50 / max(highest, 1e-200)
    )
    grid_offsets = np.rint(offsets / ball.step * factor)
    return LinearCell(np.rint(weights * factor), grid_offsets, classes)


def _matching_scale(mixture, Y, target, public_rng):
    """Scale of the gaps at which the mixture is right about a share of its draws.

    `Y` holds the gaps in coordinates in which the covariance is the identity.
    """
    # In the axes of what lies between the classes all covariances are diagonal, so
    # that none needs a factor: far apart, theirs would not be found.
    values, axes = np.linalg.eigh((Y * mixture.weights[:, None]).T @ Y)
    between, Y = np.maximum(values, 0.0), Y @ fixed_signs(axes)
    components = public_rng.choice(len(Y), size=_N_DRAWS, p=mixture.weights)
    noise = public_rng.standard_normal((_N_DRAWS, Y.shape[1]))

    def accuracy(scale):
        variances = 1.0 + (1.0 - scale**2) * between  # (r,)
        draws = scale * Y[components] + noise * np.sqrt(variances)
        weights = (scale * Y / variances).T  # (r, k)
        offsets = np.log(mixture.weights) - 0.5 * scale * np.sum(Y.T * weights, axis=0)
        n_right = 0
        for rows in row_slices(_N_DRAWS, max(1, _N_SCORES // len(Y))):
            found = (draws[rows] @ weights + offsets).argmax(axis=1)
            own = mixture.classes[components[rows]]
            n_right += int(np.count_nonzero(mixture.classes[found] == own))
        return n_right / _N_DRAWS

    if accuracy(1.0) <= target:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_N_HALVINGS):
        scale = 0.5 * (low + high)
        if accuracy(scale) < target:
            low = scale
        else:
            high = scale
    return high
