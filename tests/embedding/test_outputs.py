"""What comes out of a torch module: pooled, checked, and each row alone."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch_modules import (
    TEXTS,
    Function,
    MaskedEncoder,
    padding_tokenizer,
)

from skdpgmm._embedding.transformer import TorchEmbeddingTransformer


@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_padded_texts_as_dict_of_inputs(pooling):
    module = MaskedEncoder().eval()
    transformer = TorchEmbeddingTransformer(
        module, preprocess=padding_tokenizer, pooling=pooling, normalize=False
    )
    Z = transformer.transform(TEXTS)
    pool = {
        "mean": lambda h: h.mean(0),
        "max": lambda h: h.amax(0),
        "cls": lambda h: h[0],
    }[pooling]
    with torch.no_grad():
        for row, text in zip(Z, TEXTS, strict=True):
            hidden = module(**padding_tokenizer([text])).last_hidden_state[0]
            np.testing.assert_allclose(row, pool(hidden), atol=1e-5)


def test_unmasked_padding_is_refused():
    def forget_mask(texts):
        inputs = padding_tokenizer(texts)
        return {**inputs, "attention_mask": torch.ones_like(inputs["attention_mask"])}

    transformer = TorchEmbeddingTransformer(
        MaskedEncoder().eval(), preprocess=forget_mask, pooling="mean"
    )
    with pytest.raises(ValueError, match="padding"):
        transformer.transform(TEXTS)


@pytest.mark.parametrize(
    "shape, pooling, expected",
    [
        ((5, 3, 4, 2), "mean", lambda x: x.mean((2, 3))),
        ((5, 3, 4, 2), "max", lambda x: x.max((2, 3))),
        ((5, 3, 4, 2, 2), "mean", lambda x: x.mean((2, 3, 4))),
        ((5, 7, 3), "mean", lambda x: x.mean(1)),
        ((5, 7, 3), "max", lambda x: x.max(1)),
        ((5, 7, 3), "cls", lambda x: x[:, 0]),
        ((5, 7, 3), lambda x: x[:, -1], lambda x: x[:, -1]),
    ],
)
def test_pooling(shape, pooling, expected, rng):
    X = rng.normal(size=shape).astype(np.float32)
    Z = TorchEmbeddingTransformer(
        nn.Identity(), pooling=pooling, normalize=False
    ).transform(X)
    np.testing.assert_allclose(Z, expected(X), atol=1e-6)


@pytest.mark.parametrize("as_mapping", [False, True])
def test_hidden_state_without_pooling(as_mapping):
    encoder = MaskedEncoder().eval()

    def module(**inputs):
        output = encoder(**inputs)
        return vars(output) if as_mapping else output

    with pytest.raises(ValueError, match=r"module must .*Set pooling='mean' or 'cls'"):
        TorchEmbeddingTransformer(module, preprocess=padding_tokenizer).transform(TEXTS)
    Z = TorchEmbeddingTransformer(
        module, preprocess=padding_tokenizer, pooling="cls"
    ).transform(TEXTS)
    assert Z.shape == (5, 8)


@pytest.mark.parametrize(
    "function, pooling, match",
    [
        (lambda x: (x, x), None, r"module must return one tensor; got a tuple.*layer="),
        (lambda x: {"z": x}, "mean", r"module must return one tensor.*\['z'\]"),
        (lambda x: x.numpy(), None, "module must return one tensor.*ndarray"),
        (lambda x: x[:1], None, r"module must return one row per item.*\(1, 2, 3\)"),
        (lambda x: x.sum(), None, "module must return one row per item"),
        (lambda x: x, None, "module must return one vector per item.*pooling"),
        (lambda x: x[:, 0], "mean", "needs an output of 3 or more dimensions"),
        (lambda x: x[..., None], "cls", "needs a 3-D output"),
        (lambda x: x, lambda x: x[0], "pooling must return one row per item"),
        (lambda x: x, lambda x: None, "pooling must return one tensor"),
        (lambda x: x[:, 0] / 0, None, "module must return finite numbers"),
    ],
)
def test_bad_output(function, pooling, match):
    X = np.ones((4, 2, 3))
    with pytest.raises(ValueError, match=match):
        TorchEmbeddingTransformer(Function(function), pooling=pooling).transform(X)


def test_normalize():
    X = np.array([[3, 4], [0, 0], [1e30, 1e30], [1e-30, 0], [-1e-42, 0]])
    Z = TorchEmbeddingTransformer(nn.Identity()).transform(X)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        Z, [[0.6, 0.8], [0, 0], [half, half], [1, 0], [-1, 0]], rtol=1e-6
    )
    raw = TorchEmbeddingTransformer(nn.Identity(), normalize=False).transform(X)
    np.testing.assert_array_equal(raw, X.astype(np.float32))


def standardize(x):
    return x if len(x) == 1 else (x - x.mean(0)) / x.std(0)


@pytest.mark.parametrize(
    "module",
    [
        Function(lambda x: x - x.mean(0)),
        Function(standardize),
        Function(lambda x: x + 0.01 * x.sum(0)),
        Function(lambda x: x.flip(0)),
        Function(lambda x: x + torch.arange(float(len(x)))[:, None]),
        Function(lambda x: nn.functional.dropout(x, 0.5, training=True)),
        nn.Sequential(
            nn.Unflatten(1, (2, 3)),
            nn.TransformerEncoderLayer(3, 1, 4, batch_first=False).eval(),
            nn.Flatten(),
        ).eval(),
    ],
)
@pytest.mark.parametrize("n", [2, 5, 64])
def test_mixing_rows_is_refused(module, n, rng):
    X = rng.normal(size=(n, 6))
    transformer = TorchEmbeddingTransformer(module)
    for method in (transformer.fit, transformer.transform):
        with pytest.raises(ValueError, match="module must treat each row alone"):
            method(X)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x - x.mean(0),
        lambda x: x / x.abs().amax(0),
        lambda x: torch.softmax(x @ x.T, dim=1) @ x,
    ],
)
def test_mixing_is_found_in_a_single_row(function):
    with pytest.raises(ValueError, match="module must treat each row alone"):
        TorchEmbeddingTransformer(Function(function)).transform([[1.0, 2.0, 3.0]])


def test_mixing_is_found_in_another_order():
    # Rows in ascending order look independent of each other, alone or together.
    module = Function(lambda x: x.cummax(0).values)
    X = np.arange(1.0, 13).reshape(6, 2)
    with pytest.raises(ValueError, match="module must treat each row alone"):
        TorchEmbeddingTransformer(module).transform(X)


def test_mixing_in_preprocess_is_refused(rng):
    transformer = TorchEmbeddingTransformer(
        nn.Identity(), preprocess=lambda x: torch.as_tensor(x - x.mean(axis=0))
    )
    with pytest.raises(ValueError, match="in module or in preprocess"):
        transformer.transform(rng.normal(size=(5, 3)))


def test_width_that_depends_on_the_batch(rng):
    module = Function(lambda x: x @ x.T)
    with pytest.raises(ValueError, match="as many outputs whatever the batch"):
        TorchEmbeddingTransformer(module).transform(rng.normal(size=(5, 3)))


def test_rows_apart_are_accepted(rng):
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    X = rng.normal(size=(9, 4, 8))
    whole = TorchEmbeddingTransformer(layer, pooling="mean", normalize=False)
    Z = whole.transform(X)
    single = np.vstack([whole.transform(x[None]) for x in X])
    np.testing.assert_allclose(single, Z, atol=1e-5)
    small = clone(whole).set_params(batch_size=1)
    np.testing.assert_allclose(small.transform(X), Z, atol=1e-5)
    assert (
        TorchEmbeddingTransformer(nn.Identity()).transform(np.zeros((3, 2))).any() == 0
    )
