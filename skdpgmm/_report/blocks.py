"""What a page is made of. It is text only: how it looks is for those who write it."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """A paragraph."""

    text: str


class Facts(NamedTuple):
    """Lines of a name and a text."""

    rows: tuple[tuple[str, str], ...]


class Table(NamedTuple):
    """Rows of cells, a header first; columns at the places `numbers` are numbers."""

    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


class Drawing(NamedTuple):
    """A curve, as an SVG that this package has written, whose points a table tells."""

    svg: str
    caption: str


class Picture(NamedTuple):
    """A figure that was given, as a data URI."""

    uri: str
    caption: str


Block = Text | Facts | Table | Drawing | Picture


class Section(NamedTuple):
    """A title and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


class Page(NamedTuple):
    """All of it.

    Attributes
    ----------
    title : str
    promise : str
        The guarantee in one line, or why there is none.
    alarm : bool
        Whether there is none.
    sections : tuple of Section
    """

    title: str
    promise: str
    alarm: bool
    sections: tuple[Section, ...]
