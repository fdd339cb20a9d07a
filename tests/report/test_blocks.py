"""Every kind of block is written in both formats."""

from typing import get_args

import pytest

from skdpgmm._report.blocks import (
    Block,
    Drawing,
    Facts,
    Page,
    Picture,
    Section,
    Table,
    Text,
)
from skdpgmm._report.html_page import as_html
from skdpgmm._report.markdown import as_markdown

EXAMPLES = [
    Text("found here"),
    Facts((("name", "found here"),)),
    Table((("head", "other"), ("found here", "1")), (1,)),
    Drawing("<svg></svg>", "found here"),
    Picture("data:image/png;base64,AA==", "found here"),
]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: type(block).__name__)
def test_a_block_is_told(block, seen):
    page = Page("Title", "a promise", False, (Section("Part", (block,)),))
    assert "found here" in seen(as_html(page)).texts
    # A curve is told by its table.
    assert ("found here" in as_markdown(page)) is not isinstance(block, Drawing)


def test_there_are_no_other_blocks():
    assert {type(one) for one in EXAMPLES} == set(get_args(Block))
