"""Files that commands work on, and a way to run one."""

import json

import numpy as np
import pyarrow as pa
import pytest
from private_fits import make_data
from pyarrow import parquet
from typer.testing import CliRunner

from skdpgmm import DPEmbeddingSynthesizer, DPKMeans
from skdpgmm._cli.app import app

N, D = 400, 3


class Ran:
    """What a command has answered, on which stream, and its exit code."""

    def __init__(self, result):
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr
        # Nothing but an exit may leave a command.
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in self.out + self.err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(scope="session")
def run():
    def call(*args):
        # Wide enough that no word is cut.
        runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})
        return Ran(runner.invoke(app, [str(arg) for arg in args]))

    return call


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Rows as .npz and .parquet, with labels as numbers and as text, and ids."""
    path = tmp_path_factory.mktemp("files")
    X, y = make_data(N, D)
    ids = np.arange(N) // 2
    names = np.array(["ant", "bee", "cow"])[y]
    np.savez(path / "rows.npz", X=X, label=y, name=names, person=ids)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), D)
    table = {"embedding": rows, "label": y, "name": names.tolist(), "person": ids}
    parquet.write_table(pa.table(table), path / "rows.parquet")
    DPKMeans(2, epsilon=3.0).fit(X).save(path / "kmeans.safetensors")
    DPEmbeddingSynthesizer(epsilon=3.0, label_model=False).fit(X, names).save(
        path / "synthesizer.safetensors"
    )
    DPKMeans(2, epsilon=np.inf).fit(X).save(path / "bare.safetensors")
    return path
