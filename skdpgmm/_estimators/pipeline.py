"""A pipeline of private steps that share one budget."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import StrOptions
from sklearn.utils._user_interface import _print_elapsed_time
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from skdpgmm._estimators.parameters import PRIVATE
from skdpgmm._estimators.pipeline_steps import (
    Asked,
    ask_of,
    check_undoes,
    is_private,
    is_there,
    look_before,
    planned,
    refuse_mixing,
    refuse_own,
    spent_by,
    width_after,
    with_budgets,
)
from skdpgmm._estimators.privacy_ids import one_name
from skdpgmm._estimators.project_budget import charged
from skdpgmm._estimators.saved_pipeline import SavedSteps
from skdpgmm._estimators.shown import GuaranteeHTML
from skdpgmm._estimators.transaction import private_fit
from skdpgmm._typed import available_if
from skdpgmm.privacy.plan import PrivacyPlan
from skdpgmm.privacy.report import PrivacyReport
from skdpgmm.privacy.steps import report_of_steps


def _last_has(name):
    def check(self):
        return hasattr(self.steps[-1][1], name)

    return check


class PrivatePipeline(SavedSteps, GuaranteeHTML, Pipeline):
    """A pipeline under (epsilon, delta)-differential privacy, with one budget.

    The budget is shared among the private steps, whose own is not used. Steps that
    would learn from the rows without paying are refused.

    Parameters
    ----------
    steps : list of (str, estimator)
        Names and steps, as of a Pipeline: private estimators, transformers that learn
        nothing, such as a `Normalizer`, and transformers that were fitted to public
        rows, in a `FrozenEstimator`. One at least is private; before the last step, of
        private ones only `DPStandardScaler` and `DPPCA` may stand.
    epsilon : float, default=1.0
        Privacy loss of one `fit`, in (0, inf], of all steps together. ``inf`` adds no
        noise and protects nobody.
    delta : float, default=1e-5
        Additive slack of the guarantee of all steps together, in (0, 1).
    shares : dict of str to float, or "auto", default="auto"
        The share of the budget, in mu squared, of each private step: positive, at most
        1 together. "auto" gives |PIPELINE.last| to the last one and equal parts of
        the rest to those before it.
    verbose : bool, default=False
        Whether the time of each step is printed.

    Attributes
    ----------
    privacy_ : PrivacyReport
        The guarantee and the ledger of all steps, whose names come first; released.
    n_features_in_ : int
        Number of features; public.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings; public.
    classes_ : ndarray of shape (n_classes,)
        Those of the last step, where it has such; public.

    Raises
    ------
    {refused}

    See Also
    --------
    check_pipeline : Looks for leaks in a plain Pipeline.
    DPPCA : A private step that reduces features.
    DPStandardScaler : A private step that gives features one scale.

    Notes
    -----
    Privacy: all fitted steps together are (epsilon, delta)-differentially private. The
    rows that reach a step are functions of one record each, which public parameters
    and earlier releases decide, so that the releases of all steps compose as those of
    one fit. What is assumed: functions treat each row by itself, to the last bit, and
    frozen steps have seen public rows only. `transform`, `predict` and `score` are
    functions of their rows, and as private as these.

    `fit` puts fitted clones in the place of `steps`, as a Pipeline does; the caller's
    own steps stay as they are. A slice is a plain Pipeline, which has no budget. There
    is no `memory`: a cache would keep private rows.

    References
    ----------
    .. [1] {gdp}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdpgmm import DPPCA, DPLogisticRegression, PrivatePipeline
    >>> X, y = load_digits(return_X_y=True)
    >>> pipeline = PrivatePipeline(
    ...     [
    ...         ("pca", DPPCA(16, random_state=0)),
    ...         ("classifier", DPLogisticRegression(random_state=0)),
    ...     ],
    ...     epsilon=4.0,
    ... )
    >>> bool(pipeline.fit(X, y).score(X, y) > 0.7)
    True
    >>> pipeline.privacy_.epsilon, pipeline.privacy_.ledger[-1].name.split(",")[0]
    (4.0, 'classifier')
    """

    # Set by the fit.
    privacy_: PrivacyReport

    __metadata_request__fit = {"privacy_ids": True, "budget": True, "groups": UNUSED}

    _parameter_constraints: dict = {
        "steps": [list],
        "epsilon": PRIVATE["epsilon"],
        "delta": PRIVATE["delta"],
        "shares": [Mapping, StrOptions({"auto"})],
        "verbose": ["boolean"],
    }

    def __init__(
        self,
        steps: list[tuple[str, Any]],
        *,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        shares: Any = "auto",
        verbose: bool = False,
    ) -> None:
        self.steps = steps
        self.epsilon = epsilon
        self.delta = delta
        self.shares = shares
        self.verbose = verbose

    # Steps are validated by their own fits.
    @private_fit(skip_nested_validation=False)
    def fit(
        self, X, y=None, groups=None, *, privacy_ids=None, budget=None, **params
    ) -> Self:
        """Fit all steps, one after the other, with one budget.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records, of any kind that the steps take.
        y : array-like of shape (n_samples,), default=None
            Private labels.
        {ids}
            All private steps get them.
        {project_budget}
            It is charged once, for all steps.
        **params : dict of str to object
            Parameters of the fits of steps, as in ``step__parameter``.

        Returns
        -------
        self : PrivatePipeline
            Fitted pipeline.
        """
        privacy_ids = one_name(privacy_ids, groups)
        self._validate_steps()
        self.steps = with_budgets(self.steps, self._asked())
        given = self._given_to_steps(params, privacy_ids)
        ask = ask_of(type(self).__name__, self.steps, self._asked(), privacy_ids)
        with charged(budget, ask) as charge:
            self._fit_steps(X, y, privacy_ids, given, charge)
        self._say_of_all()
        return self

    def _fit_steps(self, X, y, privacy_ids, given, charge):
        reports: dict[str, PrivacyReport] = {}
        try:
            for i, (name, step) in enumerate(self.steps):
                if is_there(step):
                    last = i == len(self.steps) - 1
                    if is_private(step) and not reports:
                        look_before(self.steps[i:], X, y, privacy_ids)
                    with _print_elapsed_time("PrivatePipeline", self._log_message(i)):
                        X = self._fit_step(name, step, X, y, given[name], reports, last)
        finally:
            # Also of steps that were fitted before one failed.
            charge.ledger = spent_by(reports)
            if reports:
                mu = self._asked().mu
                self.privacy_ = report_of_steps(reports, self.epsilon, mu)

    def _asked(self):
        return Asked(self.epsilon, self.delta, self.shares)

    def _given_to_steps(self, params, privacy_ids):
        """Return the parameters of the fit of each step."""
        routed = self._check_method_params("fit", props=params)
        given: dict[str, dict[str, Any]] = {}
        for name, step in self.steps:
            there = routed.get(name, {}) if is_there(step) else {}
            given[name] = {**there.get("fit", {}), **there.get("fit_transform", {})}
            refuse_own(name, given[name])
            if privacy_ids is not None and is_private(step):
                given[name]["privacy_ids"] = privacy_ids
        return given

    def _fit_step(self, name, step, X, y, given, reports, last):
        """Fit a step, and return the rows for the next one."""
        private = is_private(step)
        try:
            with self._watched(name, step):
                step.fit(X, y, **given)
        except BaseException as error:
            # A callback may fail behind a step that was fitted.
            told = (getattr(error, "privacy_", None), vars(step).get("privacy_"))
            if private and any(told):
                reports[name] = told[0] or told[1]
            raise
        if private:
            reports[name] = step.privacy_
        else:
            refuse_mixing(name, step, getattr(step, "n_features_in_", None))
        return None if last else step.transform(X)

    @contextmanager
    def _watched(self, name, step):
        """Tell callbacks of a step, by its name only."""
        task = self._callback_fit_ctx.subcontext(task_name=name)
        task.call_on_fit_task_begin(estimator=self)
        with task.propagate_callback_context(step):
            yield
        task.call_on_fit_task_end(estimator=self)

    def plan(self, n_samples, n_features, n_classes=None) -> PrivacyPlan:
        """Return what the fits of all private steps would release, without a record.

        The number of features goes through the steps, so that it must follow from
        parameters: a `DPPCA` before the last step needs a number of components.

        Parameters
        ----------
        {imagined}

        Returns
        -------
        {plan}

        Raises
        ------
        {not_legal}
        """
        self._validate_params()
        self._validate_steps()
        asked = self._asked()
        steps = with_budgets(self.steps, asked)
        plans: dict[str, PrivacyPlan] = {}
        for i, (name, step) in enumerate(steps):
            last = i == len(steps) - 1
            if is_private(step):
                plans[name], n_features = planned(
                    step, n_samples, n_features, n_classes, last
                )
            elif is_there(step):
                n_features = width_after(name, step, n_features)
        return PrivacyPlan.of_steps(plans, asked.epsilon, asked.mu)

    @available_if(_last_has("transform"))
    def fit_transform(
        self, X, y=None, groups=None, *, privacy_ids=None, budget=None, **params
    ) -> np.ndarray:
        """Fit all steps, then transform the records.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        y : array-like of shape (n_samples,), default=None
            Private labels.
        {ids}
        {project_budget}
        **params : dict of str to object
            As of `fit`.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_transformed_features)
            As private as `X`.
        """
        ids = one_name(privacy_ids, groups)
        return self.fit(X, y, privacy_ids=ids, budget=budget, **params).transform(X)

    @available_if(_last_has("fit_predict"))
    def fit_predict(
        self, X, y=None, groups=None, *, privacy_ids=None, budget=None, **params
    ) -> np.ndarray:
        """Fit all steps, then predict for the records.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private records.
        y : array-like of shape (n_samples,), default=None
            Private labels.
        {ids}
        {project_budget}
        **params : dict of str to object
            As of `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            As private as `X`.
        """
        ids = one_name(privacy_ids, groups)
        return self.fit(X, y, privacy_ids=ids, budget=budget, **params).predict(X)

    @available_if(_last_has("sample"))
    def sample(self, n_samples=1, **params) -> tuple[np.ndarray, np.ndarray]:
        """Draw synthetic rows, as they would be before all steps.

        The rows of the last step go back through `inverse_transform` of the others,
        the last first. What a step has left out, such as all but the components of a
        `DPPCA`, does not come back.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows, at least 1.
        **params : dict of str to object
            As of `sample` of the last step, such as `y` and `random_state`.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Synthetic rows, with the columns of the records.
        y : ndarray of shape (n_samples,)
            What the last step gives beside them: labels, or components.

        Raises
        ------
        ValueError
            When a step has no inverse. Nothing is drawn then.
        """
        check_is_fitted(self)
        before = [(n, step) for n, step in self.steps[:-1] if is_there(step)]
        for name, step in before:
            check_undoes(name, step)
        rows, *others = self.steps[-1][1].sample(n_samples, **params)
        for _, step in reversed(before):
            rows = step.inverse_transform(rows)
        return (rows, *others)

    def __getitem__(self, ind):
        """Return a step by its place or name, or some as a plain Pipeline."""
        if isinstance(ind, slice):
            return Pipeline(self.steps, verbose=self.verbose)[ind]
        return super().__getitem__(ind)
