"""Kept results are read by the page of benchmarks, and compared with new ones."""

import json
import sys

import pytest

from benchmarks import compare
from benchmarks.common.command import command_of
from benchmarks.keep import ABOUT, KEPT, kept, rounded
from benchmarks.tables import TABLES, section

FILES = sorted(KEPT.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kept_results_say_where_they_come_from_and_are_shown(path):
    text = path.read_text()
    document = json.loads(text)
    assert set(ABOUT) <= document.keys()
    assert document["benchmark"] == path.stem
    assert document["command"].startswith(f"python -m benchmarks.{path.stem}")
    assert {"python", "skdpgmm", "numpy"} <= document["versions"].keys()
    assert {"processor", "cores", "threads"} <= document["machine"].keys()
    # No place of the machine that measured, and nothing that is large.
    assert "/" not in text.replace(" / ", " ") and len(text) < 500_000
    lines = section(path.stem)
    assert f"   {document['command']}" in lines
    assert any(document["date"] in line for line in lines)
    assert sum("   * - " in line for line in lines) > len(document["results"])


def test_the_page_shows_every_kept_file():
    page = (KEPT.parents[1] / "docs" / "benchmarks.rst").read_text()
    for name in {path.stem for path in FILES} | TABLES.keys():
        assert f".. benchmark-tables:: {name}\n" in page


def test_ratios_of_times_are_shown_once_they_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.tables.KEPT", tmp_path)
    assert "``python -m benchmarks.scaling``" in section("scaling")[0]
    document = json.loads(FILES[0].read_text()) | {"results": ratios_of(2.5)}
    (tmp_path / "scaling.json").write_text(json.dumps(document))
    lines = section("scaling")
    start = lines.index("   * - fit / product")
    assert lines[start + 1 : start + 3] == ["     - 2.500", "     - 3"]


def test_a_command_names_no_place_of_the_machine():
    given = ["--bank", "/a/b.npz", "--output", "c.json", "--only", "bank questions"]
    assert command_of("rows", given) == (
        "python -m benchmarks.rows --bank FILE --only 'bank questions'"
    )


def test_numbers_are_kept_to_five_digits_and_single_fits_as_means():
    assert rounded({"a": [0.123456, 60_000, None, "inf"]}) == {
        "a": [0.12346, 60_000, None, "inf"]
    }
    fits = [
        {"method": "defaults", "epsilon": 1.0, "gap_to_truth": gap} for gap in (-3, -1)
    ]
    document = dict.fromkeys(ABOUT[:-1]) | {
        "benchmark": "mixture",
        "about_settings": {"A": {"name": "A", "n": 9}},
        "results": {"A": {"fits": fits, "times": [(1.0, 2.0)]}},
    }
    found = kept(document)["results"]["A"]
    assert found["methods"]["defaults"]["1"]["gap"] == -2.0
    assert found["methods"]["defaults"]["1"]["worst"] == -3
    assert found["time"]["time ratio"] == 2.0
    assert kept(kept(document)) == kept(document)


# --- compare ------------------------------------------------------------------------
def ratios_of(ratio):
    found = {"limit": 3.0, "ratio": ratio, "seconds": 1.0, "other": 1.0 / ratio}
    return {"ratios": {"whole_fits": {"fit / product": found}}}


def document_of(ratio, accuracies):
    judges = [{"judges": {"network": {"accuracy": value}}} for value in accuracies]
    bank = {"ours": {f"seed {i}": seed for i, seed in enumerate(judges)}}
    results = ratios_of(ratio) | {"bank": bank}
    about = dict.fromkeys(ABOUT) | {"benchmark": "scaling", "digits": 5}
    return about | {"results": results}


@pytest.mark.parametrize(
    ("ratio", "accuracies", "worse", "better"),
    [
        (2.4, [0.79, 0.81], 0, 0),
        (2.6, [0.79, 0.81], 1, 0),
        (1.0, [0.82, 0.84], 0, 2),
        (1.0, [0.75, 0.79], 1, 1),
    ],
)
def test_compare(tmp_path, monkeypatch, capsys, ratio, accuracies, worse, better):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(document_of(2.0, [0.80])))
    new.write_text(json.dumps(document_of(ratio, accuracies)))
    monkeypatch.setattr(sys, "argv", ["compare", str(old), str(new)])
    with pytest.raises(SystemExit) as ended:
        compare.main()
    assert ended.value.code == (1 if worse else 0)
    said = capsys.readouterr().out
    assert f"1 times, 1 scores: {worse} worse and {better} better" in said
    assert ("fit / product, ratio: 2 -> 2.6" in said) == (ratio == 2.6)


def test_compare_refuses_what_has_nothing_in_common(tmp_path, monkeypatch):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(document_of(2.0, [0.8])))
    new.write_text(json.dumps(document_of(2.0, [0.8]) | {"results": {}}))
    monkeypatch.setattr(sys, "argv", ["compare", str(old), str(new)])
    with pytest.raises(SystemExit, match="nothing is in both files"):
        compare.main()
