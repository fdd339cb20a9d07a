"""Three hundred cases of the fuzzer, without a finding."""

import contextlib
import importlib
import itertools
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from skdpgmm import DPKMeans
from skdpgmm.privacy import PrivacyReport

ROOT = Path(__file__).parents[2]
CHUNKS, CASES = 2, 150


def run(*options):
    # The environment of a process of its own: array API dispatch, and a crash is no
    # end of the other tests.
    env = {**os.environ, "SCIPY_ARRAY_API": "1"}
    return subprocess.run(
        [sys.executable, *options], env=env, cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_findings(chunk, tmp_path):
    output = tmp_path / "fuzz.json"
    options = ["--small", "--cases", str(CASES), "--first", str(chunk * CASES)]
    found = run("-m", "benchmarks.fuzz", *options, "--output", str(output))
    assert found.returncode == 0, found.stdout + found.stderr
    rows = json.loads(output.read_text())["results"]["rows"]
    assert len(rows) == CASES
    outcomes = [row["outcome"] for row in rows]
    # Neither is all refused, nor all taken.
    assert outcomes.count("fitted") > CASES / 3
    assert outcomes.count("refused") > CASES / 5


# --------------------------------------------------------------------------
# It can find something
# --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fuzz():
    """The module, which asks for array API dispatch in its own process only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIPY_ARRAY_API", os.environ.get("SCIPY_ARRAY_API", "0"))
        yield importlib.import_module("benchmarks.fuzz")


def findings(fuzz, name, n):
    """Return what is found in the first cases of an estimator."""
    numbers = (i for i in itertools.count() if fuzz.draw_name(0, i)[0] == name)
    rows = [fuzz.run_case(0, i, small=True) for i in itertools.islice(numbers, n)]
    return {row.get("finding") for row in rows}


def test_a_released_number_that_is_not_finite(fuzz, monkeypatch):
    original = DPKMeans._fit

    def fit(self, *args):
        original(self, *args)
        self.cluster_counts_ = self.cluster_counts_ * math.nan

    monkeypatch.setattr(DPKMeans, "_fit", fit)
    assert "cluster_counts_ is not finite" in findings(fuzz, "DPKMeans", 10)


def test_a_release_that_is_not_reported(fuzz, monkeypatch):
    def report(**given):
        return PrivacyReport(**{**given, "ledger": given["ledger"][1:]})

    monkeypatch.setattr("skdpgmm._estimators.session.PrivacyReport", report)
    found = findings(fuzz, "DPEmbeddingSynthesizer", 10)
    assert "debits that the report does not show" in found


def test_an_error_after_some_releases(fuzz, monkeypatch):
    def fail(*args):
        raise ValueError("rows cannot be merged")

    monkeypatch.setattr("skdpgmm._algorithms.kmeans.merge_codebook", fail)
    found = findings(fuzz, "DPKMeans", 10)
    assert "failed after spending: ValueError: rows cannot be merged" in found


def test_something_illegal_that_is_taken(fuzz, monkeypatch):
    original = DPKMeans.fit

    def lenient(self, X, y=None, **ids):
        with contextlib.suppress(ValueError, TypeError):
            original(self, X, **ids)
        return self

    monkeypatch.setattr(DPKMeans, "fit", lenient)
    found = {str(kind).split(":")[0] for kind in findings(fuzz, "DPKMeans", 40)}
    assert "illegal, but taken" in found


def test_a_model_that_depends_on_the_size_of_blocks(fuzz, monkeypatch):
    original = DPKMeans._fit

    def fit(self, *args):
        original(self, *args)
        self.cluster_centers_ = self.cluster_centers_ + (self.block_size == 5)

    monkeypatch.setattr(DPKMeans, "_fit", fit)
    monkeypatch.setattr(fuzz, "SHARES_REPEATED", (0.0, 0.0, 1.0))
    found = findings(fuzz, "DPKMeans", 40)
    assert "block_size or n_jobs changes the model" in found


def test_a_case_is_made_by_its_seed(fuzz, tmp_path):
    def described(seed):
        cases = (fuzz.draw_case(seed, i, True, tmp_path) for i in range(60))
        return [re.sub("0x[0-9A-F]+", "", str(case.describe())) for case in cases]

    first = described(3)
    assert first == described(3)
    assert len(set(first) & set(described(4))) == 0
