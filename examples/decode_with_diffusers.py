"""
Draw images of private synthetic embeddings
===========================================

What does a synthetic embedding look like? Images in a folder are embedded by a public
CLIP, a mixture is fitted to the labelled embeddings under differential privacy, new
embeddings are drawn from it, and a public unCLIP model draws an image of each.

This is a script for a machine that has the weights: nothing is downloaded without
``--download``. The images are in one subfolder for each class::

    python decode_with_diffusers.py photos --pipeline stable-unclip --epsilon 4

``--help`` shows the options. With a Kandinsky decoder, whose encoder is elsewhere::

    python decode_with_diffusers.py photos --pipeline kandinsky-2-2-decoder \\
        --encoder kandinsky-2-2-prior --encoder-parts image_encoder image_processor \\
        --public-images others

Encoder and pipeline must be public: never trained, fine-tuned or chosen on the private
images.
"""

# sphinx_gallery_thumbnail_path = "_static/method.svg"

# %%
# Options
# -------
# The names of the subfolders become the classes, and are public.

import argparse
import math
from pathlib import Path

parser = argparse.ArgumentParser(
    description="Draw images of private synthetic embeddings."
)
parser.add_argument("images", type=Path, help="folder of one subfolder per class")
parser.add_argument(
    "--pipeline",
    default="stabilityai/stable-diffusion-2-1-unclip-small",
    help="unCLIP pipeline, a folder or a name (default: %(default)s)",
)
parser.add_argument(
    "--encoder",
    help="CLIP that the pipeline was made for, a folder or a name (default: the one "
    "that the pipeline brings)",
)
parser.add_argument(
    "--encoder-parts",
    nargs=2,
    default=["", ""],
    metavar=("MODEL", "PROCESSOR"),
    help="subfolders of --encoder, if it has some",
)
parser.add_argument("--download", action="store_true", help="allow downloads")
parser.add_argument("--epsilon", type=float, default=1.0, help="privacy budget")
parser.add_argument("--delta", type=float, default=1e-5, help="privacy budget")
parser.add_argument(
    "--public-images",
    type=Path,
    help="folder of public images, in subfolders too, that help the fit for free and "
    "tell the scale of embeddings",
)
parser.add_argument(
    "--scale", type=float, help="norm of the embeddings that the pipeline takes"
)
parser.add_argument("--n-images", type=int, default=16, help="images of each class")
parser.add_argument("--steps", type=int, default=25, help="denoising steps")
parser.add_argument("--guidance", type=float, help="guidance scale")
parser.add_argument("--size", type=int, help="height and width of the images")
parser.add_argument("--seed", type=int, default=0, help="of the decoder's noise")
parser.add_argument("--batch-size", type=int, default=8, help="images at a time")
parser.add_argument("--device", help="cuda or cpu (default: cuda if there is one)")
parser.add_argument("--half", action="store_true", help="compute in float16")
parser.add_argument(
    "--output", type=Path, default=Path(), help="folder of the PNG (default: this one)"
)
args = parser.parse_args()

try:
    import diffusers
    import torch
    import transformers
    from PIL import Image
except ImportError as error:
    parser.exit(1, f"{error}. This example needs: pip install 'skdpgmm[diffusers]'\n")

import inspect

import numpy as np

from skdpgmm import DiffusersDecoder, DPEmbeddingSynthesizer, TorchEmbeddingTransformer


def find_images(folder):
    """Return the files of the images and the names of their subfolders."""
    known = Image.registered_extensions()
    files = [
        path for path in sorted(folder.glob("*/*")) if path.suffix.lower() in known
    ]
    if not files:
        parser.exit(1, f"{folder} has no subfolder with images in it.\n")
    return files, np.array([path.parent.name for path in files])


files, labels = find_images(args.images)
classes = np.unique(labels)

# %%
# Encoder and decoder
# -------------------


