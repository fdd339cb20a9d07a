"""Kept results are read by the page of benchmarks, and compared with new ones."""

import json
import sys
from argparse import Namespace

import numpy as np
import pytest
from scipy.fft import dctn, idctn

from benchmarks import compare, pixels, record
from benchmarks.common.command import Results, command_of
from benchmarks.common.cosines import cosine_embedder
from benchmarks.common.scattering import scattering
from benchmarks.keep import ABOUT, KEPT, kept, rounded
from benchmarks.tables import TABLES, beside_others, section

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


def test_the_landing_page_has_ours_beside_others_on_the_same_sets():
    lines = beside_others()
    (row,) = (i for i, line in enumerate(lines) if "k-means loss" in line)
    told = " ".join(lines[row : row + 5])
    sets = json.loads((KEPT / "clustering.json").read_text())["results"].values()
    for method in ("DPKMeans", "google", "diffprivlib"):
        areas = [entry["methods"][method]["area"] for entry in sets]
        assert f"{np.prod(areas) ** (1 / len(areas)):.3f}" in told


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


# --- published accuracies -----------------------------------------------------------
def fits_of(*accuracies):
    return {
        f"seed {i}": {"accuracy": accuracy, "seconds": 2.0}
        for i, accuracy in enumerate(accuracies)
    }


def test_published_accuracies_stand_beside_ours():
    methods = {record.HEAD: {"2.7": fits_of(0.89, 0.91)}}
    entry = {"shape": [60_000, 9], "seconds an image": 0.003, "methods": methods}
    lines = TABLES["record"]({"no public data": {"Fashion-MNIST": entry}})
    start = lines.index("     - 2.7")
    assert lines[start + 1 : start + 5] == [
        "     - .895, Tramer and Boneh 2021, linear head",
        "     - .900 ± .010",
        "     - 2",
        "     - 2",
    ]
    assert "* Fashion-MNIST: 60,000 records, 9 features, 3.0 ms an image." in lines


def test_images_stand_beside_published_ones():
    ours = {"1": fits_of(0.79, 0.81), "10": fits_of(0.82), "inf": fits_of(0.83)}
    real = {"inf": fits_of(0.9)}
    entry = {pixels.OURS: ours, pixels.SLOW: real, pixels.RECORDS: real}
    lines = TABLES["pixels"]({"Fashion-MNIST": entry})
    start = lines.index("   * - ours")
    assert lines[start + 1 : start + 4] == [
        "     - .800 ± .010",
        "     - .820",
        "     - .830",
    ]
    start = lines.index("   * - FETA-Pro")
    assert lines[start + 1 : start + 3] == ["     - .823", "     - .883"]


@pytest.mark.parametrize("shape", [(28, 28), (8, 6, 3)])
def test_slow_waves_are_decoded_as_what_is_nearest(shape):
    pytest.importorskip("torch")
    rng, (h, w, *_) = np.random.default_rng(0), shape
    images = rng.integers(0, 256, (3, *shape)).astype(np.uint8)
    embedder = cosine_embedder(shape)
    waves = embedder.fit_transform(images)
    assert waves.shape[1] == images[0].size // 4
    found = embedder.inverse_transform(waves)
    assert (found.shape, found.dtype) == (images.shape, np.uint8)
    slow = dctn(images / 255, axes=(1, 2), norm="ortho")
    np.testing.assert_allclose(
        waves, slow[:, : h // 2, : w // 2].reshape(3, -1), atol=1e-5
    )
    slow[:, h // 2 :] = slow[:, :, w // 2 :] = 0.0
    nearest = np.clip(255 * idctn(slow, axes=(1, 2), norm="ortho"), 0, 255)
    np.testing.assert_allclose(found, nearest, atol=0.51)


def test_a_peer_keeps_the_best_setting_of_its_grid(tmp_path, monkeypatch):
    tried = []

    def sgd(data, epsilon, delta, seed, setting):
        # Entries, not rows, are of norm 1.
        assert data[0].dtype == np.float32 and np.allclose(data[0], 1.0)
        tried.append(setting)
        return -abs(setting[2] - 16.0) - setting[1]

    monkeypatch.setattr(record, "sgd", sgd)
    results = Results(Namespace(output=tmp_path / "record.json", benchmark="record"))
    rows, y = np.full((2, 4), 0.5, dtype=np.float32), np.arange(2)
    for seed in range(2):
        found = record.peer((rows, y, rows, y), results, ("a", "b"), 1.0, seed)
        assert found["accuracy"] == -20.0
    best = (8, 20, 16.0, 0.1)
    assert tried == [*record.SGD_GRID, best]
    assert results.entry("a", "b")["setting"] == best


@pytest.mark.parametrize(("shape", "n_numbers"), [((8, 8), 324), ((32, 32, 3), 3888)])
def test_scattering_is_a_function_of_each_image(shape, n_numbers):
    torch = pytest.importorskip("torch")
    pytest.importorskip("kymatio")
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (3, *shape)).astype(np.uint8))
    module = scattering(shape)
    with torch.inference_mode():
        found, alone = module(images), module(images[1:2])
    assert found.shape == (3, n_numbers)
    torch.testing.assert_close(found[1:2], alone, rtol=1e-4, atol=1e-4)
