"""Embed images with a pretrained model, by its name."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skdpgmm._embedding.images import is_image
from skdpgmm._embedding.pretrained import (
    POOLING,
    Features,
    PretrainedEncoder,
    loaded_model,
    name_of,
    transformers_for,
)


class ImageEncoder(PretrainedEncoder):
    """Embed images with a public, pretrained model, by its name.

    The model is loaded with transformers when it is first needed, and stays in memory
    for other encoders of its name. Models of timm are loaded the same way.

    Parameters
    ----------
    model : str or path-like
        A local folder, or a name on the hub of Hugging Face, from where it is
        downloaded then, such as "facebook/dinov2-small" or "timm/resnet18.a1_in1k",
        which needs timm. **It must be public**: never trained, fine-tuned or chosen on
        the private images.
    pooling : {"mean", "max", "cls"}, default="mean"
        How the outputs for the parts of an image become one vector: their mean or
        maximum, or that of the first token. Models of texts and images together have
        embeddings of their own, which are taken whatever it is.
    normalize : bool, default=True
        Whether to divide each row by its l2 norm, so that ``clip_norm=1.0`` bounds it
        without loss.
    batch_size : int, default=32
        Number of images per batch, at least 1.
    num_workers : int, default=0
        Processes that read and resize the next images, at least 0.
    device : str or torch.device, default="auto"
        Where to compute: "auto" is the GPU where there is one, and the CPU elsewhere.
    autocast : {"float16", "bfloat16"}, default=None
        Type in which ``torch.autocast`` computes what can bear it.
    verbose : bool, default=False
        Whether to show a progress bar on stderr. No images are shown.

    Raises
    ------
    ImportError
        If transformers is not installed.
    TypeError
        If X is a single image, or has items that are no images.
    ValueError
        If X is empty, an image cannot be read, or the model cannot be used.

    See Also
    --------
    TextEncoder : The same for texts.
    TorchEmbeddingTransformer : For a module that is loaded already.

    Notes
    -----
    **Privacy.** It adds no noise and releases nothing: its output is as private as its
    input. The guarantee of an estimator that is fitted on the embeddings holds for the
    images behind them if the model is public and treats each image alone, which is
    tested on the first batch of each call, as by `TorchEmbeddingTransformer`.

    `transform` takes what that one takes, and strings as paths: PIL images, paths such
    as those of ``glob``, a folder, whose images come in the order of their paths, and
    arrays of bytes of shape (n, height, width) or (n, height, width, 3). All become
    RGB, and are resized as the model asks.

    References
    ----------
    .. [1] `Oquab et al. (2024). "DINOv2: Learning Robust Visual Features without
       Supervision". TMLR. <https://arxiv.org/abs/2304.07193>`_

    Examples
    --------
    >>> from skdpgmm import DPEmbeddingSynthesizer, ImageEncoder
    >>> embed = ImageEncoder("facebook/dinov2-small")
    >>> Z = embed.transform("folder/of/images")  # doctest: +SKIP
    >>> synthesizer = DPEmbeddingSynthesizer(clip_norm=1.0)
    >>> synthesizer.fit(Z, labels)  # doctest: +SKIP
    """

    _parameter_constraints: dict = {
        **PretrainedEncoder._parameter_constraints,
        "pooling": [POOLING],
    }

    def __init__(
        self,
        model: str | PathLike,
        *,
        pooling: str = "mean",
        normalize: bool = True,
        batch_size: int = 32,
        num_workers: int = 0,
        device: str | torch.device = "auto",
        autocast: str | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.model = model
        self.pooling = pooling
        self.normalize = normalize
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.device = device
        self.autocast = autocast
        self.verbose = verbose

    def _parts(self):
        transformers_for("ImageEncoder")
        name = name_of(self.model)
        module = loaded_model(name, "get_image_features")
        preprocess = Pixels(loaded_processor(name))
        pooling = None if isinstance(module, Features) else self.pooling
        return module, preprocess, pooling

    def _check_items(self, X, *, reset):
        if isinstance(X, str):
            X = Path(X)
        items = super()._check_items(X, reset=reset)
        if not isinstance(items, list):
            return items
        return [Path(item) if isinstance(item, str) else item for item in items]


class Pixels:
    """Turns images into what a model takes.

    Parameters
    ----------
    processor : callable
        Of transformers.
    """

    def __init__(self, processor):
        self.processor = processor

    def __call__(self, images):
        """Return the inputs of a model for a list or an array of images."""
        pictures = [_as_rgb(image) for image in images]
        found = self.processor(images=pictures, return_tensors="pt")
        return {"pixel_values": found["pixel_values"]}


def _as_rgb(image: Any) -> Any:
    from PIL import Image

    if is_image(image):
        return image.convert("RGB")
    if isinstance(image, PathLike):  # of a Dataset
        with Image.open(image) as opened:
            return opened.convert("RGB")
    pixels = np.asarray(image)
    gray = pixels.ndim == 2
    if pixels.dtype != np.uint8 or not (
        gray or (pixels.ndim == 3 and pixels.shape[2] == 3)
    ):
        raise TypeError(
            "X must hold images: of PIL, paths, or arrays of uint8 of shape (height, "
            f"width) or (height, width, 3), got {type(image).__name__} of "
            f"{pixels.dtype} and shape {pixels.shape}."
        )
    return Image.fromarray(pixels).convert("RGB")


@lru_cache(maxsize=2)
def loaded_processor(name: str) -> Any:
    """Return what makes the inputs of a model of images."""
    from transformers import AutoImageProcessor

    return AutoImageProcessor.from_pretrained(name)
