"""Figures that are given with a report, within the page itself."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skdpgmm._report.blocks import Picture

# A page that shows an SVG or a PDF of somebody else may run what is in it.
_KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
_MOST_BYTES = 20 * 2**20


def pictures(given: Any) -> tuple[Picture, ...]:
    """Return figures as data URIs.

    Parameters
    ----------
    given : dict of str to path, sequence of path, or None
        Captions, and files of the formats PNG and JPEG. Without captions the names of
        the files are taken.

    Raises
    ------
    TypeError
        When it is something else.
    ValueError
        When a file is no such image.
    """
    if given is None:
        return ()
    if isinstance(given, str | os.PathLike):
        given = [given]
    if isinstance(given, Mapping):
        named = list(given.items())
    else:
        try:
            named = [(Path(path).stem, path) for path in given]
        except TypeError as error:
            raise TypeError(
                "figures must be a dict of captions and paths, or paths, got "
                f"{type(given).__name__}."
            ) from error
    return tuple(_picture(str(caption), Path(path)) for caption, path in named)


def _picture(caption: str, path: Path) -> Picture:
    data = path.read_bytes()
    kind = next((kind for start, kind in _KINDS.items() if data.startswith(start)), "")
    if not kind or len(data) > _MOST_BYTES:
        raise ValueError(
            "figures must be files of the format PNG or JPEG of at most "
            f"{_MOST_BYTES // 2**20} MiB, got {path.name!r}."
        )
    return Picture(
        f"data:image/{kind};base64,{base64.b64encode(data).decode()}", caption
    )
