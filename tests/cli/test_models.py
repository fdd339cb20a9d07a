"""Commands on files of models say what the package says, and exit as they must."""

import json

import numpy as np
import pytest
from PIL import Image

from skdpgmm import load, report, verify
from skdpgmm._cli.tables import read as read_rows
from skdpgmm._estimators.model_file import read, write


@pytest.fixture
def forged(folder, tmp_path):
    """A file whose centres are not those of its releases."""
    file, name = read(folder / "kmeans.safetensors"), "attributes.cluster_centers_"
    arrays = {**file.arrays, name: file.arrays[name] + 1.0}
    write(tmp_path / "forged.safetensors", file.document, arrays)
    return tmp_path / "forged.safetensors"


def test_inspect_tells_what_a_report_tells(run, folder):
    path = folder / "kmeans.safetensors"
    found = run("inspect", path)
    assert found.code == 0 and not found.err
    for text in ("DPKMeans: (3, 1e-05)-differentially", "cluster_centers_", "Ledger"):
        assert text in found.out
    assert run("inspect", path, "--json").json == report(path).to_dict()


def test_verify_exits_with_what_it_has_found(run, folder, forged):
    path = folder / "kmeans.safetensors"
    found = run("verify", path)
    assert found.code == 0 and verify(path).digest in found.out
    assert run("verify", path, "--json").json["passed"] is True
    found = run("verify", forged)
    assert found.code == 1 and "FAILED" in found.out
    told = run("verify", forged, "--json")
    assert told.code == 1 and told.json["passed"] is False


def test_a_file_without_noise_is_no_success(run, folder):
    path = folder / "bare.safetensors"
    found = run("verify", path)
    assert found.code == 1 and "NOT PRIVATE" in found.out
    told = run("verify", path, "--json")
    assert told.code == 1 and told.json["private"] is False
    assert "NOT PRIVATE" in run("inspect", path).out


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_sample_draws_rows_and_labels(suffix, run, folder, tmp_path):
    model, path = folder / "synthesizer.safetensors", tmp_path / f"rows{suffix}"
    found = run("sample", model, path, "-n", 50, "--seed", 3)
    assert found.code == 0 and "50 rows of 3 features" in found.out
    given = read_rows(path, None, "label", None)
    X, y = load(model).sample(50, random_state=3)
    rows, labels = (
        one if isinstance(one, np.ndarray) else np.concatenate(list(one))
        for one in given[:2]
    )
    assert np.array_equal(rows, X) and np.array_equal(labels, y)
    assert run("sample", model, path, "-n", 9).code == 1  # it is there
    assert run("sample", model, path, "-n", 9, "--force", "--json").json["n"] == 9


def test_what_cannot_be_drawn_is_refused(run, folder, tmp_path):
    path = tmp_path / "rows.npz"
    found = run("sample", folder / "kmeans.safetensors", path, "-n", 9)
    assert found.code == 1 and "DPKMeans draws no rows" in found.err
    found = run("sample", folder / "synthesizer.safetensors", path, "-n", 0)
    assert found.code == 1 and "--n must be at least 1" in found.err
    found = run("sample", tmp_path / "nowhere", path, "-n", 9)
    assert found.code == 1 and not path.exists()


def test_a_report_is_a_page(run, folder, tmp_path):
    page, figure = tmp_path / "report.html", tmp_path / "draws.png"
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(figure)
    (tmp_path / "card.json").write_text(json.dumps({"name": "Clusters"}))
    args = ("report", folder / "kmeans.safetensors", page, "--title", "Our clusters")
    more = ("--figure", f"All black={figure}", "--card", tmp_path / "card.json")
    found = run(*args, *more)
    assert found.code == 0 and "differentially private" in found.out
    text = page.read_text()
    for words in ("Our clusters", "All black", "data:image/png", "dp_accounting"):
        assert words in text
    assert run(*args).code == 1
    told = run(*args, "--force", "--json").json
    assert told["private"] is True and "name" in told["card_missing"]
    assert run("report", folder / "kmeans.safetensors", tmp_path / "a.pdf").code == 1


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_what_is_no_model_is_refused(command, run, folder, tmp_path):
    for path in (folder / "rows.npz", tmp_path / "nowhere"):
        found = run(command, path)
        assert found.code == 1 and found.err.startswith("Error: ") and not found.out
