"""A card for a registry of deployments: what follows from a fit, and what must be told.

Fields and groups are those of the schema of the Differential Privacy Deployments
Registry (github.com/opendp/deployments-registry-data, schemas/deployments-schema.yaml,
of July 2026), which is based on the work of E. Ghazi, P. Nanayakkara and S. Vadhan
(arXiv:2509.13509).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from skdpgmm.privacy import PrivacyReport

# Fields that nobody can read off a fit: group, and whether the schema requires them.
ASKED = {
    "name": ("basic", True),
    "data_curators": ("basic", True),
    "description": ("basic", True),
    "intended_use": ("basic", True),
    "data_product_type": ("basic", True),
    "data_product_region": ("basic", True),
    "publication_date": ("basic", True),
    "data_product_sector": ("basic", False),
    "data_domain": ("dp_variant", False),
    "actors": ("deployment_model", False),
    "release_type": ("deployment_model", False),
    "release_type_details": ("deployment_model", False),
    "data_source_type": ("deployment_model", False),
    "preprocessing_and_hyperparameter_tuning": ("implementation", False),
    "justification": ("implementation", False),
    "sources": ("administrative", False),
    "notes": ("administrative", False),
    "registry_authors": ("administrative", True),
}
_LISTS = ("data_curators", "registry_authors")
_GROUPS = (
    "basic",
    "dp_variant",
    "privacy_loss",
    "deployment_model",
    "accounting",
    "implementation",
    "administrative",
)


class Card(NamedTuple):
    """What a registry asks for.

    Attributes
    ----------
    groups : dict of str to dict
        Fields by their groups, as in the schema.
    missing : tuple of str
        Fields that have not been given, those first that are required.
    """

    groups: dict[str, dict[str, Any]]
    missing: tuple[str, ...]


def card(privacy: PrivacyReport, version: str, given: dict[str, Any]) -> Card:
    """Return the card of a fit, with the fields that were given."""
    groups: dict[str, dict[str, Any]] = {name: {} for name in _GROUPS}
    for name, fields in _of_fit(privacy, version).items():
        groups[name].update(fields)
    for name, value in given.items():
        groups[ASKED[name][0]][name] = value
    missing = [name for name in ASKED if name not in given]
    missing.sort(key=lambda name: not ASKED[name][1])
    return Card({k: v for k, v in groups.items() if v}, tuple(missing))


def checked_fields(given: Any) -> dict[str, Any]:
    """Return fields of a card as they were given, or say what is wrong with them."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise TypeError(
            f"card must be a dict of fields and texts, got {type(given).__name__}."
        )
    for name, value in given.items():
        if name not in ASKED:
            raise ValueError(
                f"card must have fields of {sorted(ASKED)}, got {name!r}; what follows "
                "from the fit is filled in."
            )
        if name in _LISTS:
            if isinstance(value, list) and value and all(map(_is_text, value)):
                continue
            raise ValueError(f"{name} of card must be a list of texts, got {value!r}.")
        if not _is_text(value):
            raise ValueError(f"{name} of card must be a text, got {value!r}.")
    return dict(given)


def _is_text(value) -> bool:
    return isinstance(value, str) and bool(value)


def _of_fit(privacy: PrivacyReport, version) -> dict[str, dict[str, Any]]:
    """Return what follows from a fit."""
    public = "; ".join(f"{name} ({text})" for name, text in privacy.declared_public)
    loss: dict[str, Any] = {
        "privacy_unit": privacy.unit,
        "privacy_unit_details": _ADJACENT[privacy.adjacency].format(privacy.unit),
    }
    if privacy.not_private:
        loss["privacy_parameters_details"] = privacy.not_private
    else:
        loss["privacy_parameters"] = {
            "epsilon": privacy.epsilon,
            "delta": privacy.delta,
        }
        loss["privacy_parameters_details"] = (
            f"The same in Gaussian differential privacy: mu={privacy.mu:.6g}. "
            f"Spent: epsilon={privacy.spent_epsilon:.6g} at the same delta. In words: "
            f"{privacy.meaning}."
        )
    noiseless = math.isinf(privacy.mu)
    variant = {"unprotected_quantities": f"Declared public: {public or 'nothing'}."}
    if not privacy.not_private:
        variant["variant_name"] = "Approximate DP"
    return {
        "dp_variant": variant,
        "privacy_loss": loss,
        "deployment_model": {
            "model_name": "Central",
            "access_type": "Non-interactive",
        },
        "accounting": {
            "post_processing": _POST,
            "composition": _COMPOSED.format(len(privacy.ledger)) + _of_parts(privacy),
        },
        "implementation": {
            "mechanisms": (
                "None: sums were released without noise."
                if noiseless
                else _MECHANISM.format(version, privacy.noise)
            )
        },
    }


def _of_parts(privacy) -> str:
    if not hasattr(privacy, "parts"):
        return ""
    return " Of releases about disjoint parts of the records the costliest part counts."


_ADJACENT = {
    "add-remove": "Adjacent data sets differ by the presence of one unit: {}.",
    "replace-one": "Adjacent data sets differ in the content of one unit: {}.",
}
_POST = (
    "All that leaves the fit is a function of its noisy releases and of what is "
    "public: fitted attributes, and all that is drawn from them."
)
_COMPOSED = (
    "Gaussian differential privacy: {} mechanisms, chosen adaptively, compose exactly "
    "as the square root of the sum of the squares of their mu (Dong, Roth, Su 2022), "
    "and convert to (epsilon, delta) by the analytic Gaussian formula (Balle, Wang "
    "2018)."
)
_MECHANISM = (
    "Gaussian mechanism, by skdpgmm {}: sums of vectors that are clipped to a bound. "
    "Against errors of floating point numbers, records are rounded to a grid of "
    "integers on which the bound is verified, sums are exact, and noise is rounded to "
    "a lattice. Noise: {}. Timing channels are not covered; nobody outside asks "
    "queries."
)
