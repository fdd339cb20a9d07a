"""Memory maps are read as files, where they are."""

import re
import subprocess
import sys

import numpy as np
import pytest
from private_fits import make_data

from skdpgmm import DPGaussianMixture
from skdpgmm._rows.memory_maps import MappedFile, read_from_file

N, D = 200, 3


CUT = """
import os, sys, numpy as np
import skdpgmm._estimators.session as base
from skdpgmm import DPKMeans
path = sys.argv[1]
np.random.default_rng(0).standard_normal((50_000, 3)).tofile(path)
X = np.memmap(path, np.float64, "r", shape=(50_000, 3))
Records = base.PrivateRecords
def records_behind(*args, **kwargs):
    os.truncate(path, 8 * 3 * 10_000)
    return Records(*args, **kwargs)
base.PrivateRecords = records_behind
try:
    DPKMeans(2).fit(X)
except ValueError as error:
    print(error)
"""


def test_memory_map_that_gets_shorter_is_an_error(tmp_path):
    # In a process of its own, which a read of the map would end.
    found = subprocess.run(
        [sys.executable, "-c", CUT, str(tmp_path / "rows")],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, (found.returncode, found.stderr)
    row = re.search(r"which is shorter than it was: row (\d+) is", found.stdout)
    assert row and int(row[1]) >= 10_000


@pytest.mark.parametrize("offset", [0, 24, 5000 * 24])
@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f8", "<i2", "?"])
def test_memory_maps_are_read_where_they_are(tmp_path, offset, dtype):
    X = (100 * np.random.default_rng(0).standard_normal((400, 6))).astype(dtype)
    path = tmp_path / "rows"
    path.write_bytes(b"\1" * offset + X.tobytes())
    whole = np.memmap(path, dtype, "r", offset, X.shape)
    for mapped, expected in ((whole, X), (whole[37:311], X[37:311])):
        rows = read_from_file(mapped)
        assert isinstance(rows, MappedFile)
        for some in (slice(0, 10), slice(100, 274), slice(250, None), slice(0, 0)):
            assert np.array_equal(rows[some], expected[some])
            assert rows[some].dtype == expected.dtype
    for other in (
        whole[::2],
        whole[:, 1:],
        whole.T,
        np.memmap(path, dtype, "c", offset, X.shape),
    ):
        assert read_from_file(other) is other


@pytest.mark.parametrize("mode", ["r", "c", "r+"])
def test_fits_of_memory_maps_are_those_of_arrays(tmp_path, mode):
    X, _ = make_data(N, D)
    X.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.float64, mode, shape=X.shape)
    if mode != "r":
        mapped[5] = X[5] = 1.0
    for rows, expected in ((mapped, X), (mapped[::2], X[::2])):
        a, b = (
            DPGaussianMixture(2, random_state=0, block_size=37).fit(r).means_
            for r in (rows, expected)
        )
        assert np.array_equal(a, b)
