"""Images from embeddings, by a pretrained pipeline of diffusers."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch

# Names under which the pipelines of diffusers take image embeddings.
_EMBEDDINGS = ("image_embeds", "image_embeddings")
# Arguments of which one value is used for all rows.
_PROMPTS = ("prompt", "negative_prompt")
_NEGATIVE = "negative_image_embeds"
# Arguments that decide how many images there are, or that belong to single rows.
_OURS = (
    *_EMBEDDINGS,
    "image",
    "generator",
    "latents",
    "decoder_latents",
    "super_res_latents",
    "prompt_embeds",
    "negative_prompt_embeds",
    "num_images_per_prompt",
    "output_type",
    "return_dict",
)


class DiffusersDecoder:
    """Turn image embeddings into images by a pipeline of diffusers.

    An unCLIP model draws the image that an embedding of CLIP belongs to. This adapter
    makes such a pipeline the `decoder` of `TorchEmbeddingTransformer`, whose
    `inverse_transform` then gives images of synthetic embeddings.

    Parameters
    ----------
    pipeline : DiffusionPipeline
        A loaded pipeline of diffusers whose call takes ``image_embeds`` or
        ``image_embeddings``, one vector per image, and needs nothing else but a prompt:
        `StableUnCLIPImg2ImgPipeline`, `UnCLIPImageVariationPipeline` or
        `KandinskyV22Pipeline`. It must have been made for the encoder that gave the
        embeddings.
    scale : float or "auto", default="auto"
        What embeddings are multiplied by, positive. The embeddings of this package
        have norm 1 by default, while pipelines take the outputs of the encoder as they
        are: give the norm that these have, on public images. "auto" is the root mean
        square of that norm, which Stable unCLIP keeps in its `image_normalizer`; other
        pipelines do not know it. With 1.0, embeddings are taken as they are.
    call_kwargs : dict, default=None
        Further keyword arguments of each call of `pipeline`, such as
        ``{"num_inference_steps": 20, "guidance_scale": 10.0}``. A `prompt` or
        `negative_prompt` is one string for all images; it is empty by default.
        ``negative_image_embeds`` of the Kandinsky pipelines, which guidance leads away
        from, is one vector in the units of the encoder: zeros by default, and better
        what the encoder gives for preprocessed pixels that are all zero.
    batch_size : int, default=8
        Number of images that the pipeline makes at a time, at least 1.
    random_state : int, default=0
        Seed of the noise that images are made from, at least 0. The noise of an image
        depends on this seed and on its embedding, and on nothing else. The same
        embedding gives the same image in whatever batch and order, as far as the sums
        of floating point numbers allow; other embeddings get other noise.

    Raises
    ------
    TypeError
        If a parameter is of the wrong type; for a call, if what is to be decoded is
        not a tensor of floating point numbers.
    ValueError
        If `pipeline` takes no image embeddings or needs more than these; if a parameter
        is out of its range or cannot be had by "auto"; for a call, if the embeddings
        are not finite or not as wide as those that the pipeline was made for, or if
        the pipeline does not return one image of finite numbers for each.

    See Also
    --------
    TorchEmbeddingTransformer : Takes it as its `decoder`.
    DPEmbeddingSynthesizer : Draws the embeddings to be decoded.

    Notes
    -----
    **Privacy.** The decoder must be public: never trained, fine-tuned or chosen on the
    private records, nor must prompts be. Then decoding synthetic embeddings is
    post-processing and costs nothing, and the images are as private as the embeddings.
    The seed hides nothing and may be published. Images of embeddings *of* private
    records are as private as these records.

    What an image shows beyond its embedding, such as a face or writing, comes from what
    the decoder has learned in public, not from the private records.

    The pipeline decides where it computes and in what precision; move it, or enable its
    offloading, before. In half precision some autoencoders overflow, and the images are
    nan: load these in float32. ``pipeline.set_progress_bar_config(disable=True)``
    silences its progress bars.

    References
    ----------
    .. [1] A. Ramesh, P. Dhariwal, A. Nichol, C. Chu, M. Chen, "Hierarchical
       Text-Conditional Image Generation with CLIP Latents", 2022, arXiv:2204.06125.

    Examples
    --------
    >>> from diffusers import StableUnCLIPImg2ImgPipeline  # doctest: +SKIP
    >>> from skdpgmm import DiffusersDecoder, TorchEmbeddingTransformer
    >>> pipeline = StableUnCLIPImg2ImgPipeline.from_pretrained(folder)  # doctest: +SKIP
    >>> embed = TorchEmbeddingTransformer(
    ...     pipeline.image_encoder,
    ...     preprocess=lambda images: pipeline.feature_extractor(
    ...         images, return_tensors="pt"
    ...     ),
    ...     decoder=DiffusersDecoder(pipeline, call_kwargs={"num_inference_steps": 20}),
    ... )  # doctest: +SKIP
    >>> images = embed.inverse_transform(Z_synthetic)  # doctest: +SKIP
    """

    def __init__(
        self,
        pipeline,
        *,
        scale="auto",
        call_kwargs=None,
        batch_size=8,
        random_state=0,
    ):
        self._takes = _argument_names(pipeline)
        self._factor = _checked_scale(scale, pipeline)
        _check_call_kwargs(call_kwargs, self._takes)
        _check_integer("batch_size", batch_size, 1)
        _check_integer("random_state", random_state, 0)
        self.pipeline = pipeline
        self.scale = scale
        self.call_kwargs = call_kwargs
        self.batch_size = batch_size
        self.random_state = random_state

    def __call__(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Return images in [0, 1], float32 of shape (n, 3, height, width)."""
        _check_embeddings(embeddings, _width(self.pipeline))
        # A pipeline keeps tensors between its calls, and tensors made in inference
        # mode would stay in it, of no use for anything else.
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            _in_evaluation_mode(self.pipeline),
        ):
            rows = embeddings.detach().to("cpu", torch.float32, copy=True)
            images = [self._decode(batch) for batch in rows.split(self.batch_size)]
            return torch.cat(images).to(embeddings.device)

    def _decode(self, rows: torch.Tensor) -> torch.Tensor:
        pipeline, n_rows = self.pipeline, len(rows)
        kind = {
            "device": getattr(pipeline, "_execution_device", pipeline.device),
            "dtype": pipeline.dtype,
        }
        name = next(name for name in _EMBEDDINGS if name in self._takes)
        arguments = {
            **(self.call_kwargs or {}),
            name: (rows * self._factor).to(**kind),
            "generator": [_generator(row, self.random_state) for row in rows],
            "output_type": "np",
        }
        # One prompt for each row, even an empty one: Stable unCLIP counts prompts, not
        # embeddings, to know how many images are wanted.
        if "prompt" in self._takes:
            arguments["prompt"] = arguments.get("prompt") or ""
        for prompt in _PROMPTS:
            if isinstance(arguments.get(prompt), str):
                arguments[prompt] = [arguments[prompt]] * n_rows
        if _NEGATIVE in self._takes:
            negative = _checked_negative(arguments.get(_NEGATIVE), rows.shape[1])
            arguments[_NEGATIVE] = negative.to(**kind).repeat(n_rows, 1)
        return _checked_images(pipeline(**arguments), n_rows)


