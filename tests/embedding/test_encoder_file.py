"""Encoders come from files and modules of this machine."""

import warnings

import numpy as np
import pytest
import torch

from skdpgmm import OnnxEncoder, TorchEmbeddingTransformer
from skdpgmm._embedding.encoder_file import encoder_named, imported


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 5))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(size=(9, 3, 2, 2)).astype(np.float32)


@pytest.fixture(params=["encoder.pt", "encoder.onnx"])
def file(request, module, images, tmp_path):
    path = tmp_path / request.param
    if path.suffix == ".pt":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.jit.save(torch.jit.trace(module, torch.as_tensor(images[:2])), path)
    else:
        path.write_bytes(OnnxEncoder.from_torch(module, images[:2]).model)
    return path


def test_a_file_gives_the_same_rows(file, module, images):
    rows = TorchEmbeddingTransformer(encoder_named(str(file))).transform(images)
    expected = TorchEmbeddingTransformer(module).transform(images)
    assert rows == pytest.approx(expected, abs=1e-5)


def test_an_object_is_imported():
    assert imported("torch.nn:functional.relu") is torch.nn.functional.relu
    assert encoder_named("torch.nn:Identity") is torch.nn.Identity


def test_what_is_none_is_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"no module")
    with pytest.raises(ValueError, match="no file of TorchScript"):
        encoder_named(str(tmp_path / "a.pt"))
    for name in ("nowhere.onnx", "nowhere.pt"):
        with pytest.raises(FileNotFoundError, match="is no file"):
            encoder_named(name)
    for name in ("torch", ":relu", "torch:"):
        with pytest.raises(ValueError, match=r"package\.module:object"):
            encoder_named(name)
    with pytest.raises(ValueError, match="torch has no nothing"):
        imported("torch:nothing")
