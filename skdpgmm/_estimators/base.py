"""What all private estimators share: parameters, the way in, the report."""

from __future__ import annotations

import math
from contextlib import contextmanager, nullcontext
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_array

from skdpgmm._estimates.second_moment import public_second_moment
from skdpgmm._estimators.limits import LARGEST, SMALLEST, check_size
from skdpgmm._estimators.privacy_ids import describe_unit, warn_if_unenforced
from skdpgmm._estimators.randomness import entropy_of, is_seed, warn_of_seed
from skdpgmm._rows.array_api import as_numpy
from skdpgmm._rows.persons import bound_of
from skdpgmm._rows.plain import plain
from skdpgmm._rows.sources import Opened, open_rows
from skdpgmm.privacy.accounting import (
    ADJACENCIES,
    Ledger,
    mu_from_epsilon,
    unit_factor,
)
from skdpgmm.privacy.noise import make_generators
from skdpgmm.privacy.passes import Rows
from skdpgmm.privacy.records import PrivateRecords
from skdpgmm.privacy.report import PrivacyReport


class Session(NamedTuple):
    """One fit: the records behind their releases, the budget, public randomness."""

    records: PrivateRecords
    mu: float
    ledger: Ledger
    public_rng: np.random.Generator

    def left(self) -> float:
        """Return the mu of what is not spent yet, rounded down."""
        if math.isinf(self.mu):
            return math.inf
        share = 1.0 - (self.ledger.spent_mu / self.mu) ** 2
        return self.mu * math.sqrt(max(share, 0.0)) * (1.0 - 1e-12)


class PublicRows(NamedTuple):
    """Mean and second moment about it, of trace 1, of public rows; None without any."""

    mean: np.ndarray | None
    second: np.ndarray | None


class PrivateEstimatorMixin(CallbackSupportMixin):
    """Parameters and plumbing of an estimator that spends a privacy budget."""

    # Asked for wherever metadata are routed: no other estimator means anything else by
    # this name. The groups of scikit-learn's tools are those of splitters.
    __metadata_request__fit = {"privacy_ids": True, "groups": UNUSED}

    _privacy_constraints: dict[str, list] = {
        "epsilon": [Interval(Real, 0, None, closed="right")],
        "delta": [Interval(Real, 0, 1, closed="neither")],
        "adjacency": [StrOptions(set(ADJACENCIES))],
        "max_contributions": [Interval(Integral, 1, None, closed="left"), None],
        "clip_norm": [
            Interval(Real, SMALLEST, LARGEST, closed="both"),
            StrOptions({"auto"}),
        ],
        "center": ["array-like", None],
        "random_state": ["random_state"],
        "block_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    # Declared for the type checker; set by the constructors.
    epsilon: Any
    delta: Any
    adjacency: Any
    max_contributions: Any
    clip_norm: Any
    center: Any
    X_public: Any
    random_state: Any
    block_size: Any
    n_jobs: Any
    _enforced: bool

    @contextmanager
    def _watch(self, name):
        """Tell callbacks of a release, by its name only."""
        task = self._callback_fit_ctx.subcontext(task_name=name)
        task.call_on_fit_task_begin(estimator=self)
        yield
        task.call_on_fit_task_end(estimator=self)

    def _look_at(self, X, y, classes, privacy_ids) -> Opened:
        """Look at the rows and labels that `fit` is given, before anything is spent."""
        warn_if_unenforced(self.max_contributions, privacy_ids)
        return open_rows(self, X, y, classes, privacy_ids)

    def _open_session(self, rows: Rows, privacy_ids) -> Session:
        """Put rows that were looked at behind a `PrivateRecords` with its budget."""
        self._enforced = privacy_ids is not None
        mu = mu_from_epsilon(self.epsilon, self.delta)
        factor = unit_factor(self.adjacency, bound_of(self.max_contributions))
        if not math.isinf(mu):
            warn_of_seed(self.random_state)
        seed = self.random_state
        source, public_rng = make_generators(entropy_of(seed), is_seed(seed))
        self._ledger = ledger = Ledger(mu)
        records = PrivateRecords(
            rows,
            ledger=ledger,
            unit_factor=factor,
            source=source,
            watch=self._watch if hasattr(self, "_callback_fit_ctx") else nullcontext,
        )
        return Session(records, mu, ledger, public_rng)

    def _checked_center(self, n_features):
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

    def _checked_public(self, n_features) -> PublicRows:
        """Return what is used of `X_public`, without which both are None."""
        if self.X_public is None:
            return PublicRows(None, None)
        try:
            X = check_array(
                as_numpy(plain(self.X_public, "X_public")),
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
        return PublicRows(X.mean(axis=0), public_second_moment(X))

    def _report(self, ledger: Ledger) -> PrivacyReport:
        return PrivacyReport(
            epsilon=float(self.epsilon),
            delta=float(self.delta),
            mu=ledger.mu,
            adjacency=self.adjacency,
            unit=describe_unit(self.max_contributions, self._enforced),
            noise=(
                f"AES-CTR, seeded by random_state={self.random_state}"
                if is_seed(self.random_state)
                else "AES-CTR, seeded by the operating system"
            ),
            ledger=tuple(ledger.entries),
            seeded=is_seed(self.random_state),
        )
