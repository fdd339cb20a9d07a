"""Tests of what goes into a torch module and what comes out of it."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, IterableDataset, TensorDataset  # noqa: E402
from torch_modules import (  # noqa: E402
    TEXTS,
    BagOfWords,
    Function,
    Images,
    MaskedEncoder,
    bag_tokenizer,
    padding_tokenizer,
    pil_to_tensor,
    reference,
)

from skdpgmm._embedding.transformer import TorchEmbeddingTransformer  # noqa: E402


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(3))


def test_matches_module_in_every_container(net, images):
    pytest.importorskip("polars")
    expected = reference(net, images)
    read_only = images.copy()
    read_only.flags.writeable = False
    for X in (
        images,
        images.astype(np.float64),
        images.astype(">f4"),
        images[::-1].copy()[::-1],
        read_only,
        torch.tensor(images),
        torch.tensor(images, requires_grad=True),
        list(images),
        tuple(torch.tensor(images)),
        Images(list(images)),
        Images(torch.tensor(images)),
        TensorDataset(torch.tensor(images), torch.arange(len(images))),
    ):
        Z = TorchEmbeddingTransformer(net, normalize=False, batch_size=4).transform(X)
        np.testing.assert_allclose(Z, expected, atol=1e-5)
        assert Z.dtype == np.float32
        assert Z.flags.c_contiguous and Z.flags.owndata


def test_frames_and_lists_of_numbers(rng):
    import polars as pl

    X = rng.normal(size=(6, 3))
    module = nn.Linear(3, 2)
    expected = reference(module, X.astype(np.float32))
    transformer = TorchEmbeddingTransformer(module, normalize=False)
    for table in (X.tolist(), list(X), pd.DataFrame(X), pl.DataFrame(X)):
        np.testing.assert_allclose(transformer.transform(table), expected, atol=1e-6)


def test_uint8_is_not_rescaled():
    X = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2) + 200
    transformer = TorchEmbeddingTransformer(nn.Flatten(), normalize=False)
    np.testing.assert_array_equal(transformer.transform(X), X.reshape(2, 12))


def test_module_of_another_precision(rng):
    X = rng.normal(size=(5, 3))
    for dtype, atol in ((torch.float64, 1e-6), (torch.bfloat16, 0.05)):
        module = nn.Linear(3, 2).to(dtype)
        Z = TorchEmbeddingTransformer(module, normalize=False).transform(X)
        expected = module(torch.tensor(X, dtype=dtype)).detach().double()
        np.testing.assert_allclose(Z, expected, atol=atol)
        assert Z.dtype == np.float32


def test_pil_images(net, rng):
    image = pytest.importorskip("PIL.Image")
    pixels = rng.integers(0, 256, size=(5, 8, 8, 3), dtype=np.uint8)
    pictures = [image.fromarray(p) for p in pixels]
    expected = reference(net, pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    by_item = TorchEmbeddingTransformer(
        net, preprocess=pil_to_tensor, preprocess_level="item", normalize=False
    )
    by_batch = TorchEmbeddingTransformer(
        net,
        preprocess=lambda batch: torch.stack([pil_to_tensor(i) for i in batch]),
        normalize=False,
    )
    for transformer in (by_item, by_batch):
        for X in (pictures, Images(pictures)):
            np.testing.assert_allclose(transformer.transform(X), expected, atol=1e-5)
    np.testing.assert_allclose(by_item.transform(pixels), expected, atol=1e-5)
    for X in (pictures, Images(pictures)):
        with pytest.raises(TypeError, match="Pass a preprocess"):
            TorchEmbeddingTransformer(net).transform(X)
    with pytest.raises(TypeError, match="Put it in a list"):
        by_item.transform(pictures[0])


def test_texts_as_tuple_of_inputs():
    import polars as pl

    module = BagOfWords()
    transformer = TorchEmbeddingTransformer(
        module, preprocess=bag_tokenizer, normalize=False, batch_size=2
    )
    with torch.no_grad():
        expected = module(*bag_tokenizer(TEXTS)).numpy()
    for X in (
        TEXTS,
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS),
        pl.Series(TEXTS),
    ):
        np.testing.assert_allclose(transformer.fit_transform(X), expected, atol=1e-6)
        with pytest.raises(TypeError, match="Pass a preprocess"):
            TorchEmbeddingTransformer(module).transform(X)


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
    "X, error, match",
    [
        ([], ValueError, "X has 0 items"),
        (torch.ones(0, 3), ValueError, "X has 0 items"),
        (Images([]), ValueError, "X has 0 items"),
        (np.ones((0, 3)), ValueError, "0 sample"),
        (np.ones(3), ValueError, "Expected 2D array"),
        (torch.ones(3), ValueError, "at least 2 dimensions"),
        ([1.0, 2.0], ValueError, "Expected 2D array"),
        (sparse.csr_array(np.eye(3)), TypeError, "Sparse data"),
        (sparse.dok_array(np.eye(3)), TypeError, "Sparse data"),
        (torch.eye(3).to_sparse(), TypeError, "dense tensor"),
        (np.array([[1.0, np.nan]]), ValueError, "NaN"),
        (np.full((2, 3, 4, 4), np.inf), ValueError, "infinity"),
        (torch.tensor([[1.0, np.nan]]), ValueError, "NaN"),
        ([torch.tensor([1.0, np.inf])], ValueError, "infinity"),
        (np.ones((2, 2), dtype=complex), ValueError, "Complex"),
        (torch.ones(2, 2, dtype=torch.cfloat), TypeError, "real numbers"),
        ([np.ones((2, 2)), np.ones((2, 3))], ValueError, "one shape"),
        (pd.DataFrame({"text": TEXTS}), ValueError, "could not convert"),
        ("a text", TypeError, "single str"),
        ({"a": [1, 2]}, TypeError, "single dict"),
        (Stream(), TypeError, "map-style"),
        (DataLoader(Images([1])), TypeError, "map-style"),
    ],
)
def test_bad_items(X, error, match):
    transformer = TorchEmbeddingTransformer(nn.Flatten())
    with pytest.raises(error, match=match):
        transformer.fit(X)
    with pytest.raises(error, match=match):
        transformer.transform(X)


@pytest.mark.parametrize(
    "result, error, match",
    [
        (None, TypeError, "preprocess must give tensors.*NoneType"),
        ({"input_ids": [1, 2]}, TypeError, "preprocess must give tensors.*list"),
        (np.array(["a"]), TypeError, "preprocess must give tensors.*array of"),
    ],
)
def test_bad_preprocess(result, error, match, images):
    with pytest.raises(error, match=match):
        TorchEmbeddingTransformer(
            nn.Identity(), preprocess=lambda batch: result
        ).transform(images)


def test_items_of_several_shapes():
    transformer = TorchEmbeddingTransformer(
        nn.Identity(),
        preprocess=lambda text: torch.ones(len(text)),
        preprocess_level="item",
    )
    with pytest.raises(ValueError, match="preprocess must return tensors of one shape"):
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


def test_later_batches_are_checked(rng):
    X = rng.normal(size=(6, 4))
    X[5] = 100
    for function, match in (
        (lambda x: x[:, : (1 if x.max() > 50 else 4)], "as many outputs"),
        (lambda x: torch.where(x > 50, torch.nan, x), "finite"),
    ):
        with pytest.raises(ValueError, match=match):
            TorchEmbeddingTransformer(Function(function), batch_size=2).transform(X)


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
