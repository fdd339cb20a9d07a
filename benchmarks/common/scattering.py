"""Scattering features: an encoder that has learnt nothing, from the package kymatio.

Wavelets of two scales, the moduli of what they find, and averages over cells of 4 by 4
pixels [1]_: 81 channels, of which groups of three are normalised within each image
[2]_. All of it is a function of one image, and no images are needed to make it.

References
----------
.. [1] E. Oyallon and S. Mallat, "Deep roto-translation scattering for object
   classification", CVPR, 2015.
.. [2] F. Tramer and D. Boneh, "Differentially private learning needs better features
   (or much more data)", ICLR, 2021.
"""

import time
from functools import partial

import scipy.special

from benchmarks.common.embeddings import cached
from skdpgmm import TorchEmbeddingTransformer

N_SCALES, N_GROUPS, BATCH = 2, 27, 50
N_TIMED = 500
# Cells a side of images of three colours: with all of them, they have 15,552 numbers.
COLOUR_CELLS = 4


def scattering(shape):
    """Return a module from images, (n, height, width) or (n, height, width, 3).

    They hold 0 to 255. Grey images of 28 pixels have 81 channels of 7 by 7 cells, and
    coloured ones of 32 pixels 243 channels, whose 8 by 8 cells are averaged to 4 by 4.
    """
    if not hasattr(scipy.special, "sph_harm"):
        # kymatio asks for it where it is imported; no image does.
        scipy.special.sph_harm = None
    from kymatio.torch import Scattering2D
    from torch import nn
    from torch.nn.functional import adaptive_avg_pool2d, group_norm

    class Scattering(nn.Module):
        def __init__(self):
            super().__init__()
            self.moduli = Scattering2D(N_SCALES, shape[:2])

        def forward(self, images):
            x = images.float() / 255
            if x.ndim == 4:
                x = x.permute(0, 3, 1, 2)
            found = self.moduli(x.contiguous())
            if x.ndim == 4:
                found = group_norm(found.flatten(1, 2), N_GROUPS)
                found = adaptive_avg_pool2d(found, COLOUR_CELLS)
            else:
                found = group_norm(found, N_GROUPS)
            return found.flatten(1)

    return Scattering()


def _embedder(images):
    return TorchEmbeddingTransformer(scattering(images.shape[1:]), batch_size=BATCH)


def embed_by_scattering(images, cache=None):
    """Embed images of 0 to 255, grey or of three colours."""
    compute = partial(_embedder(images).fit_transform, images)
    return cached(f"scattering-{N_SCALES}", images, cache, compute)


def seconds_per_image(images):
    """Return how long an image takes, of some hundreds."""
    embedder, few = _embedder(images), images[:N_TIMED]
    start = time.perf_counter()
    embedder.fit_transform(few)
    return (time.perf_counter() - start) / len(few)
