"""Images of a folder and texts of a column, with their labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skdpgmm._cli.refusals import refuse
from skdpgmm._embedding.images import SUFFIXES

_TABLES = (".csv", ".parquet")


class Items(NamedTuple):
    """What is to be embedded.

    Attributes
    ----------
    items : list of Path, or of str
    labels, persons : list or None
    """

    items: list[Any]
    labels: list[Any] | None
    persons: list[Any] | None

    def blocks(self, n: int) -> Iterator[Items]:
        """Yield them in blocks."""
        for start in range(0, len(self.items), n):
            part = slice(start, start + n)
            labels = self.labels and self.labels[part]
            persons = self.persons and self.persons[part]
            yield Items(self.items[part], labels, persons)


def images_of(folder: Path) -> Items:
    """Return the images of a folder: those of subfolders have its name as a label."""
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    own = _images(folder)
    if folders and own:
        refuse("There are images beside folders of images: which label do they have?")
    if not folders:
        items: list[Path] = own
        labels = None
    else:
        named = [(path, one.name) for one in folders for path in _images(one)]
        items, labels = [path for path, _ in named], [name for _, name in named]
    if not items:
        refuse(f"There are no images in {folder}.")
    return Items(items, labels, None)


def _images(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def texts_of(path: Path, text: str, label: str | None, person: str | None) -> Items:
    """Return the texts of a column of a CSV or Parquet file."""
    if path.suffix.lower() not in _TABLES:
        refuse(f"{path} must be a folder of images, or a .csv or .parquet file.")
    names = list(filter(None, (text, label, person)))
    table = _table(path)
    for name in names:
        if name not in table.column_names:
            refuse(f"{path} has {', '.join(table.column_names)}, and no {name}.")
        if table[name].null_count:
            refuse(f"There are nulls in column {name}.")
    items = table[text].to_pylist()
    if not all(isinstance(one, str) for one in items):
        refuse(f"Column {text} must hold texts.")
    labels = None if label is None else table[label].to_pylist()
    persons = None if person is None else table[person].to_pylist()
    return Items(items, labels, persons)


def _table(path: Path):
    try:
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "Files of tables need pyarrow: pip install 'skdpgmm[parquet]'"
        ) from error
    if path.suffix.lower() == ".csv":
        return pyarrow.csv.read_csv(path)
    return pyarrow.parquet.read_table(path)


class Pixels:
    """A preprocessing of images: of one size, numbers in [0, 1], channels first.

    Parameters
    ----------
    size : int
        Of both sides.
    gray : bool
        Whether there is one channel, and not three.
    """

    def __init__(self, size: int, gray: bool):
        self.size, self.gray = size, gray

    def __call__(self, images) -> np.ndarray:
        """Return an array of shape (n_images, n_channels, size, size)."""
        return np.stack([self._one(image) for image in images])

    def _one(self, image):
        image = image.convert("L" if self.gray else "RGB")
        image = image.resize((self.size, self.size))
        pixels = np.asarray(image, dtype=np.float32) / 255.0
        return pixels[np.newaxis] if self.gray else pixels.transpose(2, 0, 1)
