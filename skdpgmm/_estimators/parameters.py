"""What estimators have in common: the constraint and the text of a parameter, once.

A docstring says where a text goes by its name in braces, as in ``{privacy}``, and a
share of a budget as in ``|KMEANS.ball|``, which becomes its percentage. The
signatures stay written out, as scikit-learn reads them.
"""

from __future__ import annotations

import inspect
import re
from numbers import Integral, Real

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skdpgmm._algorithms import budget
from skdpgmm._estimators.limits import LARGEST, SMALLEST
from skdpgmm.privacy.accounting import ADJACENCIES

COUNT = [Interval(Integral, 1, None, closed="left")]

PRIVATE: dict[str, list] = {
    "epsilon": [Interval(Real, 0, None, closed="right")],
    "delta": [Interval(Real, 0, 1, closed="neither")],
    "adjacency": [StrOptions(set(ADJACENCIES))],
    "max_contributions": [*COUNT, None],
    "clip_norm": [
        Interval(Real, SMALLEST, LARGEST, closed="both"),
        StrOptions({"auto"}),
    ],
    "center": ["array-like", None],
    "bounds": ["array-like", None],
    "random_state": ["random_state"],
    "block_size": COUNT,
    "n_jobs": [Integral, None],
}
"""Constraints of the parameters that all private estimators have."""

SCALED: dict[str, list] = {"scale": [StrOptions({"auto"}), None]}
"""The constraint of the parameter that those have that look for scales by the way."""

WRAPPED: dict[str, list] = {
    "synthesizer": [HasMethods(["fit", "sample"]), None],
    "n_samples": COUNT,
    "random_state": ["random_state"],
}
"""Constraints of the parameters of what draws rows from a synthesizer."""

