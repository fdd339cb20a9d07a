"""Every python block of the README runs by itself, without a warning."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks():
    text = README.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start(1))
        yield pytest.param(match.group(1), line, id=f"line-{line + 1}")


def test_every_estimator_has_an_example():
    code = "".join(match.group(1) for match in BLOCK.finditer(README.read_text()))
    for name in (
        "DPEmbeddingSynthesizer",
        "DPGaussianMixture",
        "DPKMeans",
        "DPLogisticRegression",
        "DPSyntheticClassifier",
        "TorchEmbeddingTransformer",
    ):
        assert f"{name}(" in code


@pytest.mark.filterwarnings("error::skdpgmm.exceptions.NoiseDominatedWarning")
@pytest.mark.parametrize("code, line", list(blocks()))
def test_block_runs(code, line):
    # Blank lines make the line numbers of a traceback those of the README.
    exec(compile("\n" * line + code, README.name, "exec"), {"__name__": "readme"})
