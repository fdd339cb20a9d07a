"""Images from files and from memory: upright, or refused with their number."""

import multiprocessing
import os
import pickle
import socket
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from torch import nn  # noqa: E402

from skdpgmm import TorchEmbeddingTransformer  # noqa: E402
from skdpgmm._embedding.images import opened  # noqa: E402

ORIENTATION = 0x0112
PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
# What a viewer shows of pixels stored with each tag, by the table of the EXIF standard.
SHOWN = {
    1: PIXELS,
    2: PIXELS[:, ::-1],
    3: PIXELS[::-1, ::-1],
    4: PIXELS[::-1],
    5: PIXELS.T,
    6: np.rot90(PIXELS, -1),
    7: PIXELS[::-1, ::-1].T,
    8: np.rot90(PIXELS),
}


def as_array(image):
    return np.asarray(image, dtype=np.float32)[None]


def transformer(preprocess=as_array, **params):
    return TorchEmbeddingTransformer(
        nn.Flatten(),
        preprocess=preprocess,
        preprocess_level="item",
        normalize=False,
        **params,
    )


def save(path, tag=None):
    image = Image.fromarray(PIXELS)
    exif = image.getexif()
    if tag is not None:
        exif[ORIENTATION] = tag
    image.save(path, exif=exif)
    return path


class Labelled(torch.utils.data.Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i], 0


@pytest.mark.parametrize("tag", SHOWN)
def test_images_are_turned_as_viewers_show_them(tag, tmp_path):
    path = save(tmp_path / "image.png", tag)
    image = Image.open(path)
    shown = SHOWN[tag].ravel()[None]
    for X in ([path], [image], Labelled([path]), Labelled([image])):
        for _ in range(2):  # an image that was given is not turned a second time
            np.testing.assert_array_equal(transformer().fit(X).transform(X), shown)
    assert image.getexif()[ORIENTATION] == tag


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0MM\0*", b"nonsense", b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01"]
)
def test_tags_that_cannot_be_read_turn_nothing(exif, tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path, exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about the tags
        for X in ([path], [Image.open(path)]):
            np.testing.assert_array_equal(transformer().transform(X), [PIXELS.ravel()])


def test_the_image_of_a_file_knows_its_name(tmp_path):
    path = save(tmp_path / "image.png", 6)
    image = opened(path, 0)
    assert (image.filename, image.format) == (str(path), "PNG")


# --------------------------------------------------------------------------
# What is no image
# --------------------------------------------------------------------------


def fifo(folder):
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


def link_to_a_fifo(folder):
    (folder / "link").symlink_to(fifo(folder))
    return folder / "link"


def unix_socket(folder):
    path = folder / "socket"
    with socket.socket(socket.AF_UNIX) as opened_socket:
        opened_socket.bind(str(path))
    return path


def truncated(folder):
    path = save(folder / "image.png")
    path.write_bytes(path.read_bytes()[:-20])
    return path


BAD_FILES = {
    "a fifo": (fifo, "not a regular file"),
    "a link to a fifo": (link_to_a_fifo, "not a regular file"),
    "a socket": (unix_socket, "not a regular file"),
    "a folder": (lambda folder: folder, "not a regular file"),
    "a device": (lambda folder: type(folder)("/dev/zero"), "not a regular file"),
    "nothing": (lambda folder: folder / "missing.png", "No such file"),
    "truncated": (truncated, "truncated"),
}


@pytest.mark.parametrize("as_items", [list, Labelled])
@pytest.mark.parametrize("fault", BAD_FILES)
def test_bad_files_are_refused_at_once_with_their_number(fault, as_items, tmp_path):
    make, message = BAD_FILES[fault]
    good = save(tmp_path / "good.png")
    X = as_items([good, good, good, make(tmp_path)])
    with pytest.raises(ValueError, match=f"Item 3 of X cannot .*{message}"):
        transformer(batch_size=2).transform(X)


@pytest.mark.parametrize("limit", [10, 20])  # twice the limit and more, and less
@pytest.mark.parametrize("num_workers", [0, 1])
def test_bombs_are_refused_with_their_number(limit, num_workers, tmp_path, monkeypatch):
    if num_workers and multiprocessing.get_start_method() != "fork":
        pytest.skip("what is set here is not set in processes that start anew")
    small = tmp_path / "small.png"
    Image.fromarray(PIXELS[:2, :2]).save(small)
    X = [small, save(tmp_path / "large.png")]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"Item 1 of X cannot .*exceeds limit of"):
            transformer(batch_size=1, num_workers=num_workers).transform(X)


def test_an_image_in_memory_that_cannot_be_read_is_named(tmp_path):
    with Image.open(truncated(tmp_path)) as image:
        X = [Image.fromarray(PIXELS), image]
        with pytest.raises(ValueError, match=r"Item 1 of X cannot .*truncated"):
            transformer(batch_size=1).transform(X)


def test_bytes_of_a_file_are_not_in_the_message(tmp_path, monkeypatch):
    path = save(tmp_path / "image.png")

    def fail(image):
        raise SyntaxError("header b'secret' not valid")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(ValueError, match="Item 0 of X cannot") as caught:
        opened(path, 0)
    assert str(caught.value).endswith("as an image: SyntaxError")
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