_TEXTS = {
    "privacy": """
epsilon : float, default=1.0
    Privacy loss of one `fit`, in (0, inf]. ``inf`` adds no noise and protects
    nobody.
delta : float, default=1e-5
    Additive slack of the guarantee, in (0, 1): a catastrophe of this probability
    is allowed for. Choose it well below one over the number of records.
adjacency : {"add-remove", "replace-one"}, default="add-remove"
    What neighbouring data sets differ in: the presence of one unit, or its
    content, labels included. With the former the number of records is private too.
max_contributions : int, default=None
    Largest number of records of one person, at least 1; the noise grows in
    proportion. Give `privacy_ids` to `fit` to have it enforced: without them it
    is your promise, and a warning says so. None is one record.""",
    "clip_norm": """
clip_norm : float or "auto", default="auto"
    Public radius, in [1e-60, 1e60], about `center` to which records are clipped, in
    the units of the data.""",
    "center": """
center : array-like of shape (n_features,), default=None
    Public centre of the data.""",
    "scale": """
scale : "auto" or None, default="auto"
    "auto" looks for where each feature lies and how wide it spreads, and measures it in
    a unit of its own, as after a StandardScaler, where that seems to pay: where these
    differ by a factor of more than 8. It spends up to a fifth of the budget where
    records are few, and less where they are many: |SCALE.number| where noise would hide
    all scales, which a warning tells, or where all rows have norm 1; nothing where
    `clip_norm` or `bounds` are given, or with more than 512 features. In units, a value
    that lies a thousand of them off is taken for an error, and put about the centre.
    None is one radius for all features, which is enough for those that are alike. Give
    `bounds` where they are public.""",
    "bounds": """
bounds : pair of floats or of arrays of shape (n_features,), default=None
    Public ends (low, high) of all features, or of each. They cost nothing: features
    are clipped to them, and measured in them unless `clip_norm` is given too.""",
    "random_state": """
random_state : int, RandomState instance or None, default=None
    None takes all randomness from the operating system. A RandomState seeds public
    randomness, samples included, but never the noise. An int makes everything
    reproducible, noise included: that is for tests, and not private, as whoever
    tries all seeds can take the noise away.""",
    "computation": """
block_size : int, default=8192
    Rows summed at a time, at least 1, and 64 for less; affects time and memory
    only.
n_jobs : int, default=None
    Threads that sum blocks; affects time only. None takes as many as BLAS has.""",
    "classes": """
classes : array-like of shape (n_classes,), default=None
    The public set of classes. None takes it from `y`: then the *set* of labels
    that occur is treated as public; which record has which is not.""",
    "synthesizer": """
synthesizer : estimator, default=None
    With `fit` and `sample`; None is ``DPEmbeddingSynthesizer()``. Give it to set
    its parameters, as in ``{"synthesizer__epsilon": [1, 8]}``.""",
    "n_synthetic": """
n_samples : int, default=60000
    Number of synthetic rows, at least 1. They cost time, and no privacy. A class
    that is drawn less often than 10 times gets more rows: up to 10, or up to an
    equal share where that is less, and one in any case.""",
    "fitted": """
privacy_ : PrivacyReport
    The guarantee, the ledger of all releases and, as `quality`, which parts of the
    model stand out of their noise; released.
n_features_in_ : int
    Number of features; public.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of the features, when all are strings; public.""",
    "refused": """
ValueError
    When `X`, `y` or a parameter is not legal; nothing is spent then.""",
    "gdp": """
J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of
the Royal Statistical Society B 84(1), 2022.""",
    "clustering_embeddings": """
F. Zhou, S. Zhou, V. Mirrokni, A. Epasto, V. Cohen-Addad, "Private
Training & Data Generation by Clustering Embeddings", 2025,
arXiv:2506.16661.""",
    "ignored": """
y : Ignored
    Not used, present for API consistency by convention.""",
    "ids": """
groups : array-like of shape (n_samples,), default=None
    The same as `privacy_ids`.

    .. deprecated:: 0.2
       It will go in version 0.3: give `privacy_ids`.
privacy_ids : array-like of shape (n_samples,), default=None
    Id of the person, or other unit of privacy, of each record; the first
    `max_contributions` records of each are used, one if that is None.""",
    "project_budget": """
budget : PrivacyBudget, default=None
    That of all fits to these people: what this one asks for is charged to it, or the
    fit is refused before a record is read.""",
    "imagined": """
n_samples : int
    Number of records to imagine, at least 1.
n_features : int
    Number of features, at least 1.
n_classes : int, default=None
    Number of classes, where `fit` takes labels. None is no labels, or those of
    the parameter `classes`.""",
    "plan": """
plan : PrivacyPlan
    Prints like `privacy_`, and is no guarantee.""",
    "not_legal": """
ValueError
    When an argument is not legal.""",
    "saved": """
path : str or path-like
    Where to.
signing_key : Ed25519PrivateKey of `cryptography`, default=None
    Key to sign the file with, so that others know whose it is.""",
    "rows": """
X : array-like of shape (n_samples, n_features)
    Rows.""",
}


# A share of a budget, as in the pages of the documentation.
_SHARE = re.compile(r"\|(?P<table>[A-Z_]+)\.(?P<share>\w+)\|")


class SharedTexts:
    """Puts the shared texts into the docstrings of its subclasses."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        _fill(cls)
        for member in vars(cls).values():
            if inspect.isfunction(member):
                _fill(member)
            elif hasattr(member, "fn"):  # of `available_if`
                _fill(member)
                _fill(member.fn)


def _fill(documented):
    text = getattr(documented, "__doc__", None)
    if isinstance(text, str) and (found := filled(text)) != text:
        documented.__doc__ = found


def filled(docstring: str) -> str:
    """Return a docstring with shared texts where it has their names in braces."""
    lines = []
    for line in docstring.split("\n"):
        start, brace, rest = line.partition("{")
        name, _, end = rest.partition("}")
        if not brace or name not in _TEXTS or end:
            lines.append(line)
            continue
        # What stands before the name is the margin of the first line, such as that
        # of a reference.
        first, *others = _TEXTS[name].strip("\n").split("\n")
        lines.append(start + first)
        lines += [(" " * len(start) + other).rstrip() for other in others]
    return _SHARE.sub(_percent, "\n".join(lines))


def _percent(found):
    shares = getattr(budget, found["table"])
    return f"{100.0 * shares[found['share']]:.3g} %"
