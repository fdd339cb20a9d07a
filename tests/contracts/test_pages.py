"""The code of pages of the documentation runs, and says what they say."""

import doctest
import warnings
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    "coming_from.rst",
    "getting_started.rst",
    "good_rows.rst",
    "sharp_edges.rst",
)


@pytest.mark.parametrize("page", PAGES)
def test_page(page):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    with warnings.catch_warnings():
        # Pages fit few records, and say so.
        warnings.simplefilter("ignore")
        failed, tried = doctest.testfile(
            str(DOCS / page), module_relative=False, optionflags=flags
        )
    assert tried > 3 and failed == 0
