"""A search over parameters, and over epsilon, that is private as a whole."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skdpgmm._estimators.debits import Ask
from skdpgmm._estimators.delegation import DelegatingMixin
from skdpgmm._estimators.parameters import COUNT
from skdpgmm._estimators.privacy_ids import warn_if_unenforced
from skdpgmm._estimators.project_budget import charged
from skdpgmm._estimators.randomness import entropy_of, warn_of_seed
from skdpgmm._estimators.search_account import SearchAccount, plan_of
from skdpgmm._estimators.search_candidates import (
    candidates_of,
    private_of,
    settings_of,
)
from skdpgmm._estimators.search_levels import Search
from skdpgmm._estimators.search_parts import open_parts
from skdpgmm._estimators.search_runs import tell_of_search
from skdpgmm._estimators.search_scores import SCORINGS
from skdpgmm._estimators.shown import GuaranteeHTML
from skdpgmm._estimators.transaction import private_fit, warn_at_the_end
from skdpgmm.privacy.noise import make_generator
from skdpgmm.privacy.report import PrivacyReport


class PrivateSearchCV(
    DelegatingMixin,
    GuaranteeHTML,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """A search over parameters under (epsilon, delta)-differential privacy.

    Candidates are fitted privately to one part of the records and scored by noisy
    counts on the other. All that comes of it, the scores and the choice too, is
    (epsilon, delta)-private as a whole. It takes the place of ``GridSearchCV``, whose
    scores are computed from records without noise.

    Parameters
    ----------
    estimator : estimator
        A private classifier: `DPLogisticRegression`, `DPSyntheticClassifier`, or a
        ``Pipeline`` of steps without a fit that ends with one. Adjacency and
        `max_contributions` are its own; the search gives it its epsilon and delta,
        unless epsilon is searched.
    param_grid : dict or list of dict
        Names of parameters, and values to try; with `n_iter`, distributions too.
        Where the epsilon of the estimator is among them, each candidate is fitted at
        its own.
    n_iter : int, default=None
        Number of candidates to draw, at least 1; None tries all.
    epsilon : float or None, default=1.0
        Privacy loss of one `fit` as a whole, in (0, inf]. ``inf`` adds no noise and
        protects nobody. None is allowed where epsilon is searched: as much as all
        candidates cost, and the last fit.
    delta : float, default=1e-5
        Additive slack of the guarantee, in (0, 1), and that of all fits.
    scoring : {"accuracy", "balanced_accuracy"}, default="accuracy"
        What is counted: right predictions, of all records or of each class.
    refit : bool, default=True
        Whether the winner is fitted once more to all records, by |SEARCH.refit| of
        the budget, or at its epsilon where that is searched. False keeps what was
        fitted to the first part.
    test_size : float, default=0.2
        Share of the records that score, in (0, 1).
    stop_at : float, default=None
        Accuracy, in (0, 1], with which a search over epsilon is content: it goes from
        the smallest to larger ones, and stops when the 95 % interval of a score lies
        above it, or the next one would cost too much.
    {random_state}
    n_jobs : int, default=None
        Processes for the candidates; affects time only, unless a fit fails: those
        beside it have spent then, too. None is 1, as in joblib.

    Attributes
    ----------
    best_estimator_ : estimator
        The winner; released. Its own `privacy_` is that of the search.
    best_params_ : dict
        Its setting; released.
    best_index_ : int
        Its place in `cv_results_`; released.
    best_score_ : float
        Its noisy score. The largest of many is more often too large than too small;
        released.
    cv_results_ : dict of arrays of shape (n_candidates,)
        ``params`` and ``param_*``; ``mean_test_score``, ``noise_sd_test_score``, the
        noise in it, ``low_test_score`` and ``high_test_score``, an interval of 95 %
        for the accuracy on new records, and ``rank_test_score``; ``epsilon``, what the
        candidate alone would have cost; and ``release_group``, which is the same for
        candidates that share their releases. Of candidates that were not run, scores
        are nan. Released.
    classes_ : ndarray of shape (n_classes,)
        The public classes, sorted.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    search_privacy : What an ordinary search would cost.
    skdpgmm.metrics.private_accuracy : One noisy accuracy.

    Notes
    -----
    Privacy: a keyed hash of each record, or of its person, says which part it is in,
    whatever the others are. So it is in one part only, and what counts is the costlier
    of the two, and the last fit. Candidates that differ in what is computed from
    releases only, as in `classifier` and `n_samples` of `DPSyntheticClassifier`, are
    fitted to the same releases and cost nothing beside their score.

    With `stop_at` less may be spent than `epsilon`: ``privacy_.left_mu`` may then be
    spent on the same records, and all is (epsilon, delta)-private together. That the
    search itself were private with less than `epsilon` is not claimed.

    References
    ----------
    .. [1] {gdp}
    .. [2] V. Feldman, T. Zrnic, "Individual Privacy Accounting via a Rényi Filter",
       NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdpgmm import DPLogisticRegression, PrivateSearchCV
    >>> X, y = load_digits(return_X_y=True)
    >>> search = PrivateSearchCV(
    ...     DPLogisticRegression(clip_norm=80.0),
    ...     {"n_random_features": [0, 256]},
    ...     epsilon=8.0,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> bool(search.best_score_ > 0.8)
    True
    >>> search.privacy_.spent_epsilon <= 8.0
    True
    """

    # Set by the fit.
    best_params_: dict[str, Any]
    best_index_: int
    best_score_: float
    cv_results_: dict[str, Any]
    classes_: np.ndarray
    n_features_in_: int
    feature_names_in_: np.ndarray
    privacy_: PrivacyReport

    # Asked for wherever metadata are routed: no other estimator means anything else by
    # these names.
    __metadata_request__fit = {"privacy_ids": True, "budget": True}

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "param_grid": [dict, list],
        "n_iter": [*COUNT, None],
        "epsilon": [Interval(Real, 0, None, closed="right"), None],
        "delta": [Interval(Real, 0, 1, closed="neither")],
        "scoring": [StrOptions(set(SCORINGS))],
        "refit": ["boolean"],
        "test_size": [Interval(Real, 0, 1, closed="neither")],
        "stop_at": [Interval(Real, 0, 1, closed="right"), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        n_iter: int | None = None,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        scoring: str = "accuracy",
        refit: bool = True,
        test_size: float = 0.2,
        stop_at: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.n_iter = n_iter
        self.epsilon = epsilon
        self.delta = delta
        self.scoring = scoring
        self.refit = refit
        self.test_size = test_size
        self.stop_at = stop_at
        self.random_state = random_state
        self.n_jobs = n_jobs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.target_tags = inner.target_tags
        return tags

    # Candidates are validated before anything is spent.
    @private_fit(skip_nested_validation=False)
    def fit(self, X, y, *, privacy_ids=None, budget=None) -> Self:
        """Search privately.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records, in memory.
        y : array-like of shape (n_samples,)
            Private labels.
        privacy_ids : array-like of shape (n_samples,), default=None
            Id of the person, or other unit of privacy, of each record; the first
            `max_contributions` records of each are used, one if that is None.
        {project_budget}

        Returns
        -------
        self : PrivateSearchCV
            Fitted search.
        """
        entropy = entropy_of(self.random_state)
        settings = settings_of(self.param_grid, self.n_iter, _generator(entropy))
        candidates = candidates_of(self.estimator, settings)
        plan = plan_of(self, candidates)
        first = candidates[0].private
        warn_if_unenforced(first.core.max_contributions, privacy_ids)
        seeds = [one.private.seed for one in candidates if one.seeded]
        ask = Ask(
            type(self).__name__,
            plan.epsilon,
            self.delta,
            first.core.adjacency,
            first.core.max_contributions,
            seeds[0] if seeds else self.random_state,
            privacy_ids is not None,
        )
        with charged(budget, ask) as charge:
            key = make_generator(entropy, "parts").bytes(32)
            parts = open_parts(candidates, X, y, privacy_ids, self.test_size, key)
            return self._spend(candidates, plan, parts, charge)

    def _spend(self, candidates, plan, parts, charge):
        self._account = self._new_account(candidates, plan, parts)
        charge.ledger = self._account.ledger
        warn_of_seed(self.random_state)
        search = Search(self, candidates, plan, parts, self._account)
        found = self._run(search)
        self.cv_results_ = search.table()
        self.best_index_ = found.number
        self.best_params_ = candidates[found.number].params
        self.best_score_ = float(self.cv_results_["mean_test_score"][found.number])
        for message, category in found.warned:
            warn_at_the_end(self, message, category)
        self._take(found.estimator, parts.classes)
        return self

    def _run(self, search):
        """Return the winner. An audit keeps the search, which nobody else may."""
        return search.run()

    def _new_account(self, candidates, plan, parts):
        """Return the account, with what is public before anything is released."""
        private = candidates[0].private
        source = "read off y" if private.core.classes is None else "given"
        public = [
            ("candidates", str(len(candidates))),
            ("classes", f"{source}, {len(parts.classes)} of them"),
        ]
        if private.steps:
            public.append(("steps", f"{', '.join(private.steps)}, of constants"))
        return SearchAccount(
            plan.epsilon,
            self.delta,
            private.core.adjacency,
            private.core.max_contributions,
            self.random_state,
            enforced=parts.all.enforced,
            declared_public=tuple(public),
            seeded_inside=any(one.seeded for one in candidates),
        )

    def _take(self, estimator, classes):
        """Keep the winner, and have it say what all of the search has cost."""
        account, fitted = self._account, private_of(estimator).fitted
        told = dict(account.declared_public)
        account.declared_public += tuple(
            one for one in fitted.privacy_.declared_public if one[0] not in told
        )
        account.decisions += fitted.privacy_.decisions
        self.privacy_ = account.report()
        tell_of_search(estimator, self.privacy_)
        self.best_estimator_, self.classes_ = estimator, classes
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))
            elif hasattr(self, name):
                delattr(self, name)


def _generator(entropy):
    """Return public randomness to draw candidates by."""
    seed = make_generator(entropy, "candidates").integers(2**32, dtype=np.uint64)
    return np.random.RandomState(int(seed))
