"""Auditors of others are given our noise as it is, and told as they say."""

import argparse

import pytest

from benchmarks.refereeing.ours import MECHANISMS
from benchmarks.referees import Referees, cases, rows_of, verdict
from skdpgmm.privacy import records

CLAIM = {"epsilon": 4.0, "delta": 1e-5}


def test_every_addition_of_noise_is_watched_with_its_distance(monkeypatch):
    monkeypatch.setattr(records, "add_noise", records.add_noise)
    mechanism, calls = MECHANISMS["DPPCA"](), []

    def watched(kind, noisy, value, metric, sensitivity, scale, law):
        calls.append((kind, value, metric, sensitivity))
        return noisy(value)

    mechanism.hook(watched, None)
    ledger = mechanism.fit(mechanism.pair[0], 0).privacy_.ledger
    assert [kind for kind, *_ in calls] == [entry.name for entry in ledger]
    first = list(calls)
    calls.clear()
    mechanism.fit(mechanism.pair[1], 0)
    # The first releases are made before any noise has told two fits apart.
    (_, one, metric, sensitivity), (_, other, *_) = first[0], calls[0]
    assert metric(one, one) == 0.0
    assert metric(one, other) == pytest.approx(sensitivity)


def test_an_auditor_that_is_not_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.referees.environment", lambda *_: "python")
    args = argparse.Namespace(cache=str(tmp_path), dp_recorder=None, google=None)
    (case,) = [one for one in cases(10) if one[1:3] == ("DPPCA", "record")]
    found = Referees(args).measure(case)
    ((name, _, _, above, text, _),) = rows_of(case, found)
    assert name == "ours: DPPCA"
    assert above == "-"
    assert text == "not run: dp-recorder needs --dp-recorder"


@pytest.mark.parametrize(
    ("referee", "said", "above"),
    [
        ("dp-recorder", {"calls": 6, "replayed": 6, "attained": 1.0}, False),
        ("dp-recorder", {"calls": 6, "replayed": 5, "attained": 1.0}, True),
        ("dp-recorder", {"calls": 6, "replayed": 6, "attained": 1.1}, True),
        (
            "dp-recorder",
            {"calls": 6, "replayed": 6, "attained": 1.0, "epsilon": 4.1},
            True,
        ),
        ("dp-recorder", {"calls": 6, "replayed": 2, "fault": ["AssertionError"]}, True),
        ("jax-privacy", {"found": {"one run": 3.9}}, False),
        ("jax-privacy", {"found": {"one run": 4.1}}, True),
        ("dp-auditorium", {"found": [-0.2, False]}, False),
        ("dp-auditorium", {"found": [0.2, True]}, True),
    ],
)
def test_what_is_above_the_claim(referee, said, above):
    assert verdict(referee, {"claim": CLAIM, **said})[1] is above
