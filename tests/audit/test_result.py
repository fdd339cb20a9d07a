"""What an audit says, and what it takes for a failure."""

import json
import math

import pytest

from skdpgmm._audit.result import NOT_PRIVATE, AuditResult, Guesses, Tightness

QUIET = Tightness("a: counts", 0.5, 1.0, 0.5, True)


def result(**changed):
    given = {
        "estimator": "DPPCA",
        "attack": "transcript",
        "adjacency": "add-remove",
        "unit": "one record",
        "n_runs": 100,
        "epsilon": 4.0,
        "delta": 1e-5,
        "mu": 0.9,
        "bound": 0.4,
        "confidence": 0.95,
        "estimate": 0.89,
        "gaussian_bound": 0.8,
        "distance": 0.9,
        "ceiling": 0.5,
        "smallest_shown": 1.2,
        "releases": (Tightness("a: counts", 1.0, 0.99, 1.01, False),),
    }
    return AuditResult(**{**given, **changed})


def test_what_is_not_above_the_claim_passes():
    assert result().passed
    assert result(gaussian_bound=math.nan, distance=math.nan, releases=()).passed
    assert result(estimate=1.1).passed  # an estimate has an error on both sides


ABOVE = [
    {"bound": 0.91},
    {"gaussian_bound": 0.91},
    {"distance": 0.91},
    {"releases": (QUIET,)},
]


@pytest.mark.parametrize("changed", ABOVE)
def test_what_is_above_the_claim_does_not(changed):
    found = result(**changed)
    assert not found.passed
    assert "NO: more is lost than is claimed" in str(found)
    assert found.to_dict()["passed"] is False


def test_it_prints_and_says_that_it_is_not_private():
    text = str(result())
    assert NOT_PRIVATE in text
    assert "a: counts" in text
    assert NOT_PRIVATE in result()._repr_html_()
    assert repr(result()) == ("AuditResult(DPPCA: mu >= 0.4, about 0.89, claimed 0.9)")


def test_a_dictionary_has_everything():
    found = json.loads(json.dumps(result().to_dict()))
    assert found["not_private"] == NOT_PRIVATE
    assert found["releases"][0]["name"] == "a: counts"
    assert found["mu"] == 0.9


def test_guesses_are_told():
    found = result(guesses=Guesses(80, 100, 400, 0.25), releases=())
    assert "80 of 100 are right, at 400 canaries" in str(found)
    assert json.loads(json.dumps(found.to_dict()))["guesses"]["p_value"] == 0.25
    assert result().to_dict()["guesses"] is None
    assert "canaries" not in str(result())
