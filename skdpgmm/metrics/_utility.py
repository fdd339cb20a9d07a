"""How well a classifier does that has seen synthetic rows only."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_consistent_length

from skdpgmm._estimators.debits import Ask
from skdpgmm._estimators.parameters import PRIVATE
from skdpgmm._estimators.privacy_ids import one_name, warn_if_unenforced
from skdpgmm._estimators.private_counts import release_counts, right_answers
from skdpgmm._estimators.project_budget import charged
from skdpgmm._estimators.session import Account
from skdpgmm._rows.labels import label_column
from skdpgmm._rows.persons import first_contributions
from skdpgmm._typed import validate_params
from skdpgmm.privacy.report import PrivacyReport

_PRIVATE = ("epsilon", "delta", "adjacency", "max_contributions", "random_state")
_KINDS = dict.fromkeys("biuf", "numbers") | dict.fromkeys("UO", "strings")


@validate_params(
    {
        "classifier": [HasMethods(["fit", "predict"])],
        "X_synthetic": ["array-like"],
        "y_synthetic": ["array-like"],
        "X_real": ["array-like"],
        "y_real": ["array-like"],
        "per_class": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def train_on_synthetic_accuracy(
    classifier, X_synthetic, y_synthetic, X_real, y_real, *, per_class=False
) -> float | dict[Any, float]:
    """Return the accuracy on real rows of a classifier trained on synthetic ones.

    Parameters
    ----------
    classifier : estimator
        Any classifier; a clone of it is fitted.
    X_synthetic : array-like of shape (n_synthetic, n_features)
        Synthetic rows to train on.
    y_synthetic : array-like of shape (n_synthetic,)
        Their labels.
    X_real : array-like of shape (n_real, n_features)
        Real rows to test on.
    y_real : array-like of shape (n_real,)
        Their labels.
    per_class : bool, default=False
        Return the recall of each class in place of the accuracy of all.

    Returns
    -------
    accuracy : float or dict
        In [0, 1]; with `per_class` a dict by label, for the labels of `y_real`.

    Raises
    ------
    ValueError
        When an array is not legal.

    Notes
    -----
    Privacy: an accuracy on private rows is itself not private; `private_accuracy` is.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import train_test_split
    >>> from skdpgmm import DPEmbeddingSynthesizer
    >>> from skdpgmm.metrics import train_on_synthetic_accuracy
    >>> X, X_test, y, y_test = train_test_split(
    ...     *load_digits(return_X_y=True), random_state=0
    ... )
    >>> synthesizer = DPEmbeddingSynthesizer(epsilon=8.0, random_state=0).fit(X, y)
    >>> rows, labels = synthesizer.sample(2000)
    >>> classifier = LogisticRegression(max_iter=1000)
    >>> accuracy = train_on_synthetic_accuracy(classifier, rows, labels, X_test, y_test)
    >>> accuracy > 0.8
    True
    """
    y_real = label_column(y_real, "y_real")
    check_consistent_length(X_real, y_real)
    found = clone(classifier).fit(X_synthetic, y_synthetic).predict(X_real)
    found = label_column(found, "predictions")
    _check_comparable(y_real=y_real, predictions=found)
    right = found == y_real
    if not per_class:
        return float(np.mean(right))
    return {
        label: float(np.mean(right[y_real == label]))
        for label in np.unique(y_real).tolist()
    }


def _check_comparable(**labels):
    """Refuse columns of labels of different kinds: none would be equal."""
    kinds = {
        name: _KINDS.get(values.dtype.kind, str(values.dtype))
        for name, values in labels.items()
    }
    if len(set(kinds.values())) > 1:
        raise ValueError(
            "labels and predictions must be of one kind, as no number equals a string, "
            f"got {' and '.join(f'{kind} as {name}' for name, kind in kinds.items())}."
        )


class PrivateAccuracy(NamedTuple):
    """What `private_accuracy` returns.

    Parameters
    ----------
    accuracy : float
        Noisy accuracy, in [0, 1]; released.
    noise_sd : float
        Standard deviation of the noise in it, to first order; released. The chance in
        which records were tested is not part of it.
    privacy : PrivacyReport
        The guarantee and the ledger; released.
    """

    accuracy: float
    noise_sd: float
    privacy: PrivacyReport


@validate_params(
    {
        "y_true": ["array-like", HasMethods(["__iter__"])],
        "y_pred": ["array-like", HasMethods(["__iter__"])],
        **{name: PRIVATE[name] for name in _PRIVATE},
    },
    prefer_skip_nested_validation=True,
)
def private_accuracy(
    y_true,
    y_pred,
    *,
    epsilon=1.0,
    delta=1e-5,
    adjacency="add-remove",
    max_contributions=None,
    groups=None,
    privacy_ids=None,
    budget=None,
    random_state=None,
) -> PrivateAccuracy:
    """Return the accuracy of a model on private records, under privacy.

    One noisy pair of counts, of right and of wrong predictions.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Private labels; or an object that gives blocks of them.
    y_pred : array-like of shape (n_samples,)
        Predictions of a model that is public, or released, for the same records, as
        `predict` gives them.
    epsilon : float, default=1.0
        Privacy loss of this call, in (0, inf]. It adds to that of a model that was
        fitted to the same records.
    delta : float, default=1e-5
        Additive slack of the guarantee, in (0, 1).
    adjacency : {"add-remove", "replace-one"}, default="add-remove"
        What neighbouring data sets differ in. With the former the number of records
        is private.
    max_contributions : int, default=None
        Largest number of records of one person, at least 1. Give `privacy_ids` to
        have it enforced. None is one record.
    groups : array-like of shape (n_samples,), default=None
        The same as `privacy_ids`.

        .. deprecated:: 0.2
           It will go in version 0.3: give `privacy_ids`.
    privacy_ids : array-like of shape (n_samples,), default=None
        Id of the person, or other unit of privacy, of each record; the first
        `max_contributions` records of each are counted.
    budget : PrivacyBudget, default=None
        That of all fits to these people: what this call asks for is charged to it, or
        it is refused before a record is read.
    random_state : int, RandomState instance or None, default=None
        An int makes the noise reproducible: that is for tests, and not private.

    Returns
    -------
    score : PrivateAccuracy
        The accuracy, the standard deviation of its noise, and the guarantee.

    Raises
    ------
    ValueError
        When an argument is not legal, labels are missing, or labels and predictions
        are of different kinds, such as numbers and strings; nothing is spent then.

    Notes
    -----
    Privacy: what is returned is (epsilon, delta)-differentially private, when the
    model that predicts was not fitted to these records or was fitted to them
    privately. Each call spends anew: the best of many models costs as many calls. Each
    prediction is taken to be a function of its own record. The last bits of scores may
    depend on records that are predicted beside it: one at a time they do not.

    Examples
    --------
    >>> import numpy as np
    >>> from skdpgmm.metrics import private_accuracy
    >>> y = np.arange(10_000) % 4
    >>> score = private_accuracy(y, np.where(y == 3, 0, y), random_state=0)
    >>> round(score.accuracy, 2)
    0.75
    >>> score.noise_sd < 0.001
    True
    """
    privacy_ids = one_name(privacy_ids, groups)
    warn_if_unenforced(max_contributions, privacy_ids)
    account = Account(
        epsilon,
        delta,
        adjacency,
        max_contributions,
        random_state,
        enforced=privacy_ids is not None,
        declared_public=(("y_pred", "of a model that is public or released"),),
    )
    ask = Ask(
        "private_accuracy",
        epsilon,
        delta,
        adjacency,
        max_contributions,
        random_state,
        account.enforced,
    )
    with charged(budget, ask) as charge:
        charge.ledger = account.ledger
        codes = _right(y_true, y_pred)
        kept = first_contributions(privacy_ids, len(codes), max_contributions)
        release = release_counts(codes, 2, kept, account)
    wrong, right = np.maximum(release.value, 0.0)
    noisy_n = max(right + wrong, 1.0)
    accuracy = min(right / noisy_n, 1.0)
    noise_sd = float(release.sd) * math.hypot(accuracy, 1.0 - accuracy) / noisy_n
    return PrivateAccuracy(float(accuracy), float(noise_sd), account.report())


def _right(y_true, y_pred):
    """Return 1 for each record that is predicted right, and 0 for the others."""
    y_true, y_pred = label_column(y_true, "y_true"), label_column(y_pred, "y_pred")
    check_consistent_length(y_true, y_pred)
    _check_comparable(y_true=y_true, y_pred=y_pred)
    return right_answers(y_true, y_pred).astype(np.intp)
