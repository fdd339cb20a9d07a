"""Images have the label of their folder; texts come from a column."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skdpgmm._cli.items import Pixels, images_of, texts_of
from skdpgmm._cli.refusals import RefusedError


def image(path, value=0, size=(4, 6)):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((*size, 3), value, np.uint8)).save(path)


def test_folders_are_labels(tmp_path):
    for name in ("b/2.png", "a/1.png", "b/1.PNG"):
        image(tmp_path / name)
    (tmp_path / "b" / "notes.txt").write_text("")
    found = images_of(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found.items] == [
        *("a/1.png", "b/1.PNG", "b/2.png")
    ]
    assert found.labels == ["a", "b", "b"] and found.persons is None
    first, second = found.blocks(2)
    assert first.labels == ["a", "b"] and second.items == found.items[2:]
    alone = images_of(tmp_path / "a")
    assert alone.labels is None and len(alone.items) == 1
    image(tmp_path / "0.png")
    with pytest.raises(RefusedError, match="which label"):
        images_of(tmp_path)
    (tmp_path / "c").mkdir()
    with pytest.raises(RefusedError, match="no images"):
        images_of(tmp_path / "c")


def test_texts_come_from_a_column(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("text,label,who,n\nhello,a,1,\nworld,b,2,3\n")
    found = texts_of(path, "text", "label", "who")
    assert found.items == ["hello", "world"] and found.labels == ["a", "b"]
    assert found.persons == [1, 2]
    assert texts_of(path, "text", None, None).labels is None
    for column, why in [("no", "and no no"), ("n", "nulls"), ("who", "hold texts")]:
        with pytest.raises(RefusedError, match=why):
            texts_of(path, column, None, None)
    with pytest.raises(RefusedError, match="must be a folder of images"):
        texts_of(Path("texts.doc"), "text", None, None)


@pytest.mark.parametrize("gray, channels", [(True, 1), (False, 3)])
def test_pixels_are_of_one_size_and_range(gray, channels):
    images = [Image.new("RGB", size, "white") for size in [(4, 9), (20, 3)]]
    images[1] = Image.new("L", (5, 5), 0)
    pixels = Pixels(8, gray)(images)
    assert pixels.shape == (2, channels, 8, 8) and pixels.dtype == np.float32
    assert np.all(pixels[0] == 1.0) and np.all(pixels[1] == 0.0)
