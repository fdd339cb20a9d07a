"""The decoder of the example that draws images."""

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from examples._shared.image_decoder import train_decoder
from skdpgmm import DPEmbeddingSynthesizer, TorchEmbeddingTransformer


@pytest.fixture(scope="module")
def trained():
    """Images of bars, a linear encoder, a projection and a decoder."""
    rng = np.random.default_rng(0)
    n = 512
    images = rng.integers(0, 40, (n, 28, 28))
    labels = rng.integers(2, size=n)
    images[labels == 0, 4:10] += 180  # a bar above, or one on the left
    images[labels == 1, :, 4:10] += 180
    images = images.astype(np.uint8)
    encoder = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(784, 40, dtype=torch.float32)
    )
    generator = torch.Generator().manual_seed(0)
    torch.nn.init.normal_(encoder[1].weight, std=0.1, generator=generator)
    torch.nn.init.zeros_(encoder[1].bias)

    def as_float(batch):
        return batch.astype(np.float32) / 255

    embed = TorchEmbeddingTransformer(encoder, preprocess=as_float)
    E = embed.fit_transform(images)
    projection, decoder = train_decoder(E, images, n_features=4, n_epochs=(15, 15))
    embed.set_params(decoder=decoder, decoder_range=(0, 1), decoder_dtype="uint8")
    return images, labels, embed, projection, decoder


def test_an_image_depends_on_its_embedding_alone(trained):
    images, _, embed, _, decoder = trained
    E = torch.from_numpy(embed.transform(images[:32]))
    together = decoder(E)
    alone = torch.cat([decoder(row[None]) for row in E])
    assert together.shape == (32, 28, 28)
    assert together.min() >= 0
    assert together.max() <= 1
    assert torch.allclose(together, alone, atol=1e-3)


def test_the_projection_keeps_what_the_decoder_sees(trained):
    images, _, embed, projection, decoder = trained
    E = embed.transform(images[:64])
    back = projection.inverse_transform(projection.transform(E)).astype(np.float32)
    seen, seen_back = (decoder.features(torch.from_numpy(rows)) for rows in (E, back))
    assert torch.allclose(seen, seen_back, atol=1e-4)


def test_a_pipeline_draws_images_of_the_class_asked_for(trained):
    images, labels, embed, projection, _ = trained
    pipeline = make_pipeline(
        embed,
        FrozenEstimator(projection),
        DPEmbeddingSynthesizer(epsilon=1e6, label_model=False, random_state=0),
    ).fit(images, labels)
    above, left = np.s_[:, 4:10, 12:], np.s_[:, 12:, 4:10]
    for label, bright, dark in ((0, above, left), (1, left, above)):
        Z, _ = pipeline[-1].sample(50, y=[label] * 50, random_state=0)
        drawn = pipeline[:-1].inverse_transform(Z)
        assert drawn.dtype == np.uint8
        assert drawn[bright].mean() > 2 * drawn[dark].mean()
