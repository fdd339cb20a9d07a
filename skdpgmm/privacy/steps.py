"""What fits that share a budget, one after the other, say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from skdpgmm.privacy.quality import Quality, QualityOfSteps
from skdpgmm.privacy.report import PrivacyReport, check_alike, joined


def of_step(step: str, ledger, decisions):
    """Return the ledger and the decisions of a step, which say whose they are."""
    return (
        tuple(replace(entry, name=f"{step}, {entry.name}") for entry in ledger),
        tuple(one._replace(what=f"{step}, {one.what}") for one in decisions),
    )


def report_of_steps(
    steps: Mapping[str, PrivacyReport], epsilon: float, mu: float
) -> PrivacyReport:
    """Return the report of steps that share a budget, in order: of all of them.

    Each sees the records through functions of the releases before it, so that all
    compose as the releases of one fit do.

    Parameters
    ----------
    steps : dict of str to PrivacyReport
        Of each step, by its name; of one delta, adjacency and unit.
    epsilon, mu : float
        What was asked for of all of them.

    Returns
    -------
    report : PrivacyReport
    """
    named = [_named(step, report) for step, report in steps.items()]
    for report in named:
        check_alike(named[0], report, ("delta", "adjacency", "unit"))
    noted = {
        step: one.quality
        for step, one in steps.items()
        if isinstance(one.quality, Quality)
    }
    return replace(
        named[0],
        epsilon=float(epsilon),
        mu=mu,
        ledger=tuple(entry for report in named for entry in report.ledger),
        quality=QualityOfSteps(noted) if noted else None,
        **joined(named),
    )


def _named(step, report: PrivacyReport) -> PrivacyReport:
    """Return a report that says of which step it is."""
    ledger, decisions = of_step(step, report.ledger, report.decisions)
    declared = tuple((f"{step}, {name}", text) for name, text in report.declared_public)
    return replace(report, ledger=ledger, decisions=decisions, declared_public=declared)
