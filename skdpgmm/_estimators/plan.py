"""What a fit would release: the fit itself, of records that are not there."""

from __future__ import annotations

from numbers import Integral
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._algorithms.doubts import collected_doubts
from skdpgmm._estimators.parameters import SharedTexts
from skdpgmm._estimators.session import Session
from skdpgmm._models.reduction import rough_reductions
from skdpgmm._rows.blocks import one_blas_thread
from skdpgmm._rows.labels import label_column
from skdpgmm._rows.rehearsal import NO_NOISE, Rehearsal
from skdpgmm.privacy.plan import PrivacyPlan
from skdpgmm.privacy.records import MAX_ROWS

# Of records of features of one scale, as embeddings, and of others.
_NORM, _NORM_OF_SCALES = 1.0, 2.0
NO_CLASSES = "n_classes must be given, as fit needs labels, got None."


class Rehearsed(NamedTuple):
    """A fit without a record.

    Attributes
    ----------
    plan : PrivacyPlan
    fitted : estimator
        As if it were fitted.
    of_place : set of str
        What it has chosen by where imagined records lie, which says nothing.
    """

    plan: PrivacyPlan
    fitted: Any
    of_place: set[str]


class Planned(SharedTexts):
    """An estimator whose fits can be planned."""

    # Whether a fit takes labels: "none", "optional" or "needed".
    _takes_labels = "none"
    # Choices by where the records lie, which nobody knows before.
    _of_place: tuple[str, ...] = ("clip_norm", "normalize", "scale")

    def plan(self: Any, n_samples, n_features, n_classes=None) -> PrivacyPlan:
        """Return what `fit` would release, without a record.

        The algorithm runs on records that are not there: all classes and clusters
        have as many of them, and they lie halfway to where they are clipped. What
        "auto" chooses for real records, by their noisy counts and moments, may
        differ.

        At the noisy number of records that a fit has found, the plan is its ledger
        but for what follows from other releases. The number of steps of a head
        follows from the second moment; the cells of a codebook, and what is made of
        them, from their counts and energies; the clip of a soft pass, and with it the
        shares of its parts, from the counts of the pass before. And where the mean of
        the records is far from where it was looked for, it is looked for again, which
        takes from all that comes after.

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
        return self.__rehearsed__(n_samples, n_features, n_classes).plan

    def __rehearsed__(
        self: Any, n_samples, n_features, n_classes, of_pipeline=False
    ) -> Rehearsed:
        """Return the fit without a record, for `plan` and those of pipelines.

        A pipeline has one number of classes for all steps, labelled or not.
        """
        if of_pipeline and self._takes_labels == "none":
            n_classes = None
        _check_number("n_samples", n_samples, MAX_ROWS)
        _check_number("n_features", n_features)
        copied = object.__new__(type(self))
        copied.__dict__ = {**vars(self), "_warnings": []}
        copied._validate_params()
        classes = _classes(copied, self._takes_labels, n_classes)
        given = copied._given(int(n_features), classes, np.dtype(np.float64))
        copied._check(given, int(n_samples))
        account = copied._new_account(given, copied.max_contributions is not None)
        known = copied.clip_norm != "auto"
        norm = _NORM if getattr(copied, "scale", None) is None else _NORM_OF_SCALES
        norm = float(copied.clip_norm) if known else norm
        noise_sd: list[float] = []
        records = _recording(Rehearsal(int(n_samples), norm), account, noise_sd)
        session = Session.of(records, account, 0)
        # No release of imagined records follows from the parameters of a mixture.
        doubts_of = collected_doubts(imagined=True)
        with doubts_of as doubts, rough_reductions(), one_blas_thread():
            copied._fit(session, given)
        report = account.report()
        where = f"of norm {norm:g}, for want of more"
        where = "at a distance of clip_norm" if known else where
        plan = PrivacyPlan(
            epsilon=report.epsilon,
            delta=report.delta,
            mu=report.mu,
            adjacency=report.adjacency,
            unit=report.unit,
            records=f"about {n_samples:,}, {where}",
            ledger=report.ledger,
            noise_sd=tuple(noise_sd),
            decisions=tuple(
                d for d in report.decisions if d.what not in self._of_place
            ),
            doubts=tuple(doubts),
            seeded=report.seeded,
        )
        copied.n_features_in_ = int(n_features)
        of_place = {d.what for d in report.decisions if d.what in self._of_place}
        return Rehearsed(plan, copied, of_place)


def _check_number(name, value, largest=None):
    bad = isinstance(value, bool | np.bool_) or not isinstance(value, Integral)
    if bad or value < 1 or (largest is not None and value > largest):
        limit = "" if largest is None else f" and at most {largest}"
        raise ValueError(
            f"{name} must be an integer of at least 1{limit}, got {value!r}."
        )


def _classes(estimator, takes_labels, n_classes):
    """Return classes to imagine, or say what is wrong with their number."""
    if n_classes is not None:
        _check_number("n_classes", n_classes)
        if takes_labels == "none":
            raise ValueError(
                f"n_classes must be None, as {type(estimator).__name__} takes no "
                f"labels, got {n_classes}."
            )
    named = getattr(estimator, "classes", None)
    if named is not None:
        classes = np.unique(label_column(named, "classes"))
        if n_classes not in (None, len(classes)):
            raise ValueError(
                f"n_classes must be that of classes, {len(classes)}, got {n_classes}."
            )
        return classes
    if n_classes is None and takes_labels == "needed":
        raise ValueError(NO_CLASSES)
    return None if n_classes is None else np.arange(n_classes)


def _recording(rows, account, noise_sd) -> Any:
    """Return records that note the noise of what they release, and add none."""
    records = account.behind(rows, NO_NOISE)

    def release(name, query, mus):
        releases = records.release(name, query, mus)
        noise_sd.extend(float(np.max(one.sd)) for one in releases)
        return releases

    return SimpleNamespace(release=release, holding=records.holding)
