"""Rows of `embed` are those of the transformer, and no record is in what it says."""

import numpy as np
import pytest
import torch
from PIL import Image

from skdpgmm import ImageEncoder, TextEncoder, TorchEmbeddingTransformer
from skdpgmm._cli.items import Pixels


class Encoder(torch.nn.Module):
    """Means of rows of pixels."""

    def forward(self, x):
        return x.flatten(1)[:, ::7]


def lengths(texts):
    """Numbers of texts."""
    return torch.tensor([[len(one), one.count("a") + 1.0] for one in texts])


encoder, as_it_is = Encoder(), torch.nn.Identity()


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(12):
        path = tmp_path / "images" / f"kind{i % 2}" / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(path)
    return tmp_path / "images"


@pytest.fixture
def here(monkeypatch):
    """The name of this module, as an import path."""
    import sys

    monkeypatch.setitem(sys.modules, "encoders_of_tests", sys.modules[__name__])
    return "encoders_of_tests"


def test_images_become_rows(images, here, run, tmp_path):
    path = tmp_path / "rows.npz"
    args = ("embed", images, path, "--encoder", f"{here}:encoder", "--size", 8)
    found = run(*args, "--gray")
    assert found.code == 0, found.err
    assert "as private as what they were made of" in found.out
    # How many there are is private; the path may have a number of its own.
    assert "12" not in found.out.replace(str(path), "")
    paths = sorted(images.rglob("*.png"), key=lambda p: (p.parent.name, p.name))
    expected = TorchEmbeddingTransformer(encoder, preprocess=Pixels(8, True))
    with np.load(path) as file:
        assert np.array_equal(file["X"], expected.transform(paths))
        assert file["label"].tolist() == [p.parent.name for p in paths]
    told = run(*args, "--gray", "--force", "--json").json
    assert told == {"rows": str(path), "n_features": 10, "private": False}
    assert run(*args).code == 1


def test_texts_become_rows(here, run, tmp_path):
    source, path = tmp_path / "texts.csv", tmp_path / "rows.npz"
    source.write_text("text,kind,who\nbanana,x,1\nkiwi,y,2\npapaya,x,3\n")
    found = run(
        *("embed", source, path, "--encoder", f"{here}:as_it_is", "--text", "text"),
        *("--preprocess", f"{here}:lengths", "--label", "kind", "--person", "who"),
    )
    assert found.code == 0, found.err
    with np.load(path) as file:
        assert file["X"].shape == (3, 2)
        assert file["kind"].tolist() == ["x", "y", "x"]
        assert file["who"].tolist() == [1, 2, 3]


def test_a_folder_of_a_model_brings_its_own_preprocessing(images, run, tmp_path):
    pytest.importorskip("transformers")
    import tiny_models

    texts = ["a cat sat", "the dog ran on the mat", "a mat"]
    source, path = tmp_path / "texts.csv", tmp_path / "rows.npz"
    source.write_text("text\n" + "\n".join(texts) + "\n")
    folder = tiny_models.text_model(tmp_path / "model of texts")
    args = ("embed", source, path, "--text", "text", "--encoder", folder)
    found = run(*args, "--pooling", "max")
    assert found.code == 0, found.err
    with np.load(path) as file:
        expected = TextEncoder(folder, pooling="max").transform(texts)
        np.testing.assert_allclose(file["X"], expected, atol=1e-6)

    folder = tiny_models.image_model(tmp_path / "model of images")
    found = run("embed", images, path, "--encoder", folder, "--force")
    assert found.code == 0, found.err
    with np.load(path) as file:
        paths = sorted(images.rglob("*.png"), key=lambda p: (p.parent.name, p.name))
        expected = ImageEncoder(folder).transform(paths)
        np.testing.assert_allclose(file["X"], expected, atol=1e-6)

    (tmp_path / "no model").mkdir()
    for more, why in [
        (("--encoder", folder, "--size", "8"), "are for an encoder without a"),
        (("--encoder", tmp_path / "no model"), "no model"),
    ]:
        found = run("embed", images, path, "--force", *more)
        assert found.code == 1 and why in found.err
    # Which kind of encoder is meant is told by what is embedded.
    found = run("embed", tmp_path / "typo", path, "--force", "--encoder", folder)
    assert found.code == 1 and "typo is not there" in found.err


def test_a_broken_image_is_not_named(images, here, run, tmp_path):
    (images / "kind0" / "Mrs Smith.png").write_bytes(b"no image")
    path = tmp_path / "rows.npz"
    found = run("embed", images, path, "--encoder", f"{here}:encoder", "--gray")
    assert found.code == 1 and "Embedding failed" in found.err
    assert "Smith" not in found.err + found.out and not path.exists()


@pytest.mark.parametrize(
    "more, why",
    [
        (("--text", "text"), "are for columns of files"),
        (("--size", "0"), "must be at least 1"),
        (("--encoder", "nowhere.onnx"), "is no file"),
        (("--encoder", "nothing"), "package.module:object"),
        (("--preprocess", "nothing"), "package.module:object"),
    ],
)
def test_what_is_not_legal_is_refused(more, why, images, here, run, tmp_path):
    path = tmp_path / "rows.npz"
    args = ("embed", images, path, "--encoder", f"{here}:encoder", *more)
    found = run(*args)
    assert found.code == 1 and why in found.err and not path.exists()
