"""Markdown is plain: tables are whole, and no text of users is markup."""

import math

import pytest
from private_fits import make_data

from skdpgmm import DPKMeans, report
from skdpgmm._report.blocks import Facts, Page, Section, Table, Text
from skdpgmm._report.markdown import as_markdown


def page(*blocks, alarm=False):
    return Page("Title", "promise", alarm, (Section("Part", blocks),))


@pytest.mark.parametrize(
    "given, written",
    [
        ("<b>x</b>", r"\<b\>x\</b\>"),
        ("[a](javascript:b)", r"\[a\](javascript:b)"),
        ("a | b\n\nc", r"a \| b c"),
        ("- no list", r"\- no list"),
        ("`code` *star* # head", r"\`code\` \*star\* \# head"),
    ],
)
def test_text_is_no_markup(given, written):
    assert written in as_markdown(page(Text(given))).splitlines()
    assert f"- **name**: {written.removeprefix(chr(92))}" in as_markdown(
        page(Facts((("name", given),)))
    ).replace(": \\", ": ")


def test_tables_have_a_cell_for_each_column(fitted):
    table = Table((("a", "b"), ("1|2", "3")), (1,))
    lines = as_markdown(page(table)).splitlines()
    assert lines[-3:] == ["| a | b |", "| --- | ---: |", r"| 1\|2 | 3 |"]
    text = report(fitted).to_markdown()
    for block in text.split("\n\n"):
        if block.startswith("|"):
            widths = {line.replace(r"\|", "").count("|") for line in block.split("\n")}
            assert len(widths) == 1


def test_without_privacy_the_heading_says_so():
    made = report(DPKMeans(2, epsilon=math.inf).fit(make_data(300, 3)[0]))
    assert made.to_markdown().startswith("# NOT PRIVATE: ")
