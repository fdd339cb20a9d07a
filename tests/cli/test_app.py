"""From a folder of images to synthetic rows and a report: the page on commands."""

import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

import skdpgmm
from skdpgmm._cli.tables import read

PAGE = Path(skdpgmm.__file__).parents[1] / "docs" / "command_line.rst"


def test_every_command_has_help(run):
    listed = run("--help").out
    commands = ("embed", "plan", "fit", "sample", "inspect", "verify", "report")
    for name in (*commands, "audit"):
        assert name in listed
        assert run(name, "--help").code == 0
    assert "show" in run("budget", "--help").out
    assert run("--version").out.strip() == skdpgmm.__version__
    assert run("nothing").code == 2


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """Images of digits in a folder, and an encoder as a file."""
    X, y = load_digits(return_X_y=True)
    for i in range(600):
        path = tmp_path / "images" / str(y[i]) / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = (X[i].reshape(8, 8) * 15.9).astype(np.uint8)
        Image.fromarray(pixels).save(path)
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 16))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(module, torch.zeros(2, 1, 8, 8))
        torch.jit.save(traced, tmp_path / "encoder.pt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines_of_page():
    """Commands of the first block of the page, as somebody types them."""
    block = re.search(r"code-block:: console\n\n((?:   .*\n|\n)+)", PAGE.read_text())[1]
    joined = re.sub(r"\\\n\s*", "", block)
    return [line.strip() for line in joined.splitlines() if line.strip()]


def test_the_commands_of_the_page_run(digits, run):
    lines = lines_of_page()
    assert len(lines) >= 7
    for line in lines:
        name, *args = shlex.split(line)
        assert name == "skdpgmm"
        found = run(*args)
        assert found.code == 0, (line, found.err)
    given = read(digits / "synthetic.parquet", None, "label", None)
    labels = np.concatenate(list(given.labels))
    assert np.concatenate(list(given.rows)).shape == (len(labels), 16)
    assert set(labels) <= set("0123456789")
    page = (digits / "report.html").read_text()
    assert "differentially private" in page and "verified" in page
