"""The data of a report are what the account of privacy says, and JSON can hold them."""

import json
import math

import numpy as np
from private_fits import make_data, search

from skdpgmm import DPKMeans, report
from skdpgmm._report.data import plain


def test_numbers_are_those_of_the_account(fitted):
    told, privacy = report(fitted).to_dict(), fitted.privacy_
    for name in ("epsilon", "delta", "mu", "spent_mu", "spent_epsilon", "meaning"):
        assert told[name] == getattr(privacy, name)
    assert [row["mu"] for row in told["ledger"]] == [e.mu for e in privacy.ledger]
    assert told["declared_public"] == dict(privacy.declared_public)
    assert len(told["decisions"]) == len(privacy.decisions)
    assert told["quality"]["counts"] == list(privacy.quality.counts)
    assert told["private"] is True and told["not_private"] is None


def test_nothing_limits_an_attack_without_noise():
    found = DPKMeans(2, epsilon=math.inf).fit([[0.0], [1.0], [2.0]])
    told = report(found).to_dict()
    assert told["private"] is False and told["epsilon"] == "inf"
    assert told["attack"] is None and told["epsilon_at_delta"] is None
    assert {row["mu"] for row in told["ledger"]} == {"inf"}


def test_any_value_becomes_plain():
    value = {1: (np.float32(0.5), np.int64(3), [math.nan, None, True]), "x": object}
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == {
        "1": [0.5, 3, ["nan", None, True]],
        "x": str(object),
    }


def test_a_search_says_what_part_a_row_is_about():
    found = search(epsilon=5.0).fit(*make_data(400, 3))
    told = report(found).to_dict()
    assert [row["part"] for row in told["ledger"]] == list(found.privacy_.parts)
    assert told["spent_mu"] == found.privacy_.spent_mu
    assert "<th>part</th>" in report(found).to_html()
