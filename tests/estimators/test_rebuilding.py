"""Files that were forged are refused, or are those of another fit."""

import resource
import time

import numpy as np
import pytest
from private_fits import fit, fit_cases, make_data

from benchmarks.fuzzing.forged_files import forge
from skdpgmm import load
from skdpgmm._estimators.model_file import read, write
from skdpgmm._estimators.rebuilding import rebuild

CASES = fit_cases(3)
FORGED = ["kmeans", "mixture-auto", "mixture-full-known", "logistic-features"]
FORGED += ["synthesizer-labels", "synthesizer-public", "synthesizer-auto"]


@pytest.fixture(scope="module", params=FORGED)
def saved(request, tmp_path_factory):
    make, labelled = CASES[request.param]
    path = tmp_path_factory.mktemp("saved") / "model"
    fit(make(), *make_data(200, 3), labelled).save(path)
    return path


def test_forged_files_are_refused_or_are_those_of_a_fit(saved, tmp_path):
    rng = np.random.default_rng(0)
    n_refused = 0
    for _ in range(25):
        forge(saved, tmp_path / "forged", rng)
        try:
            rebuild(read(tmp_path / "forged"))
        except ValueError:
            n_refused += 1
    assert n_refused > 10


def test_large_numbers_in_a_small_file_take_neither_time_nor_memory(saved, tmp_path):
    file = read(saved)
    before, start = _peak(), time.monotonic()
    for part in ("parameters", "public"):
        for name, value in file.document[part].items():
            if type(value) is int:
                changed = {**file.document[part], name: 2**40}
                write(
                    tmp_path / "f", {**file.document, part: changed}, dict(file.arrays)
                )
                # What costs nothing, such as a number of passes, may be refused or not.
                try:
                    rebuild(read(tmp_path / "f"))
                except ValueError as error:
                    assert "not one of a fit" in str(error)
    assert time.monotonic() - start < 60.0
    assert _peak() - before < 200_000


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in kB


def test_no_class_is_looked_up_elsewhere(saved, tmp_path):
    file = read(saved)
    for name in ("LogisticRegression", "PrivateEstimator", "os", "__class__", "load"):
        write(tmp_path / "f", {**file.document, "estimator": name}, file.arrays)
        with pytest.raises(ValueError, match="no estimator that can be loaded"):
            load(tmp_path / "f")
