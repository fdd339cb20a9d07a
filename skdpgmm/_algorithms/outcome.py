"""Which parts of a model stand out of their noise, by the rule of `doubts`.

All is made of releases, the known scale of their noise and public numbers, so that
telling it costs nothing.
"""

from __future__ import annotations

import math

import numpy as np

from skdpgmm._algorithms.doubts import CLEAR, words_of
from skdpgmm.privacy.quality import Quality


def quality_of(classes, counts=None, **words):
    """Return a note of parts: of classes, if each part is one, or else of components.

    Parameters
    ----------
    classes : ndarray of int of shape (k,)
        Class code of each part; 0 without labels.
    counts : Release, optional
        Noisy counts. Where one may be noise, so may be the mean that was divided by it.
    **words : list of str
        A word for each part, or one for all, or none.
    """
    k = len(classes)
    labelled = int(classes.max()) > 0
    what = "class" if labelled and k == classes.max() + 1 else "component"
    codes = tuple(classes.tolist()) if labelled else None
    noted = {name: tuple(column) for name, column in words.items() if column}
    noted = {name: one * k if len(one) == 1 else one for name, one in noted.items()}
    if counts is None:
        return Quality(what, codes, words=noted)
    value, sd = counts.value, float(counts.sd)
    if "mean" in noted:
        pairs = zip(noted["mean"], value < CLEAR * sd, strict=True)
        noted["mean"] = tuple("noise" if lost else word for word, lost in pairs)
    return Quality(what, codes, tuple(value.tolist()), sd, noted)


def lengths(values, sd, n_free):
    """Return words of noisy vectors, or matrices under isometric noise.

    Parameters
    ----------
    values : ndarray of shape (k, ...)
        Noisy.
    sd : ndarray of shape (k,), or float
        Noise of each of their free numbers.
    n_free : float
        How many of these there are.
    """
    squares = np.sum(values.reshape(len(values), -1) ** 2, axis=1)
    noise = n_free * np.square(sd)
    spread = math.sqrt(2.0 * n_free) * np.square(sd)
    return words_of(squares - noise, noise, spread)


def distances(means, sd):
    """Return words of noisy means: how far each is from the others, beside its noise.

    The squared distance is the mean of those to all other means, so that one in the
    middle is told from the others too; each counts by how well it is known, so that one
    that is lost leaves the others what they are.

    Parameters
    ----------
    means : ndarray of shape (k, d)
        Noisy.
    sd : ndarray of shape (k,)
        Noise in one coordinate of each.

    Returns
    -------
    words : list of str
        None where there are no others.
    """
    k, d = means.shape
    if k == 1:
        return []
    variances = np.square(sd)
    known = variances.min() / variances if variances.all() else variances == 0.0
    weights = known * (1.0 - np.eye(k))
    total = weights.sum(axis=1, keepdims=True)
    weights = np.where(total > 0.0, weights / np.maximum(total, 1e-300), 1.0 / k)
    Z = means - known @ means / known.sum()
    squares = np.sum(Z**2, axis=1)
    gaps = squares + weights @ squares - 2.0 * np.sum(Z * (weights @ Z), axis=1)
    both = variances + weights @ variances
    return words_of(gaps - d * both, d * variances, math.sqrt(2.0 * d) * both)


def widths(sd, d):
    """Return words of noisy means in a metric in which their parts have unit variance.

    A mean is clear where its noise is small beside the width of its component.
    `sd` is the noise in one of `d` coordinates, of each.
    """
    variances = np.square(sd)
    return words_of(d, d * variances, math.sqrt(2.0 * d) * variances)


def shapes(moments, covariance, k):
    """Return words of released second moments: one of all where these have one."""
    value, sd = moments.value, float(np.ravel(moments.sd)[0])
    d = value.shape[-1]
    each = 1 if covariance.one_matrix else k
    n_free = covariance.n_parameters(k, d) / each
    return lengths(value.reshape(each, -1), sd, n_free)
