"""Images as items: read from files, turned upright, and never those of the caller."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any


def is_image(item: Any) -> bool:
    """Whether an item is an image of Pillow, which need not be installed."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(item, pillow.Image)


# Files that are taken for images.
SUFFIXES = frozenset(".bmp .gif .jpeg .jpg .png .tif .tiff .webp".split())


def image_files(folder: PathLike) -> list[Path]:
    """Return the images in a folder and those below it, in the order of their paths."""
    if not os.path.isdir(folder):
        raise TypeError(
            "X must hold several items: a path alone must be that of a folder of "
            "images. Put the path of a file in a list."
        )
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    images = sorted(path for path in found if path.suffix.lower() in SUFFIXES)
    if not images:
        raise ValueError(
            f"X must be a folder with images ({', '.join(sorted(SUFFIXES))}), got one "
            "without."
        )
    return images


def opened(path: PathLike, number: int) -> Any:
    """Return the image of a file, upright.

    Parameters
    ----------
    path : path-like
        A regular file: what gives bytes without an end, or waits for somebody to
        write them, is refused.
    number : int
        Its number in X, for messages.

    Returns
    -------
    image : PIL.Image.Image
        Loaded.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ImportError("Paths in X need Pillow: pip install pillow") from error
    with _named(number):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(f"not a regular file: {os.fspath(path)!r}")
        with Image.open(path) as image:
            image.load()
            # Tags that cannot be read turn nothing, as in viewers.
            with suppress(Exception):
                ImageOps.exif_transpose(image, in_place=True)
            return image


def upright(image: Any, number: int) -> Any:
    """Return a copy of an image, turned as its tag of orientation says.

    Parameters
    ----------
    image : PIL.Image.Image
        It may be one whose pixels have not been read yet.
    number : int
        Its number in X, for messages.

    Returns
    -------
    image : PIL.Image.Image
    """
    from PIL import ImageOps

    with _named(number):
        image.load()
        with suppress(Exception):
            return ImageOps.exif_transpose(image)
        return image.copy()


@contextmanager
def _named(number: int) -> Iterator[None]:
    """Say which item cannot be read, whatever Pillow raises for it."""
    from PIL.Image import DecompressionBombError, DecompressionBombWarning

    try:
        yield
    except Exception as error:
        why = type(error).__name__
        # Others may quote bytes of the file.
        if isinstance(
            error, OSError | DecompressionBombError | DecompressionBombWarning
        ):
            why = str(error)
        raise ValueError(f"Item {number} of X cannot be read as an image: {why}") from (
            error
        )
