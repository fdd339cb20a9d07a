"""Randomly initialised pipelines of diffusers, small enough to run in tests."""

import logging

import pytest
import torch
import torchvision_beside_cpu  # noqa: F401  (before diffusers, which imports it)
from tiny_clip import text_config, tokenizer, vision_config

diffusers = pytest.importorskip("diffusers")
transformers = pytest.importorskip("transformers")

from diffusers.pipelines.stable_diffusion import (  # noqa: E402
    StableUnCLIPImageNormalizer,
)

try:
    from diffusers.pipelines.unclip import UnCLIPTextProjModel
except ImportError:  # put aside in later releases, with its pipeline
    from diffusers.pipelines.deprecated.unclip import UnCLIPTextProjModel

WIDTH = 12
SIZE = 16  # of images, in pixels
RESNET_UNET = {
    "block_out_channels": (8, 8),
    "norm_num_groups": 4,
    "layers_per_block": 1,
    "resnet_time_scale_shift": "scale_shift",
}
CROSS_ATTENTION_UNET = {
    **RESNET_UNET,
    "down_block_types": ("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
    "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
    "up_block_types": ("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
    "cross_attention_dim": 8,
    "attention_head_dim": 4,
}


def image_processor():
    return transformers.CLIPImageProcessor(crop_size=SIZE, size=SIZE)


def image_encoder():
    config = transformers.CLIPVisionConfig(**vision_config(WIDTH, SIZE))
    return transformers.CLIPVisionModelWithProjection(config).eval()


def autoencoder():
    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        norm_num_groups=4,
    )


def stable_unclip(folder):
    normalizer = StableUnCLIPImageNormalizer(WIDTH)
    torch.nn.init.normal_(normalizer.mean)
    torch.nn.init.uniform_(normalizer.std, 1, 2)
    unet = diffusers.UNet2DConditionModel(
        sample_size=SIZE // 2,
        block_out_channels=(8, 8),
        norm_num_groups=4,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=2,
        cross_attention_dim=WIDTH,
        class_embed_type="projection",
        # Of the embedding, and of as many numbers for how noisy it is.
        projection_class_embeddings_input_dim=2 * WIDTH,
    )
    return diffusers.StableUnCLIPImg2ImgPipeline(
        feature_extractor=image_processor(),
        image_encoder=image_encoder(),
        image_normalizer=normalizer,
        image_noising_scheduler=diffusers.DDPMScheduler(
            beta_schedule="squaredcos_cap_v2"
        ),
        tokenizer=tokenizer(folder),
        text_encoder=transformers.CLIPTextModel(
            transformers.CLIPTextConfig(**text_config(WIDTH))
        ),
        unet=unet,
        scheduler=diffusers.DDIMScheduler(set_alpha_to_one=False, steps_offset=1),
        vae=autoencoder(),
    )


def unclip(folder):
    def super_resolution():
        return diffusers.UNet2DModel(
            **RESNET_UNET,
            sample_size=SIZE,
            in_channels=6,
            down_block_types=("ResnetDownsampleBlock2D",) * 2,
            up_block_types=("ResnetUpsampleBlock2D",) * 2,
        )

    logger = logging.getLogger("diffusers.pipelines.pipeline_utils")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        return diffusers.UnCLIPImageVariationPipeline(
            decoder=diffusers.UNet2DConditionModel(
                **CROSS_ATTENTION_UNET,
                sample_size=SIZE // 2,
                in_channels=3,
                out_channels=6,
                class_embed_type="identity",
            ),
            text_encoder=transformers.CLIPTextModelWithProjection(
                transformers.CLIPTextConfig(**text_config(WIDTH))
            ),
            tokenizer=tokenizer(folder),
            text_proj=UnCLIPTextProjModel(
                clip_embeddings_dim=WIDTH,
                time_embed_dim=32,
                cross_attention_dim=8,
            ),
            feature_extractor=image_processor(),
            image_encoder=image_encoder(),
            super_res_first=super_resolution(),
            super_res_last=super_resolution(),
            decoder_scheduler=diffusers.UnCLIPScheduler(variance_type="learned_range"),
            super_res_scheduler=diffusers.UnCLIPScheduler(),
        )
    finally:
        logger.setLevel(level)


def kandinsky(folder):
    unet = diffusers.UNet2DConditionModel(
        **CROSS_ATTENTION_UNET,
        in_channels=4,
        out_channels=8,
        addition_embed_type="image",
        encoder_hid_dim=WIDTH,
        encoder_hid_dim_type="image_proj",
    )
    movq = diffusers.VQModel(
        block_out_channels=(
            32,
            32,
        ),  # as the normalization of its decoder has 32 groups
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        vq_embed_dim=4,
        num_vq_embeddings=4,
        norm_num_groups=4,
        norm_type="spatial",
    )
    return diffusers.KandinskyV22Pipeline(
        unet=unet, scheduler=diffusers.DDPMScheduler(), movq=movq
    )
