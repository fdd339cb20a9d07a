"""Without torch all works but the encoders, which say what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

import skdpgmm

PROGRAM = """
import sys

class NoTorch:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch)
import numpy as np
import skdpgmm
from skdpgmm import displays, metrics, privacy

rng = np.random.default_rng(0)
X, y = rng.normal(size=(300, 3)), rng.integers(0, 2, 300)
synthesizer = skdpgmm.DPEmbeddingSynthesizer(classes=[0, 1]).fit(X, y)
synthesizer.save(sys.argv[1])
rows, labels = skdpgmm.load(sys.argv[1]).sample(10)
assert rows.shape == (10, 3) and labels.shape == (10,)
assert skdpgmm.verify(sys.argv[1])
assert skdpgmm.report(synthesizer).to_html()
for name in skdpgmm._LATER:
    try:
        getattr(skdpgmm, name)
    except ImportError as error:
        print(error)
"""


def test_all_else_works_and_one_line_says_what_to_install(tmp_path):
    file = tmp_path / "model.safetensors"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(file)],
        cwd=Path(skdpgmm.__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    said = found.stdout.splitlines()
    for name, line in zip(skdpgmm._LATER, said, strict=True):
        assert line.startswith(f"{name} needs torch, which is not installed: pip ")


def test_other_modules_that_are_missing_keep_their_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "skdpgmm._embedding.text_encoder", None)
    with pytest.raises(ModuleNotFoundError, match="text_encoder"):
        skdpgmm.__getattr__("TextEncoder")
