"""What all private estimators share: a fit that looks, spends and reports.

`PrivateEstimator` is the way in and the way out. An estimator adds two hooks:
`_check` refuses what it cannot fit, before anything is spent, and `_fit` is its
algorithm, which gets a `Session` and never the data.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_array

from skdpgmm._estimates.second_moment import public_second_moment
from skdpgmm._estimators.debits import Ask
from skdpgmm._estimators.framed import FramedSamples
from skdpgmm._estimators.limits import check_size
from skdpgmm._estimators.parameters import PRIVATE
from skdpgmm._estimators.plan import Planned
from skdpgmm._estimators.privacy_ids import enforces, one_name, warn_if_unenforced
from skdpgmm._estimators.project_budget import charged
from skdpgmm._estimators.replay import Replayed
from skdpgmm._estimators.scaling import checked_bounds
from skdpgmm._estimators.session import Account, Session
from skdpgmm._estimators.shown import GuaranteeHTML
from skdpgmm._estimators.transcript import Transcript
from skdpgmm._rows.array_api import as_numpy, portable
from skdpgmm._rows.blocks import one_blas_thread
from skdpgmm._rows.containers import column_of
from skdpgmm._rows.opened import Asked
from skdpgmm._rows.plain import plain
from skdpgmm._rows.sources import open_rows
from skdpgmm.privacy.report import PrivacyReport


class Given(NamedTuple):
    """What is known of the records before anything is spent; all of it public.

    Attributes
    ----------
    n_features : int
    classes : ndarray of shape (n_classes,), or None without labels
    dtype : dtype
        float32 or float64, the type of the rows.
    center : ndarray of shape (n_features,), or None
    public_mean, public_second : ndarray or None
        Mean of `X_public`, and its second moment about it, of trace 1.
    in_frame : bool
        Whether the rows came in a data frame, whose names and types are public.
    bounds : pair of ndarray of shape (n_features,), or None
        Low and high ends of the features.
    """

    n_features: int
    classes: np.ndarray | None
    dtype: Any
    center: np.ndarray | None
    public_mean: np.ndarray | None
    public_second: np.ndarray | None
    bounds: tuple[np.ndarray, np.ndarray] | None = None
    in_frame: bool = False

    @property
    def n_classes(self) -> int:
        """Number of classes, 1 without labels."""
        return 1 if self.classes is None else len(self.classes)

    def in_units(self, units) -> Given:
        """Return the same in units of the features; None is those of the data."""
        if units is None:
            return self
        center, mean, second = self.center, self.public_mean, self.public_second
        return self._replace(
            center=None if center is None else units.of_rows(center),
            public_mean=None if mean is None else units.of_rows(mean),
            public_second=None if second is None else units.of_moment(second),
        )


class PrivateEstimator(Planned, Replayed, GuaranteeHTML, CallbackSupportMixin):
    """An estimator that spends a privacy budget in its fit."""

    # Set by the fit.
    n_features_in_: int
    feature_names_in_: np.ndarray
    privacy_: PrivacyReport

    # Asked for wherever metadata are routed: no other estimator means anything else by
    # these names. The groups of scikit-learn's tools are those of splitters.
    __metadata_request__fit = {"privacy_ids": True, "budget": True, "groups": UNUSED}

    _parameter_constraints: dict
    # Whether `transform` gives a row the same bits alone as beside others: rows that
    # are summed anew, in a later step of a pipeline, must be made so.
    _rows_apart = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._parameter_constraints = {**PRIVATE, **cls._parameter_constraints}

    def _check(self, given: Given, n_samples: int):
        """Refuse what cannot be fitted, before anything is spent.

        The number of records is private: only a check of what is not may look at it.
        """
        raise NotImplementedError

    def _fit(self, session: Session, given: Given):
        """Release what the algorithm needs, and set the attributes of the fit."""
        raise NotImplementedError

    def _fit_privately(self: Any, X, y, groups, privacy_ids, budget):
        """Be charged, look, spend, report: the body of all fits, for `private_fit`."""
        privacy_ids = one_name(privacy_ids, groups)
        warn_if_unenforced(self.max_contributions, privacy_ids)
        with charged(budget, Ask.of(self, enforces(privacy_ids))) as charge:
            return self._look_and_spend(X, y, privacy_ids, charge)

    def _look_and_spend(self: Any, X, y, privacy_ids, charge):
        asked = Asked(
            y,
            getattr(self, "classes", None),
            privacy_ids,
            self.max_contributions,
            self.block_size,
            self.n_jobs,
            type(self).__name__,
        )
        opened = open_rows(X, asked)
        self._take(opened)
        given = self._given(opened.shape[1], opened.classes, opened.dtype)
        given = given._replace(in_frame=opened.frame is not None)
        if isinstance(self, FramedSamples):
            declared = given.classes if asked.classes is not None else None
            self._keep_containers(opened.frame, column_of(y, declared))
        self._check(given, opened.shape[0])
        enforced = enforces(privacy_ids)
        self._account = account = self._new_account(given, enforced)
        charge.ledger = account.ledger
        earlier = self._earlier()
        if earlier is not None:
            # Refuses, before anything is spent, what has no guarantee in common.
            account.report().after(earlier)
        session = Session.open(opened.rows, account, self._watch)
        with one_blas_thread():  # as in a replay, to the bit
            self._fit(session, given)
        report = account.report()
        self._transcript = None
        if earlier is None:
            self._transcript = Transcript(
                given.n_features,
                given.classes,
                given.dtype,
                enforced,
                session.public_key,
                tuple(session.told),
                given.in_frame,
            )
        self.privacy_ = report if earlier is None else report.after(earlier)
        return self

    def _take(self: Any, opened):
        """Keep what is public of the rows: device, number and names of features."""
        self._like = opened.example
        self.n_features_in_ = opened.shape[1]
        if opened.names is not None:
            self.feature_names_in_ = opened.names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def __getstate__(self: Any):
        # A pickle is read on machines that lack the device of the records.
        state = super().__getstate__()
        if "_like" in state:
            state = {**state, "_like": portable(state["_like"])}
        return state

    def _given(self: Any, n_features, classes, dtype) -> Given:
        """Check what is declared as public."""
        center = self._checked_center(n_features)
        mean, second = self._checked_public(n_features)
        bounds = checked_bounds(self.bounds, n_features)
        return Given(n_features, classes, dtype, center, mean, second, bounds)

    def _new_account(self: Any, given, enforced) -> Account:
        return Account(
            self.epsilon,
            self.delta,
            self.adjacency,
            self.max_contributions,
            self.random_state,
            enforced,
            tuple(self._declared_public(given)),
            given.classes,
        )

    def _earlier(self):
        """Return the report of the fit that this one goes on from, or None."""
        return (
            vars(self).get("privacy_") if getattr(self, "warm_start", False) else None
        )

    def _declared_public(self: Any, given):
        """Yield what the caller says is public: name, and text without a record."""
        yield "n_features", str(given.n_features)
        if given.in_frame:
            yield "columns", "their names and types"
        if self.clip_norm != "auto":
            yield "clip_norm", f"{self.clip_norm:g}"
        for name in ("center", "bounds"):
            if getattr(given, name) is not None:
                yield name, "given"
        if given.classes is not None:
            source = "read off y" if self.classes is None else "given"
            yield "classes", f"{source}, {len(given.classes)} of them"
        for name in ("X_public", "weights_init", "means_init", "precisions_init"):
            if (value := getattr(self, name, None)) is not None:
                yield name, f"given, {' x '.join(map(str, np.shape(value)))}"

    @contextmanager
    def _watch(self: Any, name):
        """Tell callbacks of a release, by its name only."""
        task = self._callback_fit_ctx.subcontext(task_name=name)
        task.call_on_fit_task_begin(estimator=self)
        yield
        task.call_on_fit_task_end(estimator=self)

    def _checked_center(self: Any, n_features):
        if self.center is None:
            return None
        center = check_array(
            as_numpy(plain(self.center, "center")),
            ensure_2d=False,
            dtype=np.float64,
            input_name="center",
        )
        if center.shape != (n_features,):
            raise ValueError(
                f"center must have shape ({n_features},), one entry for each feature, "
                f"got {center.shape}."
            )
        check_size("center", center)
        return center

    def _checked_public(self, n_features):
        """Return mean and second moment of `X_public`, None without such."""
        X_public = getattr(self, "X_public", None)
        if X_public is None:
            return None, None
        try:
            X = check_array(
                as_numpy(plain(X_public, "X_public")),
                dtype=np.float64,
                ensure_min_samples=2,
                input_name="X_public",
            )
        except ValueError as error:
            raise ValueError(f"X_public cannot be used: {error}") from error
        if X.shape[1] != n_features:
            raise ValueError(
                f"X_public must have {n_features} features, as X has, got {X.shape[1]}."
            )
        check_size("X_public", X)
        return X.mean(axis=0), public_second_moment(X)
