"""What goes into a torch module: items of any kind, or a clear error."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, IterableDataset, TensorDataset  # noqa: E402
from torch_modules import (  # noqa: E402
    TEXTS,
    BagOfWords,
    Images,
    bag_tokenizer,
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
        (pd.DataFrame({"text": TEXTS}), TypeError, "Pass a preprocess"),
        (pd.DataFrame({"a": TEXTS, "b": TEXTS}), ValueError, "could not convert"),
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
