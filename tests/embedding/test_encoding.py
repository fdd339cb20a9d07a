"""From items to embeddings: precisions, compiled code, and what is said of faults."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch_modules import (
    ConvNet,
    Function,
)

from skdpgmm import TorchEmbeddingTransformer


def test_what_the_module_raises_says_where():
    grey = [np.zeros((1, 8, 8), dtype=np.float32)] * 5
    with pytest.raises(RuntimeError, match="3 channels") as caught:
        embedding(preprocess=None).transform(grey)
    assert caught.value.__notes__ == ["module was given items of X from 0 to 2."]


def test_nan_is_named():
    def module(x):
        return torch.log(x)

    X = np.ones((8, 2))
    X[6, 1] = -1.0
    with pytest.raises(ValueError, match="nan or infinity for item 6 of X"):
        TorchEmbeddingTransformer(module, batch_size=4).transform(X)


def test_autocast():
    X = np.random.default_rng(0).normal(size=(9, 3, 8, 8)).astype(np.float32)
    full, half = (
        embedding(preprocess=None, autocast=kind).transform(X)
        for kind in (None, "bfloat16")
    )
    assert half.dtype == np.float32
    assert 0.0 < np.abs(full - half).max() < 0.05


def test_compile():
    X = np.random.default_rng(0).normal(size=(9, 3, 8, 8)).astype(np.float32)
    seen = []

    def backend(graph, inputs):
        seen.append(graph)
        return graph.forward

    plain = embedding(preprocess=None)
    state = copy.deepcopy(plain.module.state_dict())
    Z = embedding(preprocess=None, compile={"backend": backend}).transform(X)
    np.testing.assert_allclose(Z, plain.transform(X), atol=1e-6)
    assert seen
    assert all(torch.equal(a, state[k]) for k, a in plain.module.state_dict().items())


def test_a_layer_of_compiled_code_cannot_be_had():
    transformer = embedding(preprocess=None, compile=True, layer="conv")
    with pytest.raises(ValueError, match="compile must be False with layer='conv'"):
        transformer.transform(np.zeros((2, 3, 8, 8)))


def as_array(image):
    return np.moveaxis(np.atleast_3d(np.asarray(image)), 2, 0).astype(np.float32)


def embedding(**params):
    torch.manual_seed(0)
    given = {"preprocess": as_array, "preprocess_level": "item", "batch_size": 3}
    return TorchEmbeddingTransformer(ConvNet().eval(), **{**given, **params})


def test_module_of_another_precision(rng):
    X = rng.normal(size=(5, 3))
    for dtype, atol in ((torch.float64, 1e-6), (torch.bfloat16, 0.05)):
        module = nn.Linear(3, 2).to(dtype)
        Z = TorchEmbeddingTransformer(module, normalize=False).transform(X)
        expected = module(torch.tensor(X, dtype=dtype)).detach().double()
        np.testing.assert_allclose(Z, expected, atol=atol)
        assert Z.dtype == np.float32


def test_later_batches_are_checked(rng):
    X = rng.normal(size=(6, 4))
    X[5] = 100
    for function, match in (
        (lambda x: x[:, : (1 if x.max() > 50 else 4)], "as many outputs"),
        (lambda x: torch.where(x > 50, torch.nan, x), "finite"),
    ):
        with pytest.raises(ValueError, match=match):
            TorchEmbeddingTransformer(Function(function), batch_size=2).transform(X)
