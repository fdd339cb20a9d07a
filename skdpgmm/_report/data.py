"""What a report says, as data that JSON can hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skdpgmm._report.blocks import Picture
from skdpgmm._report.card import Card
from skdpgmm._report.curves import DELTAS, FALSE_ALARMS, largest_gain
from skdpgmm._report.subject import Subject, released
from skdpgmm.privacy import (
    PrivacyPlan,
    PrivacyReport,
    Quality,
    QualityOfSteps,
    attack_power,
    epsilon_from_mu,
)

_PROMISED = (
    *("epsilon", "delta", "mu", "spent_epsilon", "spent_mu"),
    *("adjacency", "unit", "noise", "n_fits", "meaning"),
)


def as_data(
    title: str, subject: Subject, card: Card, pictures: tuple[Picture, ...]
) -> dict[str, Any]:
    """Return dicts, lists, texts and numbers; an infinite number is the text "inf"."""
    privacy = subject.privacy
    return plain(
        {
            "title": title,
            "estimator": subject.name,
            "private": privacy.not_private is None,
            "not_private": privacy.not_private,
            **_guarantee(privacy),
            "attack": _attack(privacy),
            "epsilon_at_delta": _epsilons(privacy),
            "released": [
                {"name": name, "shape": shape, "kind": kind}
                for name, shape, kind in released(subject.fitted)
            ],
            "declared_public": dict(privacy.declared_public),
            "decisions": [one._asdict() for one in privacy.decisions],
            "quality": _quality(privacy.quality),
            "ledger": ledger(privacy),
            "verification": _verification(subject),
            "card": card.groups,
            "card_missing": list(card.missing),
            "figures": [picture.caption for picture in pictures],
            "versions": subject.made_by,
        }
    )


def _guarantee(privacy: PrivacyReport) -> dict[str, Any]:
    return {name: getattr(privacy, name) for name in _PROMISED}


def _attack(privacy: PrivacyReport) -> dict[str, Any] | None:
    if privacy.not_private:
        return None
    return {
        "false_alarms": list(FALSE_ALARMS),
        "found_at_most": [attack_power(privacy.mu, alarms) for alarms in FALSE_ALARMS],
        "largest_gain_over_guessing": largest_gain(privacy.mu),
    }


def _epsilons(privacy: PrivacyReport) -> dict[str, Any] | None:
    if privacy.not_private:
        return None
    found = [epsilon_from_mu(privacy.mu, delta) for delta in DELTAS]
    return {"delta": list(DELTAS), "epsilon": found}


def ledger(privacy: PrivacyReport | PrivacyPlan) -> list[dict[str, Any]]:
    """Return all rows of a ledger."""
    parts = getattr(privacy, "parts", None)
    return [
        {
            "name": entry.name,
            "shape": list(entry.shape),
            "l2_sensitivity": entry.l2_sensitivity,
            "noise_multiplier": entry.noise_multiplier,
            "mu": entry.mu,
            **({"part": parts[i]} if parts else {}),
        }
        for i, entry in enumerate(privacy.ledger)
    ]


def _quality(quality) -> Any:
    if isinstance(quality, QualityOfSteps):
        return {name: _quality(one) for name, one in quality.steps.items()}
    if not isinstance(quality, Quality):
        return None
    return {
        "what": quality.what,
        "classes": None if quality.classes is None else list(quality.classes),
        "counts": list(quality.counts),
        "noise_sd": quality.noise_sd,
        "words": {name: list(words) for name, words in quality.words.items()},
    }


def _verification(subject: Subject) -> dict[str, Any] | None:
    found = subject.verification
    if found is None:
        return None
    return {
        "file": found.name,
        "digest": found.digest,
        "passed": found.passed,
        "checks": [check._asdict() for check in found.checks],
        "believed": dict(found.believed),
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
