"""Images by their slow waves: an encoder and a decoder that have learnt nothing.

The cosine transform of an image, without what is finer than some pixels, is a linear
function of it, and its inverse is a decoder. Few waves describe images of clothes and
digits, and few features need little noise.
"""

import numpy as np
import torch
from scipy.fft import dct
from torch import nn

from skdpgmm import TorchEmbeddingTransformer

# Of two waves of pixels, one is kept: half as many a side.
SHARE = 2


def _waves(side):
    """Return the slow half of the orthonormal waves of a side, one in each row."""
    waves = dct(np.eye(side), axis=0, norm="ortho")[: side // SHARE]
    return torch.from_numpy(waves.astype(np.float32))


class Cosines(nn.Module):
    """Images of 0 to 255, (n, h, w) or (n, h, w, 3), to numbers (n, d)."""

    def __init__(self, shape):
        super().__init__()
        self.rows, self.columns = (_waves(side) for side in shape[:2])

    def forward(self, images):
        x = images.float() / 255
        x = x[..., None] if x.ndim == 3 else x
        return torch.einsum("ph,qw,nhwc->npqc", self.rows, self.columns, x).flatten(1)


class FromCosines(nn.Module):
    """Numbers (n, d) to images, shaped as they were, of 0 to 1: cut where beyond."""

    def __init__(self, shape):
        super().__init__()
        self.rows, self.columns = (_waves(side) for side in shape[:2])
        self.shape = shape

    def forward(self, rows):
        waves = rows.float().reshape(len(rows), len(self.rows), len(self.columns), -1)
        images = torch.einsum("ph,qw,npqc->nhwc", self.rows, self.columns, waves)
        return images.clamp(0.0, 1.0).reshape(-1, *self.shape)


def cosine_embedder(shape):
    """Return the transformer from images of this shape to waves, and back."""
    return TorchEmbeddingTransformer(
        Cosines(shape),
        decoder=FromCosines(shape),
        decoder_range=(0, 1),
        decoder_dtype="uint8",
        normalize=False,
        device="cpu",
    )
