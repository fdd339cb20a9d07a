"""OnnxEncoder: what a module gives, in ONNX Runtime."""

import pickle

import numpy as np
import pytest
import torch

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
    ],
)
def test_bad_input(call, error, message, images):
    with pytest.raises(error, match=message):
        call(images)
