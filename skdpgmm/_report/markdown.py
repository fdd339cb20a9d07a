"""A page in Markdown, whose text can be no markup."""

from __future__ import annotations

import re

from skdpgmm._report.blocks import Block, Drawing, Facts, Page, Picture, Table, Text

_MARKUP = re.compile(r"([\\`*\[\]<>|&#~])")
# What would begin a list, or underline a heading.
_START = re.compile(r"^(\s*)([-+=])")


def as_markdown(page: Page) -> str:
    """Return a page as Markdown. Curves are told by their tables, figures by name."""
    warning = "NOT PRIVATE: " if page.alarm else ""
    lines = [f"# {warning}{_escaped(page.title)}", f"**{_escaped(page.promise)}**"]
    for section in page.sections:
        lines.append(f"## {_escaped(section.title)}")
        lines += [text for block in section.blocks if (text := _block(block))]
    return "\n\n".join(lines) + "\n"


def _block(block: Block) -> str:
    match block:
        case Text(text):
            return _START.sub(r"\1\\\2", _escaped(text))
        case Facts(rows):
            return "\n".join(f"- **{_escaped(a)}**: {_escaped(b)}" for a, b in rows)
        case Table():
            return _table(block)
        case Drawing():
            return ""
        case Picture(_, caption):
            return f"Figure, in the page of HTML only: {_escaped(caption)}"


def _table(table: Table) -> str:
    header, *body = table.rows
    rules = ["---:" if i in table.numbers else "---" for i in range(len(header))]
    first, *others = [[_escaped(cell) for cell in row] for row in (header, *body)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (first, rules, *others))


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
