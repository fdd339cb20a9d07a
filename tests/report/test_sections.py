"""What a report says follows from the account, and is said in the right words."""

import math

import pytest
from private_fits import make_data

from skdpgmm import DPKMeans, report
from skdpgmm._estimators.model_file import read, write
from skdpgmm._report.sections import _MOST_PARTS
from skdpgmm.privacy import attack_power
from skdpgmm.privacy.tables import repeated


def titles(made):
    return [section.title for section in made._page.sections]


def cells(made, title):
    (section,) = [one for one in made._page.sections if one.title == title]
    return [
        row for block in section.blocks if hasattr(block, "rows") for row in block.rows
    ]


def test_the_ledger_is_whole_and_its_shares_add_up(fitted):
    header, *rows = cells(report(fitted), "Ledger")
    assert sum(int(row[1]) for row in rows) == len(fitted.privacy_.ledger)
    assert [row[0] for row in rows] == [
        r.name for r in repeated(fitted.privacy_.ledger)
    ]
    assert header[-1] == "share"
    shares = [float(row[-1].removesuffix(" %")) for row in rows]
    assert sum(shares) == pytest.approx(100.0, abs=0.05 * len(rows) + 1e-9)


def test_the_attack_is_told_and_rounded_up(fitted):
    for alarms, found, guessed in cells(report(fitted), "What an attacker can do")[1:]:
        assert alarms == guessed
        exact = attack_power(fitted.privacy_.mu, float(alarms.removesuffix(" %")) / 100)
        assert 0.0 <= float(found.removesuffix(" %")) / 100 - exact < 1.0001e-3


@pytest.mark.filterwarnings("ignore::skdpgmm.exceptions.UnenforcedContributionsWarning")
def test_adjacency_and_unit_are_told():
    kmeans = DPKMeans(2, epsilon=3.0, adjacency="replace-one", max_contributions=2)
    text = report(kmeans.fit(make_data(300, 3)[0])).to_markdown()
    assert "which of two versions" in text and "promised by the caller" in text
    assert "differ in the content of one unit" in text
    assert "whether any one unit" not in text


@pytest.mark.parametrize("params", [{"epsilon": math.inf}, {"random_state": 0}])
def test_without_privacy_there_are_no_curves(params):
    made = report(DPKMeans(2, **params).fit(make_data(300, 3)[0]))
    assert not made.private and repr(made).startswith("ReviewReport(NOT PRIVATE")
    assert "What epsilon is at another delta" not in titles(made)
    assert "<svg" not in made.to_html()
    for text in (made.to_html(), made.to_markdown()):
        assert "differentially private" not in text.split("Ledger")[0]


def test_many_parts_are_cut_in_the_page_only():
    kmeans = DPKMeans(_MOST_PARTS + 5, epsilon=50.0).fit(make_data(2000, 2)[0])
    made = report(kmeans)
    assert "And 5 more" in made.to_html()
    assert len(made.to_dict()["quality"]["counts"]) == _MOST_PARTS + 5


def test_a_file_that_fails_says_so(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    file = read(tmp_path / "model")
    name = "attributes.cluster_counts_"
    changed = {**file.arrays, name: file.arrays[name] + 1.0}
    write(tmp_path / "model", file.document, changed)
    rows = cells(report(tmp_path / "model"), "Verification of the file")
    assert ("verified", "NO") in rows
    assert any(row[:2] == ("attributes", "FAILED") for row in rows)