def load(kind, name, **options):
    """Load from a folder or from the cache; from elsewhere with --download only."""
    try:
        return kind.from_pretrained(name, local_files_only=not args.download, **options)
    except OSError as error:
        parser.exit(
            1,
            f"{name} cannot be loaded: it is neither a folder with all that a "
            f"{kind.__name__} needs, nor in the cache. --download allows to fetch it.\n"
            f"{error}\n",
        )


device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
dtype = torch.float16 if args.half else torch.float32
pipeline = load(diffusers.DiffusionPipeline, args.pipeline).to(device, dtype)
pipeline.set_progress_bar_config(disable=True)
if args.encoder:
    model_part, processor_part = args.encoder_parts
    encoder = load(
        transformers.CLIPVisionModelWithProjection, args.encoder, subfolder=model_part
    ).to(device, dtype)
    processor = load(
        transformers.CLIPImageProcessor, args.encoder, subfolder=processor_part
    )
else:
    encoder = getattr(pipeline, "image_encoder", None)
    processor = getattr(pipeline, "feature_extractor", None)
    if encoder is None or processor is None:
        parser.error(f"{args.pipeline} brings no encoder: give the one with --encoder")


def preprocess(images):
    """Turn images, which the transformer opens by their paths, into pixels."""
    images = [image.convert("RGB") for image in images]
    return {"pixel_values": processor(images, return_tensors="pt")["pixel_values"]}


embed = TorchEmbeddingTransformer(encoder, preprocess=preprocess, verbose=True)

# %%
# How long are the embeddings that the pipeline takes? Stable unCLIP knows; for the
# others, public images tell.
scale, Z_public = args.scale, None
if args.public_images:
    embed.set_params(normalize=False)
    Z_public = embed.transform(find_images(args.public_images)[0])
    norms = np.linalg.norm(Z_public, axis=1, keepdims=True)
    Z_public = Z_public / norms
    scale = scale or float(norms.mean())
    embed.set_params(normalize=True)
if scale is None:
    if not hasattr(pipeline, "image_normalizer"):
        parser.error(f"{args.pipeline} needs --scale or --public-images")
    scale = "auto"

# %%
# Pipelines differ in the names of their options.
takes = inspect.signature(pipeline).parameters
options = {
    "num_inference_steps": args.steps,
    "decoder_num_inference_steps": args.steps,
    "guidance_scale": args.guidance,
    "decoder_guidance_scale": args.guidance,
    "height": args.size,
    "width": args.size,
}
options = {k: v for k, v in options.items() if k in takes and v is not None}
if "negative_image_embeds" in takes:
    size = encoder.config.image_size
    with torch.inference_mode():
        no_image = torch.zeros(1, 3, size, size, device=device, dtype=dtype)
        options["negative_image_embeds"] = encoder(no_image).image_embeds
decoder = DiffusersDecoder(
    pipeline,
    scale=scale,
    call_kwargs=options,
    batch_size=args.batch_size,
    random_state=args.seed,
)
embed.set_params(decoder=decoder)

# %%
# Fit under differential privacy, then draw
# -----------------------------------------
# Only ``fit`` costs privacy. It gets no seed: whoever knows it can subtract the noise.
synthesizer = DPEmbeddingSynthesizer(
    epsilon=args.epsilon,
    delta=args.delta,
    clip_norm=1.0,
    classes=classes,
    X_public=Z_public,
)
synthesizer.fit(embed.fit_transform(files), labels)
print(synthesizer.privacy_)


def grid(images):
    """Return images side by side, as one."""
    n, _, height, width = images.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    sheet = np.ones((rows * columns, 3, height, width), dtype=images.dtype)
    sheet[:n] = images
    sheet = sheet.reshape(rows, columns, 3, height, width).transpose(0, 3, 1, 4, 2)
    sheet = sheet.reshape(rows * height, columns * width, 3)
    return Image.fromarray((255 * sheet).round().astype(np.uint8))


args.output.mkdir(parents=True, exist_ok=True)
for name in classes:
    Z, _ = synthesizer.sample(args.n_images, y=name)
    path = args.output / f"decoded_{name}.png"
    grid(embed.inverse_transform(Z)).save(path)
    print(path)
