"""OnnxEncoder: what a module gives, in ONNX Runtime."""

import copy
import os
import pickle

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone

from skdpgmm import OnnxEncoder, TorchEmbeddingTransformer


def a_module():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU()
    ).train()


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.uniform(size=(25, 1, 8, 8)).astype(np.float32)


def test_same_embeddings_and_the_module_as_it_was(images):
    module = a_module()
    encoder = OnnxEncoder.from_torch(module, images[:2], n_threads=1)
    assert all(part.training for part in module.modules())
    expected = TorchEmbeddingTransformer(module.eval(), pooling="mean").transform(
        images
    )
    for some in (encoder, pickle.loads(pickle.dumps(encoder))):
        transformer = TorchEmbeddingTransformer(some, pooling="mean", batch_size=10)
        found = transformer.fit_transform(images)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-5)
    from_doubles = transformer.transform(images.astype(np.float64))
    np.testing.assert_allclose(from_doubles, found, atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_file_and_several_inputs(tmp_path):
    class Two(torch.nn.Module):
        def forward(self, ids, mask):
            return (ids * mask).to(torch.float32)

    path = tmp_path / "two.onnx"
    ids, mask = torch.arange(6).reshape(2, 3), torch.tensor([[1, 0, 1], [1, 1, 0]])
    torch.onnx.export(
        Two(),
        (ids, mask),
        str(path),
        input_names=["ids", "mask"],
        dynamic_axes={"ids": {0: "n"}, "mask": {0: "n"}},
        dynamo=False,
    )
    encoder = OnnxEncoder(path)
    expected = (ids * mask).numpy()
    for inputs in ((ids, mask), {"mask": mask, "other": ids, "ids": ids}):
        np.testing.assert_array_equal(encoder(inputs).numpy(), expected)


WEIGHTS = np.random.default_rng(0).normal(size=(5, 300)).astype(np.float32)


def matrix_model():
    onnx = pytest.importorskip("onnx")
    kind, helper = onnx.TensorProto.FLOAT, onnx.helper
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "W"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", kind, ["n", 5])],
        [helper.make_tensor_value_info("y", kind, ["n", 300])],
        [onnx.numpy_helper.from_array(WEIGHTS, "W")],
    )
    version = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=version, ir_version=9)


@pytest.fixture
def with_other_files(tmp_path):
    """The path of a model whose weights are in another file of the same folder."""
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "folder" / "model.onnx"
    path.parent.mkdir()
    onnx.save_model(
        matrix_model(),
        path,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    assert sorted(os.listdir(path.parent)) == ["model.onnx", "weights.bin"]
    return path


def check_matrix(encoder):
    X = np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32)
    Z = TorchEmbeddingTransformer(encoder, normalize=False).transform(X)
    np.testing.assert_allclose(Z, X @ WEIGHTS, atol=1e-5)


@pytest.mark.parametrize("how", [str, lambda path: path], ids=["str", "path"])
def test_weights_in_other_files_are_found(how, with_other_files):
    check_matrix(OnnxEncoder(how(with_other_files)))


def test_weights_are_found_from_a_relative_path(with_other_files, monkeypatch):
    monkeypatch.chdir(with_other_files.parent)
    encoder = OnnxEncoder(with_other_files.name)
    monkeypatch.chdir("/")
    check_matrix(pickle.loads(pickle.dumps(encoder)))


@pytest.mark.parametrize("other_files", [False, True])
def test_copies_need_no_file(other_files, with_other_files, tmp_path):
    path = with_other_files
    if not other_files:
        path.write_bytes(matrix_model().SerializeToString())
    encoder = OnnxEncoder(path, n_threads=1)
    pickled = pickle.dumps(encoder)
    joblib.dump(encoder, tmp_path / "encoder.joblib")
    path.unlink()
    path.with_name("weights.bin").unlink()
    copies = [
        pickle.loads(pickled),
        joblib.load(tmp_path / "encoder.joblib"),
        copy.deepcopy(encoder),
        clone(TorchEmbeddingTransformer(encoder)).module,
    ]
    for other in copies:
        assert other is not encoder
        assert other.n_threads == 1
        check_matrix(other)
    # A copy can be sent on.
    check_matrix(pickle.loads(pickle.dumps(copies[0])))


def test_a_model_too_large_for_bytes_is_sent_as_its_path(with_other_files, monkeypatch):
    monkeypatch.setattr("skdpgmm._embedding.onnx_encoder._MOST_BYTES", 1000)
    encoder = OnnxEncoder(with_other_files)
    pickled = pickle.dumps(encoder)
    assert len(pickled) < 1000
    check_matrix(pickle.loads(pickled))


def test_bytes_without_their_weights_are_told_what_to_do(with_other_files):
    with pytest.raises(Exception, match="External data") as caught:
        OnnxEncoder(with_other_files.read_bytes())
    assert "give its path" in caught.value.__notes__[0]


class OfTheBatch(torch.nn.Module):
    def forward(self, x):
        return x - x.mean(0, keepdim=True)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda X: OnnxEncoder(3), TypeError, "bytes or the path"),
        (
            lambda X: OnnxEncoder.from_torch(a_module(), X[:1]),
            ValueError,
            r"at least two items, got shape \(1, 1, 8, 8\)",
        ),
        (
            lambda X: OnnxEncoder.from_torch(OfTheBatch(), X[:3]),
            ValueError,
            "cannot be translated",
        ),
        (lambda X: OnnxEncoder("missing.onnx"), FileNotFoundError, "'missing.onnx'"),
        (lambda X: OnnxEncoder("/dev/zero"), ValueError, "path of a file"),
        (lambda X: OnnxEncoder(b"", n_threads=0), ValueError, "at least 1.*got 0"),
        (lambda X: OnnxEncoder(b"", n_threads=-2), ValueError, "at least 1.*got -2"),
        (lambda X: OnnxEncoder(b"", n_threads=1.0), TypeError, "n_threads must .*1.0"),
        (
            lambda X: OnnxEncoder(b"", n_threads=True),
            TypeError,
            "n_threads must .*bool",
        ),
        (
            lambda X: OnnxEncoder.from_torch(a_module(), X, n_threads=0),
            ValueError,
            "n_threads",
        ),
    ],
)
def test_bad_input(call, error, message, images):
    with pytest.raises(error, match=message):
        call(images)


def test_a_pipe_in_place_of_a_model_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="which is none"):
        OnnxEncoder(tmp_path / "model.onnx")


@pytest.mark.parametrize("n_threads", [None, 1, np.int64(2)])
def test_legal_numbers_of_threads(n_threads):
    check_matrix(OnnxEncoder(matrix_model().SerializeToString(), n_threads=n_threads))
