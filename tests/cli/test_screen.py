"""Answers are on one stream, warnings and progress on the other."""

import json
import math

import pytest

from skdpgmm._cli.screen import (
    as_json,
    headline,
    printable,
    show,
    show_sections,
    warn,
)
from skdpgmm._report.blocks import Drawing, Facts, Section, Table, Text

ROWS = (("name", "number"), ("[bold]odd[/bold]", "12"), ("other", "3"))


def test_text_is_no_markup_and_tables_are_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    headline("A [red]promise[/red]", False)
    show_sections(
        [
            Section(
                "Part",
                (
                    Text("one [b]"),
                    Facts((("fact", "of [it]"),)),
                    Table(ROWS, (1,)),
                    Drawing("<svg></svg>", "a curve"),
                ),
            )
        ]
    )
    found = capsys.readouterr()
    for text in ("A [red]promise[/red]", "one [b]", "of [it]", "[bold]odd[/bold]"):
        assert text in found.out
    assert "svg" not in found.out and not found.err
    lines = [line.rstrip() for line in found.out.splitlines()]
    assert max(map(len, lines)) <= 80
    ends = [len(line) for line in lines if line.endswith(("number", "12", "  3"))]
    assert len(ends) == 3 and len(set(ends)) == 1  # numbers end alike


def test_warnings_are_no_part_of_the_answer(capsys):
    warn(["all is\n noise"])
    found = capsys.readouterr()
    assert not found.out and "Warning: all is noise" in found.err


def test_nothing_reaches_the_terminal_as_a_command(capsys):
    evil = "a\x1b[2Jb\x07\u202ec"
    headline(evil, True)
    warn([evil])
    show([Text(evil), Facts(((evil, evil),)), Table(((evil,), (evil,)))])
    found = capsys.readouterr()
    for one in "\x1b\x07\u202e":
        assert one not in found.out + found.err
    assert "a?[2Jb??c" in found.out and "größe ε" == printable("größe ε")


def test_json_is_nothing_else(capsys):
    as_json({"epsilon": math.inf, "ledger": [1, (2, None)]})
    assert json.loads(capsys.readouterr().out) == {
        "epsilon": "inf",
        "ledger": [1, [2, None]],
    }


@pytest.mark.parametrize("width", ["80", "60"])
def test_long_cells_are_folded_and_not_cut(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    words = " ".join(f"word{i}" for i in range(40))
    show([Table((("a", "b"), ("x", words)))])
    out = capsys.readouterr().out
    assert set(words.split()) <= set(out.split())