def _argument_names(pipeline: Any) -> list[str]:
    """Return what can be given to a pipeline that needs image embeddings only."""
    if isinstance(pipeline, type) or not callable(pipeline):
        got = (
            f"the class {pipeline.__name__}"
            if isinstance(pipeline, type)
            else f"{type(pipeline).__name__}"
        )
        raise TypeError(
            "pipeline must be a loaded pipeline of diffusers (pip install "
            "'skdpgmm[diffusers]'), such as "
            f"StableUnCLIPImg2ImgPipeline.from_pretrained(folder); got {got}."
        )
    parameters = {
        name: parameter.default
        for name, parameter in inspect.signature(pipeline).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    given = (*_EMBEDDINGS, "prompt", _NEGATIVE)
    if not any(name in parameters for name in _EMBEDDINGS):
        found = "takes neither"
    else:
        needs = [
            name for name, at in parameters.items() if at is inspect.Parameter.empty
        ]
        more = [name for name in needs if name not in given]
        if not more:
            return list(parameters)
        found = f"also needs {', '.join(more)}"
    raise ValueError(
        "pipeline must take image_embeds or image_embeddings and need nothing else but "
        "a prompt, as StableUnCLIPImg2ImgPipeline, UnCLIPImageVariationPipeline and "
        f"KandinskyV22Pipeline do; got {type(pipeline).__name__}, which {found}."
    )


def _checked_scale(scale: Any, pipeline: Any) -> float:
    """Return the factor of embeddings."""
    if isinstance(scale, str) and scale == "auto":
        normalizer = getattr(pipeline, "image_normalizer", None)
        if normalizer is None:
            raise ValueError(
                f"scale='auto' needs a pipeline that has an image_normalizer, which "
                f"{type(pipeline).__name__} has not. Give the mean norm of the outputs "
                "of its encoder for public images, or 1.0 to decode embeddings as they "
                "are."
            )
        moments = [normalizer.mean.detach(), normalizer.std.detach()]
        return float(sum(moment.double().square().sum() for moment in moments) ** 0.5)
    if isinstance(scale, bool) or not isinstance(scale, Real):
        raise TypeError(
            f"scale must be a positive number or 'auto', got {scale!r} of type "
            f"{type(scale).__name__}."
        )
    if not 0 < float(scale) < np.inf:
        raise ValueError(
            f"scale must be a positive finite number or 'auto', got {scale}."
        )
    return float(scale)


def _check_call_kwargs(call_kwargs: Any, names: list[str]) -> None:
    if call_kwargs is None:
        return
    if not isinstance(call_kwargs, Mapping):
        raise TypeError(
            "call_kwargs must be a dict of keyword arguments of the pipeline, got "
            f"{type(call_kwargs).__name__}."
        )
    legal = [name for name in names if name not in _OURS]
    illegal = [name for name in call_kwargs if name not in legal]
    if illegal:
        raise ValueError(
            f"call_kwargs must have keys among {legal}, got {illegal}. What belongs to "
            "single images, and how many there are, is set by DiffusersDecoder."
        )
    for name in _PROMPTS:
        if not isinstance(call_kwargs.get(name), str | None):
            raise TypeError(
                f"call_kwargs[{name!r}] must be one string for all images, got "
                f"{type(call_kwargs[name]).__name__}."
            )


def _check_integer(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(
            f"{name} must be an int of at least {least}, got {value!r} of type "
            f"{type(value).__name__}."
        )
    if int(value) < least:
        raise ValueError(f"{name} must be an int of at least {least}, got {value}.")


def _width(pipeline: Any) -> int | None:
    """Return the number of features of the embeddings that a pipeline is made for."""
    for part, option in (
        ("image_normalizer", "embedding_dim"),  # Stable unCLIP
        ("text_proj", "clip_embeddings_dim"),  # unCLIP
        ("unet", "encoder_hid_dim"),  # Kandinsky 2.2
    ):
        config = getattr(getattr(pipeline, part, None), "config", None)
        width = getattr(config, option, None)
        if width is not None:
            return int(width)
    return None


def _check_embeddings(embeddings: Any, width: int | None) -> None:
    if not isinstance(embeddings, torch.Tensor) or not embeddings.is_floating_point():
        got = getattr(embeddings, "dtype", type(embeddings).__name__)
        raise TypeError(
            f"embeddings must be a tensor of floating point numbers, got {got}."
        )
    if embeddings.ndim != 2 or len(embeddings) == 0:
        raise ValueError(
            "embeddings must have shape (n, d) with at least one row, got "
            f"{tuple(embeddings.shape)}."
        )
    if width is not None and embeddings.shape[1] != width:
        raise ValueError(
            f"embeddings must have {width} columns, as the outputs of the encoder that "
            f"pipeline was made for; got {embeddings.shape[1]}."
        )
    if not torch.isfinite(embeddings).all():
        raise ValueError("embeddings must be finite, got nan or infinity.")


def _checked_negative(negative: Any, width: int) -> torch.Tensor:
    """Return the one row that guidance leads away from."""
    if negative is None:
        return torch.zeros(1, width)
    row = torch.as_tensor(negative).detach()
    if row.numel() != width or row.ndim > 2:
        raise ValueError(
            f"call_kwargs[{_NEGATIVE!r}] must be one vector as long as an embedding, "
            f"{width}; got shape {tuple(row.shape)}."
        )
    return row.reshape(1, width)


def _generator(row: torch.Tensor, random_state: int) -> torch.Generator:
    """Return a source of noise that depends on the seed and on this row only."""
    # On the CPU, whose random numbers are the same wherever the pipeline computes.
    numbers = row.numpy().astype("<f4").tobytes()
    digest = hashlib.blake2b(f"{random_state}:".encode() + numbers, digest_size=8)
    return torch.Generator().manual_seed(int.from_bytes(digest.digest(), "little"))


@contextmanager
def _in_evaluation_mode(pipeline: Any) -> Iterator[None]:
    """Switch off dropout in all components, and leave them as they were."""
    training = [
        part
        for component in getattr(pipeline, "components", {}).values()
        if isinstance(component, torch.nn.Module)
        for part in component.modules()
        if part.training
    ]
    try:
        for part in training:
            part.training = False
        yield
    finally:
        for part in training:
            part.training = True


def _checked_images(output: Any, n_rows: int) -> torch.Tensor:
    """Return what a pipeline gave as a float32 tensor with the channels first."""
    images = getattr(output, "images", None)
    if not isinstance(images, np.ndarray) or images.ndim != 4 or images.shape[3] != 3:
        got = (
            f"images of shape {images.shape}"
            if isinstance(images, np.ndarray)
            else type(output if images is None else images).__name__
        )
        raise ValueError(
            "pipeline must return RGB images, an array of shape (n, height, width, 3) "
            f"as the `images` of its output, for output_type='np'; got {got}."
        )
    if len(images) != n_rows:
        raise ValueError(
            f"pipeline must return one image per embedding, here {n_rows}; got "
            f"{len(images)}."
        )
    if not np.isfinite(images).all():
        raise ValueError(
            "pipeline must return finite numbers, got nan or infinity. Load it, or its "
            "autoencoder, in float32: in half precision some overflow."
        )
    if images.min() < 0 or images.max() > 1:
        raise ValueError(
            "pipeline must return numbers between 0 and 1, got some from "
            f"{images.min():g} to {images.max():g}."
        )
    channels_first = images.astype(np.float32).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(channels_first))
