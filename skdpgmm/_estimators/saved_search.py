"""What the file of a winner of a search says of the whole search, which it cost."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from skdpgmm._estimators.model_file import unpack
from skdpgmm.privacy.accounting import LedgerEntry, mu_from_epsilon
from skdpgmm.privacy.parts import PartsReport
from skdpgmm.privacy.report import Decision, PrivacyReport

# What a search has of its own; the rest is what its winner says.
_OWN = ("epsilon", "mu", "ledger", "quality", "declared_public", "decisions")


def search_part(report: PrivacyReport, packer) -> dict[str, Any]:
    """Return what a file says of a search, where there was one."""
    if not isinstance(report, PartsReport):
        return {}
    return {
        "search": {
            "epsilon": packer.pack(report.epsilon, ""),
            "parts": list(report.parts),
            "declared_public": [list(one) for one in report.declared_public],
            "decisions": [
                [one.what, packer.pack(one.value, ""), packer.pack(one.because, "")]
                for one in report.decisions
            ],
        }
    }


def report_of_search(said: dict, ledger, own: PrivacyReport) -> PartsReport:
    """Return the report of a search, by what a file says of it and its winner's own.

    Parameters
    ----------
    said : dict
        That of `search_part`.
    ledger : tuple of LedgerEntry
        Of the whole search.
    own : PrivacyReport
        Of the fit that has won, as its replay makes it.
    """
    epsilon, parts = unpack(said["epsilon"], {}), tuple(map(str, said["parts"]))
    if len(parts) != len(ledger):
        raise ValueError("Of a release of the search it is not said of whom it is.")
    kept = {
        one.name: getattr(own, one.name) for one in fields(own) if one.name not in _OWN
    }
    return PartsReport(
        **kept,
        epsilon=float(epsilon),
        mu=mu_from_epsilon(epsilon, own.delta),
        ledger=ledger,
        parts=parts,
        declared_public=tuple((str(a), str(b)) for a, b in said["declared_public"]),
        decisions=tuple(
            Decision(str(what), unpack(value, {}), unpack(because, {}))
            for what, value, because in said["decisions"]
        ),
    )


def is_among(own, ledger) -> bool:
    """Whether the releases of a fit are one of the fits in the ledger of a search."""
    fits: dict[str, list[LedgerEntry]] = {}
    for entry in ledger:
        fit, _, name = entry.name.partition(", ")
        fits.setdefault(fit, []).append(_named(entry, name))
    return list(own) in fits.values()


def _named(entry, name):
    return LedgerEntry(name, entry.shape, entry.l2_sensitivity, entry.mu)
