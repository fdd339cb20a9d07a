"""Images by the name of a model: what transformers gives, as rows."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")

import tiny_models  # noqa: E402

from skdpgmm import ImageEncoder  # noqa: E402

PIXELS = np.random.default_rng(0).integers(256, size=(5, 20, 24, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.image_model(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of images in folders of classes, and a file that is none."""
    root = tmp_path_factory.mktemp("pictures")
    for i, pixels in enumerate(PIXELS):
        (root / f"class{i // 3}").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(root / f"class{i // 3}/{i}.png")
    (root / "labels.csv").write_text("0,1")
    return root


def by_hand(folder, pixels, method=None):
    model = transformers.AutoModel.from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    images = [Image.fromarray(one) for one in pixels]
    inputs = processor(images=images, return_tensors="pt")
    with torch.inference_mode():
        if method is None:
            return model(**inputs).last_hidden_state.mean(dim=1).numpy()
        found = getattr(model, method)(**inputs)
    return getattr(found, "pooler_output", found).numpy()  # a tensor before 5.0


@pytest.mark.parametrize("kind", ["pil", "array", "paths", "strings", "folder", "name"])
def test_rows_of_images_of_every_kind(folder, pictures, kind):
    paths = sorted(pictures.glob("*/*.png"))
    X = {
        "pil": [Image.fromarray(pixels) for pixels in PIXELS],
        "array": PIXELS,
        "paths": paths,
        "strings": [str(path) for path in paths],
        "folder": pictures,
        "name": str(pictures),
    }[kind]
    embed = ImageEncoder(folder, normalize=False, batch_size=2)
    assert_allclose(embed.fit_transform(X), by_hand(folder, PIXELS), atol=1e-5)


def test_gray_images_become_rgb(folder):
    gray = PIXELS[..., 0]
    expected = by_hand(folder, np.repeat(gray[..., None], 3, axis=-1))
    pictures = [Image.fromarray(one) for one in gray]
    for X in (gray, pictures):
        Z = ImageEncoder(folder, normalize=False).transform(X)
        assert_allclose(Z, expected, atol=1e-5)


def test_models_of_texts_and_images(tmp_path):
    folder = tiny_models.clip_model(tmp_path / "clip")
    Z = ImageEncoder(folder, normalize=False).transform(PIXELS)
    expected = by_hand(folder, PIXELS, "get_image_features")
    assert_allclose(Z, expected, atol=1e-5)


def test_bad_input(folder, tmp_path):
    embed = ImageEncoder(folder)
    with pytest.raises(ValueError, match=r"must be a folder with images .*without"):
        embed.transform(tmp_path)
    with pytest.raises(TypeError, match="that of a folder of images"):
        embed.transform(tmp_path / "one.png")
    with pytest.raises(TypeError, match="single Image"):
        embed.transform(Image.fromarray(PIXELS[0]))
    for X in (PIXELS / 255.0, PIXELS.transpose(0, 3, 1, 2)):
        with pytest.raises(ValueError, match="arrays of uint8 of shape"):
            embed.transform(X)
    with pytest.raises(ValueError, match="Item 0 of X cannot be read"):
        embed.transform(["a text and no path"])
    with pytest.raises(ValueError, match="'pooling' parameter"):
        ImageEncoder(folder, pooling="auto").transform(PIXELS)


def test_without_transformers_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"ImageEncoder needs transformers: pip"):
        ImageEncoder(folder).transform(PIXELS)


@pytest.mark.parametrize("method", ["fit", "transform"])
def test_paths_that_come_once_are_refused_before_they_are_read(pictures, method):
    paths = pictures.glob("*/*.png")
    with pytest.raises(TypeError, match=r"is an iterator .*give a list"):
        getattr(ImageEncoder("unknown"), method)(paths)
    assert len(list(paths)) == len(PIXELS)
