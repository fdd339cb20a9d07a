"""What is printed: tables for a person, or JSON for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text as Line

from skdpgmm._report.blocks import Block, Facts, Section, Table, Text
from skdpgmm._report.data import plain


def printable(text: str) -> str:
    """Return a text without what a terminal would take for a command.

    Labels, and whatever a file says, are of somebody else.
    """
    return "".join(one if one.isprintable() else "?" for one in text)


def errors() -> Console:
    """Return the console of progress and warnings, which is no part of the answer."""
    return Console(stderr=True, highlight=False)


def as_json(data: dict[str, Any]) -> None:
    """Print data as JSON, and nothing else."""
    sys.stdout.write(json.dumps(plain(data), indent=2, allow_nan=False) + "\n")


def warn(warned: Iterable[str]) -> None:
    """Print warnings."""
    for text in warned:
        errors().print(_line(f"Warning: {' '.join(text.split())}", style="yellow"))


def headline(text: str, alarm: bool) -> None:
    """Print a line that is not to be missed."""
    _console().print(_line(text, style="bold red" if alarm else "bold"))


def show(blocks: Iterable[Block]) -> None:
    """Print text, facts and tables; curves and figures are for a page."""
    console = _console()
    for block in blocks:
        match block:
            case Text(text):
                console.print(_line(text))
            case Facts(rows):
                grid = Grid.grid(padding=(0, 2))
                grid.add_column(style="cyan", max_width=24)
                grid.add_column(overflow="fold")
                for name, text in rows:
                    grid.add_row(_line(name), _line(text))
                console.print(grid)
            case Table():
                console.print(_grid(block))


def show_sections(sections: Iterable[Section]) -> None:
    """Print sections with their titles."""
    for section in sections:
        _console().print()
        _console().print(_line(section.title, style="bold underline"))
        show(section.blocks)


def _line(text: str, style: str = "") -> Line:
    return Line(printable(text), style=style)


def _console() -> Console:
    return Console(highlight=False)


def _grid(table: Table) -> Grid:
    header, *body = table.rows
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False, pad_edge=False)
    for i, name in enumerate(header):
        number = i in table.numbers
        # Numbers stay whole; the first column gives way.
        grid.add_column(
            _line(name),
            justify="right" if number else "left",
            no_wrap=number,
            overflow="fold",
        )
    for row in body:
        grid.add_row(*map(_line, row))
    return grid
