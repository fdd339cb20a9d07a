"""Files of models that are changed at random, and a fuzzer that can find something."""

import json
import time

import numpy as np
import pytest

from benchmarks import fuzz_files
from skdpgmm import DPKMeans
from skdpgmm._estimators import rebuilding


def run(monkeypatch, tmp_path, *options):
    output = tmp_path / "found.json"
    argv = ["fuzz_files", "--jobs", "1", "--output", str(output), *options]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as exit:
        fuzz_files.main()
    return exit.value.code, json.loads(output.read_text())["results"]


def test_no_file_is_a_fault_and_no_number_is_missed(monkeypatch, tmp_path):
    code, results = run(monkeypatch, tmp_path, "--files", "48", "--numbers", "3")
    assert code == 0
    assert results.keys() == fuzz_files.MAKERS.keys()
    for found in results.values():
        assert found["bytes"]["refused"] == 3
        assert found["number, digest stays"]["found"] == 3
        other = found["number, digest right"]
        assert other["found"] + sum(other["not_found"].values()) == 3


@pytest.fixture
def saved(tmp_path):
    DPKMeans(2).fit(np.random.default_rng(0).standard_normal((200, 2))).save(
        tmp_path / "saved"
    )
    return tmp_path / "saved"


def test_what_is_no_refusal_is_a_fault(monkeypatch, saved):
    def breaks(document, arrays):
        raise RuntimeError("broken")

    monkeypatch.setattr(rebuilding, "Said", breaks)
    assert fuzz_files.outcome(saved, 10.0) == "fault: RuntimeError: broken"


def test_what_takes_too_long_is_a_fault(monkeypatch, saved):
    def waits(said):
        time.sleep(5.0)

    monkeypatch.setattr(rebuilding, "_unfitted", waits)
    assert fuzz_files.outcome(saved, 0.2) == "fault: not done after 0.2 s"
