"""Tests of the way back from embeddings to images."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch_modules import reference  # noqa: E402

from skdpgmm import TorchEmbeddingTransformer  # noqa: E402


def decoding(decoder, **params):
    return TorchEmbeddingTransformer(nn.Identity(), decoder=decoder, **params)


def test_inverse_transform(rng):
    decoder = nn.Sequential(
        nn.Linear(4, 12), nn.Dropout(), nn.Unflatten(1, (3, 2, 2)), nn.Conv2d(3, 1, 1)
    )
    transformer = TorchEmbeddingTransformer(
        nn.Identity(), decoder=decoder, batch_size=3
    )
    Z = rng.normal(size=(7, 4))
    images = transformer.inverse_transform(Z)
    assert images.shape == (7, 1, 2, 2) and images.dtype == np.float32
    assert decoder.training and decoder[1].training
    np.testing.assert_allclose(
        images, reference(decoder.eval(), Z.astype(np.float32)), atol=1e-5
    )


def test_embeddings_in_blocks_and_in_dask(rng):
    import dask.array as da

    class Blocks:
        def __iter__(self):
            return iter(np.split(Z, [2, 5]))

    Z = rng.normal(size=(7, 4)).astype(np.float32)
    transformer = decoding(nn.Sequential(nn.Linear(4, 12), nn.Unflatten(1, (3, 2, 2))))
    expected = transformer.inverse_transform(Z)
    blocks = transformer.inverse_transform(Blocks())
    for _ in range(2):  # it starts anew
        np.testing.assert_allclose(np.concatenate(list(blocks)), expected, atol=1e-6)
    lazy = transformer.inverse_transform(da.from_array(Z, (3, 4)))
    assert lazy.shape == expected.shape
    np.testing.assert_allclose(lazy.compute(), expected, atol=1e-6)


def test_inverse_transform_needs_a_decoder():
    transformer = TorchEmbeddingTransformer(nn.Identity())
    assert not hasattr(transformer, "inverse_transform")
    with pytest.raises(AttributeError, match="inverse_transform") as caught:
        _ = transformer.inverse_transform
    assert "pass decoder=" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "decoder, Z, match",
    [
        (lambda z: z[:1], np.eye(3), "decoder must return one row per item"),
        (lambda z: (z,), np.eye(3), "decoder must return one tensor"),
        (lambda z: z / 0, np.eye(3), "decoder must return finite numbers"),
        (nn.BatchNorm1d(3), np.eye(3), r"Call decoder.eval\(\) first"),
        (nn.Identity(), np.full((2, 3), np.nan), "Input Z contains NaN"),
        (nn.Identity(), np.eye(2), "Z must have 3 columns.*got 2"),
    ],
)
def test_bad_decoding(decoder, Z, match):
    transformer = TorchEmbeddingTransformer(nn.Identity(), decoder=decoder)
    with pytest.raises(ValueError, match=match):
        transformer.fit(np.eye(3)).inverse_transform(Z)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_named(value):
    def decoder(z):
        z = z.clone()
        z[z[:, 0] == 7.0] = value
        return z

    Z = np.arange(10.0)[:, None]
    with pytest.raises(ValueError, match="nan or infinity for row 7 of Z"):
        decoding(decoder, batch_size=3).inverse_transform(Z)


def test_stated_range(rng):
    Z = rng.uniform(-1.0, 1.0, size=(9, 4))
    Z[5, 2] = 1.1
    ranged = decoding(nn.Identity(), decoder_range=(-1.0, 1.0), batch_size=4)
    with pytest.raises(ValueError, match=r"decoder_range=\(-1.0, 1.0\).* row 5 of Z"):
        ranged.inverse_transform(Z)
    assert ranged.inverse_transform(Z[:5]).dtype == np.float32


def test_images_of_bytes():
    Z = np.array([[-1.0, 1.0], [0.0, 0.5]])
    as_bytes = {"decoder_dtype": "uint8"}
    images = decoding(nn.Identity(), decoder_range=(-1, 1), **as_bytes)
    np.testing.assert_array_equal(images.inverse_transform(Z), [[0, 255], [128, 191]])
    already = decoding(lambda z: (10 * z + 20).to(torch.uint8), **as_bytes)
    found = already.inverse_transform(Z)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, [[10, 30], [20, 25]])
    with pytest.raises(ValueError, match="decoder_range must be given with"):
        decoding(nn.Identity(), **as_bytes).inverse_transform(Z)


@pytest.mark.parametrize("given", [(1.0, 0.0), (0.0,), (0.0, np.nan)])
def test_bad_range(given):
    with pytest.raises(ValueError, match="decoder_range must be None or two numbers"):
        decoding(nn.Identity(), decoder_range=given).inverse_transform(np.eye(2))


def test_images_of_two_shapes():
    def decoder(z):
        return z[:, : 2 if z[0, 0] > 0.0 else 1]

    Z = np.array([[1.0, 1.0]] * 2 + [[-1.0, 1.0]] * 2)
    with pytest.raises(ValueError, match=r"one shape.*row 0 of Z.*row 2"):
        decoding(decoder, batch_size=2).inverse_transform(Z)


def test_what_the_decoder_raises_says_where():
    with pytest.raises(RuntimeError) as caught:
        decoding(nn.Linear(3, 2), batch_size=2).inverse_transform(np.ones((3, 4)))
    assert caught.value.__notes__ == ["decoder was given rows of Z from 0 to 1."]


def test_a_whole_pipeline_inverts(rng):
    X = rng.normal(size=(50, 4)).astype(np.float32)
    scale = FunctionTransformer(lambda Z: 2.0 * Z, lambda Z: 0.5 * Z)
    embed = decoding(nn.Unflatten(1, (1, 2, 2)), normalize=False)
    pipeline = make_pipeline(embed, scale)
    images = pipeline.inverse_transform(pipeline.fit_transform(X))
    np.testing.assert_allclose(images, X.reshape(50, 1, 2, 2), rtol=1e-6)
