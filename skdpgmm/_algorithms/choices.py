"""What "auto" stands for: every choice, from noisy counts and public numbers.

All are pure functions of releases and public numbers, so that what they return costs
nothing. A `Decision` is noted by `View.decide`, and the report tells it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import chi2

from skdpgmm._algorithms.budget import part_costs
from skdpgmm._algorithms.head_plan import learnt, plan_head, spectrum
from skdpgmm._models.scores import FEATURE_SHARE
from skdpgmm.privacy.report import Decision

# --------------------------------------------------------------------------
# Components and covariances
# --------------------------------------------------------------------------

# Not argued: more are seldom what an embedding calls for, and cost time.
_MOST_COMPONENTS = 16
# Of all covariances together: 2 GB.
MOST_NUMBERS = 2**28
# Beyond this budget, noise is no reason to choose fewer or smaller parts: what is left
# is the error of sampling.
NOISELESS_MU = 1e6
# Records for each number that is estimated from them, so that its sampling error is
# about a third of the spread. Not argued.
_RECORDS_PER_NUMBER = 10.0
# Relative errors up to which a component gets a shape of its own. Errors cost
# likelihood by their squares, so that a shape of its own is better where its error is
# below the relative difference of the shapes. That is more than a half for classes of
# images and texts; a third leaves room for those that differ less. Measured on
# Fashion-MNIST and MNIST in 8 to 64 features, by likelihood and by a network that was
# trained on the rows.
_WORST_SHAPE = 1.0 / 3.0
# A label model makes up for one shape, and is given up at a tenth only; nor are further
# components worth it before. Not argued.
_GOOD_SHAPE = 0.1
# Of many features, most variance lies in few directions: a shape of its own is worth
# having once so many of them stand out of its noise, and further components once so
# many stand out of that of each. With 16 of 64 (Fashion-MNIST) and 22 of 1280 (and
# CIFAR-10), all that learns from the rows learned as much or more from a shape of each
# class than from one of all; and a network learned more from images of MNIST of 8
# components of a class, with 25 each, than of 20, with 10 each. And records of a
# component for each feature, so that sampling is no reason against it: .34 gave
# questions to a bank better rows. Not argued for components.
_TOLD_ALONE, _TOLD_EACH = 16.0, 24.0
_RECORDS_ALONE, _RECORDS_EACH = 1.0 / 3.0, 2.0
# With more features the scatter of a cell is mostly noise, and a head tells classes
# apart that no cell does. Where the border lies is not argued.
MAX_OVERFIT_FEATURES = 32
# With more components, the pairs of three times as many would take too long.
MAX_OVERFIT_COMPONENTS = 400


def relative_noise(n, n_features, mu):
    """Return the relative error of a full covariance of `n` records.

    In the Frobenius norm: that of the release, and of the sampling.
    """
    blur = n_features**1.5 / min(mu, NOISELESS_MU)
    blur += _RECORDS_PER_NUMBER * n_features
    return blur / max(n, 1.0)


def directions_told(n, n_features, mu):
    """Return in how many directions a scatter of `n` records stands out of its noise.

    The noise has an edge of ``(2 d)**.5 R**2 / mu``. Where variances fall so that that
    of direction r is R**2 / (3 r), as for `class_choices.class_shapes`, so many have
    more.
    """
    return min(mu, NOISELESS_MU) * n / (3.0 * math.sqrt(2.0 * n_features))


def n_components(n, n_classes, n_features, mu, with_head):
    """Return the number of components of each class, at least 1.

    Without labels, as many as have means that can be told: each should get records
    enough for its mean to be known to about a tenth of its spread, noise included. A
    class gets as many as can each have a shape of its own, in little memory, or 1
    where a head tells the classes apart.
    """
    k = 1.0
    if n_classes == 1:
        noise = np.sqrt(n_features) / min(mu, NOISELESS_MU)
        k = n / (_RECORDS_PER_NUMBER * (noise + n_features))
    elif not with_head:
        k = _GOOD_SHAPE / relative_noise(n / n_classes, n_features, mu)
        if n_features > MAX_OVERFIT_FEATURES:
            told = directions_told(n / n_classes, n_features, mu) / _TOLD_EACH
            k = max(k, min(told, n / n_classes / n_features / _RECORDS_EACH))
        k = min(k, affordable_shapes(n_classes, n_features))
    k = int(np.clip(k, 1, _MOST_COMPONENTS))
    because = sizes(n, n_classes, n_features, mu) | {"label_model": with_head}
    return Decision("n_components", k, because)


def affordable_shapes(n_classes, n_features):
    """Return how many components of each class can have a shape, in little memory."""
    return MOST_NUMBERS // (n_classes * n_features**2)


def covariance_type(n, n_classes, k, n_features, mu, label_model):
    """Return "full" when components can have their own shape, and "tied" otherwise.

    `label_model` is what was asked for: True needs a tied covariance.
    """
    error = relative_noise(n / n_classes / k, n_features, mu)
    with_head = n_classes > 1 and k == 1 and wants_head(label_model, n_features)
    full = error <= (_GOOD_SHAPE if with_head else _WORST_SHAPE)
    because = sizes(n, n_classes, n_features, mu)
    because |= {"n_components": k, "relative_error": error}
    if not with_head and n_classes > 1 and n_features > MAX_OVERFIT_FEATURES:
        each = n / n_classes / k
        because["directions"] = told = directions_told(each, n_features, mu)
        full |= told >= _TOLD_ALONE and each >= _RECORDS_ALONE * n_features
    full = full and k <= affordable_shapes(n_classes, n_features)
    name = "full" if full and label_model is not True else "tied"
    return Decision("covariance_type", name, because)


def wants_head(label_model, n_features):
    """Return whether a label model is used where it can be."""
    return n_features > MAX_OVERFIT_FEATURES if label_model == "auto" else label_model


def use_label_model(label_model, n_classes, k, n_features, one_matrix):
    """Return whether a head labels the rows and places the components.

    It places one for each class, and all have one covariance matrix.
    """
    fits = n_classes > 1 and k == 1 and one_matrix
    because = {"n_features": n_features, "n_classes": n_classes, "n_components": k}
    because["one_matrix"] = one_matrix
    used = bool(fits and wants_head(label_model, n_features))
    return Decision("label_model", used, because)


def sizes(n, n_classes, n_features, mu):
    """Return what most choices go by, for a `Decision`."""
    return {"noisy_n": n, "n_classes": n_classes, "n_features": n_features, "mu": mu}


# --------------------------------------------------------------------------
# The ball and the sphere
# --------------------------------------------------------------------------

# Share of the records that have to have norm 1, and standard deviations of noise that
# are taken off before. Not argued: it is a matter of all or nothing.
ON_SPHERE, _SURE = 0.9, 3.0


def normalize(count, sd, n):
    """Return whether all records seem to have norm 1; not when the noise hides it."""
    on_sphere = bool(count - _SURE * sd > ON_SPHERE * n)
    because = {"noisy_count": float(count), "sd": float(sd), "noisy_n": n}
    return Decision("normalize", on_sphere, because)


# --------------------------------------------------------------------------
# k-means
# --------------------------------------------------------------------------

# Above this many features the codebook lives in a random projection: directions cost
# noise, and far fewer of them are enough to tell clusters apart. Not argued.
_PROJECTED_FEATURES = 16
# Clusters that are not round are made of several codewords: at least so many for each,
# and in all. Not argued.
_CODEWORDS_EACH, _FEWEST_CODEWORDS = 3, 32
# The same for an over-fit, whose cells are measured more closely. Not argued.
_FEWEST_CELLS = 16
# Lloyd passes before the moments of clusters are measured, as by default in `DPKMeans`.
# Not argued.
_CLUSTER_PASSES = 5


def codebook_features(n_features):
    """Return in how many directions a codebook is grown."""
    seen = min(n_features, _PROJECTED_FEATURES)
    return Decision("codebook_features", seen, {"n_features": n_features})


def n_codewords(n_clusters):
    """Return the largest number of codewords of a class."""
    return max(_FEWEST_CODEWORDS, _CODEWORDS_EACH * n_clusters)


def n_cells(k):
    """Return the largest numbers of cells, and of components, of an over-fit."""
    return max(_FEWEST_CELLS, _CODEWORDS_EACH * k), _CODEWORDS_EACH * k


def n_cluster_passes(k):
    """Return the number of Lloyd passes: of one cluster, the first finds the mean."""
    return 1 if k == 1 else _CLUSTER_PASSES


# --------------------------------------------------------------------------
# Starts and passes of a mixture
# --------------------------------------------------------------------------

# A clip at this quantile loses little and keeps the sensitivity small.
_CLIP_QUANTILE = 0.85
# The widest clip over the tightest, and how many are tried between them. Not argued.
_WIDEST, _N_RADII = 4.0, 25
# Nats that a pass may lose to noise for the sake of a wider clip. Measured by
# benchmarks/recovery.py: with 0.01, the covariance of a small component was farther
# off at epsilon 1 than at epsilon 0.25.
_AFFORDABLE = 0.005
# More passes gain nothing once the start is a reduced over-fit.
_MOST_PASSES = 4
# As many as scikit-learn makes by default.
_PASSES_WITHOUT_NOISE = 100
# Nats that all passes, were each to have the whole budget, may lose to noise. Where
# they would lose more, one hard pass tells more than responsibilities do.
_MOST_COST = 0.08
# Largest share of the records whose residuals may be clipped. Not argued.
_MOST_CLIPPED = 0.1


def over_fits(k, n_features):
    """Return whether passes start from an over-fit."""
    few = 1 < k <= MAX_OVERFIT_COMPONENTS
    return few and n_features <= MAX_OVERFIT_FEATURES


def start(k, n_features, n_passes, public):
    """Return what the passes of a mixture start from: a key of `budget.START`.

    `public` is what is known, a `PublicStart`. An over-fit is for passes to follow.
    """
    kind = "clusters"
    if public.means is not None:
        kind = "public means" if public.covariances is None else "known"
    elif n_passes and over_fits(k, n_features):
        kind = "over-fit"
    because = {"n_components": k, "n_features": n_features, "max_iter": n_passes}
    return Decision("start", kind, because)


def pass_cost(covariance, d, k, rho, mu, n):
    """Expected divergence that the noise of one pass costs, for k equal components."""
    a = part_costs(covariance, d, rho)
    return float((np.sqrt(a).sum() * k / (mu * n)) ** 2)


def tight_clip(d):
    """Return a clip radius of whitened residuals that loses little of a Gaussian."""
    return float(np.sqrt(chi2.ppf(_CLIP_QUANTILE, d)))


def clip_radius(covariance, d, k, mu, n):
    """Clip radius of whitened residuals, as wide as the noise allows.

    A tight clip loses little of a Gaussian and keeps the sensitivity small. A wide
    one has less bias where the tails are heavier than those of a Gaussian.
    """
    rho = tight_clip(d)
    if np.isinf(mu):
        rho = float(np.sqrt(chi2.ppf(1.0 - 1e-12, d)))
    else:
        for wide in rho * np.geomspace(_WIDEST, 1.0, _N_RADII):
            if pass_cost(covariance, d, k, wide, mu, n) <= _AFFORDABLE:
                rho = float(wide)
                break
    because = {"noisy_n": n, "n_components": k, "n_features": d, "mu": mu}
    return Decision("clip_radius", rho, because)


def n_passes(covariance, d, k, mu, n, public):
    """Number of passes that are worth their noise; 0 when not even one is.

    Passes share the budget, so the last one costs in proportion to their number. A
    start that is public alone would tell nothing about the records, and gets one.
    """
    because = {"noisy_n": n, "n_components": k, "n_features": d, "mu": mu}
    if np.isinf(mu):
        return Decision("max_iter", _PASSES_WITHOUT_NOISE, because)
    cost = pass_cost(covariance, d, k, tight_clip(d), mu, n)
    worth = int(min(_MOST_PASSES, _MOST_COST / cost))
    known = any(part is not None for part in public)
    return Decision("max_iter", max(worth, int(known)), because)


def residual_quantile(d, mu, n):
    """Return the share of the residuals to keep: what noise blurs may be clipped."""
    return 1.0 - float(np.clip(d / (mu * n), 0.0, _MOST_CLIPPED))


# --------------------------------------------------------------------------
# The head
# --------------------------------------------------------------------------

# Random features of a label model that has any. Not argued; time grows with them.
N_RANDOM_FEATURES = 512
# Noise that hides this share of the mean eigenvalue of a second moment is little. Not
# argued.
_LITTLE_HIDDEN = 0.25
# Noise variance of a score that is nothing beside what clipping costs. Not argued.
_NO_NOISE = 0.05
_N_FREEDOMS = 9


def moment_radius(n, n_features, mu, median_radius, radius, hidden=_LITTLE_HIDDEN):
    """Return to what radius records are clipped for a second moment.

    The smallest needs the least noise, and shortens long records. So the radius is as
    wide as keeps variances below this share of the mean one hidden. For a head, longer
    records count with wider steps, whose curvature must be known too.
    """
    # The edge of the spectrum of noise for a radius of 1.
    edge = math.sqrt(2.0 * n_features) / (n * mu)
    widest = median_radius * math.sqrt(hidden / (n_features * edge + 1e-300))
    return float(np.clip(widest, min(median_radius, radius), radius))


def n_random_features(counts, mu, second, radius, beyond):
    """Return how many random features a head gets beside its rows, or 0.

    Without them the noise is smaller by a share. They are worth it where the steps
    would learn at least this share of what is not linear in them; below, they would
    mostly be left where they started.

    Parameters
    ----------
    counts : ndarray of shape (n_classes,)
        Estimated numbers of records of the classes.
    mu : float
        Budget of all steps.
    second : Spikes
        Second moment of the records.
    radius : float
        Smallest radius of the steps.
    beyond : ndarray of shape (m,)
        Eigenvalues of what is not linear in the features.
    """
    values, widths = spectrum(second, radius)
    plan = plan_head(0.0, counts, mu, values, widths, 1.0)
    known = learnt(plan.length, beyond / radius**2, len(counts))
    share = float(known @ beyond / max(beyond.sum(), 1e-300))
    m = N_RANDOM_FEATURES if share >= FEATURE_SHARE else 0
    because = {"length": plan.length, "learnt": share, "cost": FEATURE_SHARE}
    return Decision("n_random_features", m, because)


def head_plan(counts, mu, values, widths, widest):
    """Return the plan of the steps of a head: as free as its noise allows.

    The first whose noise is nothing, from the freest; or the tightest.
    """
    for freedom in np.linspace(1.0, 0.0, _N_FREEDOMS):
        plan = plan_head(freedom, counts, mu, values, widths, widest)
        if plan.noise <= _NO_NOISE:
            break
    because = {"length": plan.length, "noise": plan.noise, "freedom": plan.freedom}
    return plan, Decision("head_steps", plan.n_steps, because)
